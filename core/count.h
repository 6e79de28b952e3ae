/* Count: the items of an array, never of a pointer that it has become. */
#ifndef CORE_COUNT_H
#define CORE_COUNT_H

#define COUNT(array) (sizeof(array) / sizeof *(array))

#endif

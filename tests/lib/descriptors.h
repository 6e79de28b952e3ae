/* Descriptors: how many this process has, and what it is to have no more. */
#ifndef TESTS_LIB_DESCRIPTORS_H
#define TESTS_LIB_DESCRIPTORS_H

unsigned descriptors_open(void);

/* From now on the process gets no new one; until descriptors_give_back(). */
void descriptors_withhold(void);
void descriptors_give_back(void);

#endif

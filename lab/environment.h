/* Environment: what commands in a lab find: this program as `posthaste`, and none of the variables
 * that would make it talk to another region. */
#ifndef LAB_ENVIRONMENT_H
#define LAB_ENVIRONMENT_H

#include <stdbool.h>

/* For this process and those that it makes. `folder` is the lab's, and gets a bin/posthaste. False,
 * and it has been said: it can't be done. */
bool environment_set(const char *folder);

#endif

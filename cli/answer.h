/* Answer: what a body must be to be one that the contract has; anything may answer at a URL. Pure. */
#ifndef CLI_ANSWER_H
#define CLI_ANSWER_H

#include <stdbool.h>

#include "core/buf.h"

enum answer_shape {
    ANSWER_OBJECT,
    ANSWER_LIST, /* an object with an array, "data" */
    ANSWER_ANY,  /* an object or nothing: it isn't looked at */
};

bool answer_has_shape(const struct buf *body, enum answer_shape shape);

#endif

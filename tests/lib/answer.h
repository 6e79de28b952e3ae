/* Answer: what a server said to a request, taken apart. */
#ifndef TESTS_LIB_ANSWER_H
#define TESTS_LIB_ANSWER_H

#include <stddef.h>

#include "core/buf.h"
#include "wire/json.h"

struct answer {
    unsigned status;
    struct buf bytes; /* all that came */
    const char *body; /* what follows the header; in `bytes` */
    size_t body_len;
    struct json *json; /* the body, parsed; NULL if it is empty or none */
};

/* From a whole answer, as client_answer() gives it; the test fails if it isn't one. */
struct answer answer_take(const char *text);
void answer_fini(struct answer *a);

/* The value of a header line, up to the line's end; NULL if there is none. */
const char *answer_header(const struct answer *a, const char *name);

/* A value inside the body: "data/0/id". NULL if absent. */
const struct json *answer_at(const struct answer *a, const char *path);
const char *answer_text(const struct answer *a, const char *path);

/* The test fails unless the value there is this one. */
void answer_has_text(const struct answer *a, const char *path, const char *want);
void answer_has_number(const struct answer *a, const char *path, int64_t want);
void answer_has_type(const struct answer *a, const char *path, enum scan_type want);
void answer_has_count(const struct answer *a, const char *path, size_t want);

#endif

/* Capture: what is written to stderr meanwhile, such as the log. */
#ifndef TESTS_LIB_CAPTURE_H
#define TESTS_LIB_CAPTURE_H

#include <stddef.h>

struct capture {
    int terminal, file;
};

void capture_begin(struct capture *c);

/* Copy its first `room` - 1 bytes to `out`, and end them with a NUL. */
void capture_end(struct capture *c, char *out, size_t room);

/* How often `word` is in `text`. */
unsigned capture_count(const char *text, const char *word);

#endif

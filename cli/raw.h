/* Raw: JSON text that is taken apart and laid out anew without being understood, so that
 * numbers, escapes and the order of members stay as the server sent them.
 *
 * For text that is known to be JSON: the server's answers, checked by scan_answer(). Pure. */
#ifndef CLI_RAW_H
#define CLI_RAW_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

struct raw {
    const char *at; /* borrowed; not NUL-terminated */
    size_t len;     /* bytes; 0 = absent */
};

/* The bytes of a buf, borrowed. */
struct raw raw_of(const struct buf *text);

/* A member of an object; absent when there is none, or when `object` isn't one. */
struct raw raw_member(struct raw object, const char *name);

/* What raw_next() walks: nothing when `array` isn't one. */
struct raw raw_items(struct raw array);

/* The next item, which is taken off `*items`. False at the end. */
bool raw_next(struct raw *items, struct raw *out);

/* On one line, without spaces. */
MUST_USE enum err raw_compact(struct raw value, struct buf *out);

/* On many lines, each indented by two for every level, `depth` of them around the value. */
MUST_USE enum err raw_indent(struct raw value, size_t depth, struct buf *out);

/* As a person reads it: a string without quotes, an array's items joined by commas, "-" for
 * null or absent, anything else as compact JSON. */
MUST_USE enum err raw_text(struct raw value, struct buf *out);

bool raw_is(struct raw value, const char *json);
bool raw_equal(struct raw a, struct raw b);

#endif

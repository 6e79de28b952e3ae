/* Fields: the members of a request's body, read one at a time, each wrong one a fault at
 * "body/<name>". What noun_in*.c is made of.
 *
 * A field is left alone when a patch doesn't name it; else it is set: to its value, or, where
 * absent or null, to its default. A value of another type, or one that breaks its rule, is a
 * fault. */
#ifndef WIRE_FIELDS_H
#define WIRE_FIELDS_H

#include "core/model.h"
#include "wire/faults.h"
#include "wire/json.h"
#include "wire/noun_in.h"

struct fields {
    const struct json *body;
    enum read_mode mode;
    struct faults *faults;
};

/* False, and a fault, if the body isn't an object. */
bool fields_begin(struct fields *f, const struct json *body, enum read_mode mode,
                  struct faults *faults);

enum text_form {
    TEXT_PROSE,     /* no control characters 0x00 to 0x08 */
    TEXT_NAME,      /* see name_is_valid() */
    TEXT_UNCHECKED, /* by the caller, later */
};

struct text_rule {
    enum text_form form;
    size_t max;             /* bytes */
    bool required;          /* absent, null or empty is a fault */
    const char *fallback;   /* the default; may be NULL */
    const char *not_prefix; /* what ids begin with; NULL = none */
};

/* `*into` is owned text; the old one is freed. */
void field_text(const struct fields *f, const char *name, const struct text_rule *rule,
                char **into);

/* Judge `len` bytes of text, which may hold NULs and are followed by one. */
bool text_fits(const struct text_rule *rule, const char *loc, const char *text, size_t len,
               struct faults *faults);

/* The default is false. Null isn't a boolean. */
void field_bool(const struct fields *f, const char *name, bool *into);

/* The default is 0. */
void field_number(const struct fields *f, const char *name, int64_t min, int64_t max,
                  uint32_t *into);

/* 1 to `count_max` names of at most `len_max` bytes; repeated ones count once. The
 * default is none. */
void field_names(const struct fields *f, const char *name, size_t count_max, size_t len_max,
                 struct text_list *into);

/* The list at `value`, for bodies that have no tree. */
void read_names(const struct json *value, const char *loc, size_t count_max, size_t len_max,
                struct text_list *into, struct faults *faults);

/* An object, kept as its compact text of at most `max` bytes. `of_text`: all its values are
 * strings. */
void field_object(const struct fields *f, const char *name, size_t max, bool of_text,
                  const char *fallback, char **into);

#endif

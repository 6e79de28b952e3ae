/* Setting: the table of what can be configured, and how one value is read and written as text.
 *
 * Everything there is to know about a setting stands in its row; the configuration, its
 * environment variables, its flags and the file that `posthaste init` writes follow from it. */
#ifndef CORE_SETTING_H
#define CORE_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/config.h"
#include "core/err.h"

#define SETTING_VARIABLE_MAX 64 /* bytes of a variable's name, with NUL */

enum setting_kind {
    SETTING_TEXT,     /* char *, NULL = none */
    SETTING_PATH,     /* char *, NULL = none */
    SETTING_LISTEN,   /* struct config_listen */
    SETTING_NUMBER,   /* uint32_t; without a default at least 1, and 0 = none */
    SETTING_DEGREES,  /* struct config_degrees */
    SETTING_CHOICE,   /* an enum that counts up from 0 */
    SETTING_TEXTS,    /* struct text_list */
    SETTING_SCHEDULE, /* config_delivery.retry_s and .retry_count */
};

struct setting {
    const char *key;
    const char *flag; /* NULL = none */
    enum setting_kind kind;
    size_t offset;              /* in struct config */
    uint32_t least, most;       /* of a number, or of each in a list; of degrees both ways */
    const char *const *choices; /* end with NULL */
    const char *fallback;       /* the default, lists with commas; NULL = none */
    const char *example;        /* for the template, where there is no default */
    const char *about;          /* for the template: lines of at most 72 bytes */
};

extern const struct setting settings[];
extern const size_t setting_count;

const struct setting *setting_find(const char *key); /* NULL when there is none */
const struct setting *setting_find_flag(const char *flag);
bool setting_is_section(const char *key);
bool setting_is_list(const struct setting *setting);

/* "delivery.timeout" → "POSTHASTE_DELIVERY_TIMEOUT" */
void setting_variable(const struct setting *setting, char out[SETTING_VARIABLE_MAX]);

/* Forget the value. */
void setting_clear(const struct setting *setting, struct config *config);

/* Set a cleared value, or add to a list. Relative paths are below `folder`, a prefix that ends
 * in '/' or is empty. ERR_INVALID and ERR_LIMIT: `why` says what was expected. */
MUST_USE enum err setting_add(const struct setting *setting, struct config *config,
                              const char *text, const char *folder, char why[CONFIG_WHY_MAX]);

/* Append the value as text, lists with commas. */
MUST_USE enum err setting_print(const struct setting *setting, const struct config *config,
                                struct buf *out);

#endif

/* Document: a YAML file read as a flat list of settings. With yaml_json the home of libyaml.
 *
 *     delivery:
 *       timeout: 30           ->  "delivery.timeout", line 2, one item "30"
 *       allow_subnets: [a, b] ->  "delivery.allow_subnets", line 3, a list of two items
 *
 * What a key means and what type a value should have is the reader's affair. Anchors' aliases,
 * mappings inside lists and deep nesting are refused: no document grows when it is read. */
#ifndef CORE_DOCUMENT_H
#define CORE_DOCUMENT_H

#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/model.h"

#define DOCUMENT_DEPTH_MAX 4   /* mappings inside mappings */
#define DOCUMENT_KEY_MAX   128 /* bytes of a whole key, with NUL */
#define DOCUMENT_ITEMS_MAX 1024
#define DOCUMENT_WHY_MAX   256

enum document_kind {
    DOCUMENT_NOTHING, /* "key:", "key: null", "key: ~"; no items */
    DOCUMENT_VALUE,   /* one item */
    DOCUMENT_LIST,
};

struct document_setting {
    const char *key;
    size_t line; /* of the key; 1 = first */
    enum document_kind kind;
    struct text_list items;
};

struct document_fault {
    size_t line;
    char why[DOCUMENT_WHY_MAX];
};

/* Call `on_setting` for each setting in order, which borrows it for the call, until it returns
 * an error. ERR_INVALID or ERR_LIMIT with `fault` filled in: `text` isn't such a document;
 * otherwise what `on_setting` returned. An empty document has no settings. */
MUST_USE enum err document_read(const char *text, size_t len,
                                enum err (*on_setting)(const struct document_setting *setting,
                                                       void *ctx),
                                void *ctx, struct document_fault *fault);

/* Append one line of printable text as a value that reads as just that, in quotes where it must
 * be. */
MUST_USE enum err document_append_scalar(const char *text, struct buf *out);

#endif

/* YAML as JSON: a document of one text turned into the other, for what is read as JSON anyway.
 *
 * Plain scalars are what YAML 1.2's core schema takes them for, but that numbers are those that JSON
 * writes: 1.10 and 007 become 1.10 and "007". Keys become strings. Anchors' aliases are refused, so no
 * document grows when it is read; a second document is, too.
 *
 * Pure; thread: any. */
#ifndef CORE_YAML_JSON_H
#define CORE_YAML_JSON_H

#include <stddef.h>

#include "core/buf.h"

#define YAML_DEPTH_MAX 128 /* containers inside containers */

struct yaml_fault {
    size_t line; /* 1 = first */
    char why[256];
};

/* Append the JSON. ERR_INVALID, ERR_LIMIT: `fault` says why, and `out` is unspecified. */
MUST_USE enum err yaml_to_json(const char *text, size_t len, struct buf *out,
                               struct yaml_fault *fault);

#endif

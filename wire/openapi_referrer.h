/* Referrer: what refers with "$ref" to other parts of its OpenAPI document, and is told what is wrong
 * with that. Private to those who read such a document.
 *
 * A reference is '#' and a JSON pointer (RFC 6901) into the same document. */
#ifndef WIRE_OPENAPI_REFERRER_H
#define WIRE_OPENAPI_REFERRER_H

#include "core/model.h"
#include "wire/faults.h"
#include "wire/json.h"

struct openapi_referrer {
    const struct json *document;
    char loc[FAULT_LOC_MAX]; /* where its faults are */
    struct faults *faults;
};

/* Add a fault. */
void openapi_refuse(const struct openapi_referrer *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The value itself, or what it refers to; NULL without one, or with a fault. */
const struct json *openapi_resolve(const struct openapi_referrer *r, const struct json *value);

/* The part of a JSON pointer up to the next slash, where `*pointer` is then; false: no name is so
 * long. */
bool openapi_take_part(const char **pointer, char out[NAME_LEN_MAX + 1]);

#endif

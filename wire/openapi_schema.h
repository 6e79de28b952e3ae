/* Schema: one of an OpenAPI document as a JSON Schema that stands for itself. Private to those who
 * read such a document.
 *
 *   {…, "$ref": "#/components/schemas/Car"} ─► {…, "$ref": "#/definitions/Car",
 *                                               "definitions": {"Car": …, what it refers to: …}}
 *
 * `definitions` are those of JSON Schema draft 7. */
#ifndef WIRE_OPENAPI_SCHEMA_H
#define WIRE_OPENAPI_SCHEMA_H

#include "wire/json.h"
#include "wire/openapi_referrer.h"

/* Write it; without one (NULL) an object of the example alone. The example, unless NULL, is written
 * in place of the schema's own. One that is no object gets a fault, and its members are left out.
 * False: a fault says why, and what has been written is of no use. */
bool openapi_put_schema(struct json_writer *w, const struct openapi_referrer *referrer,
                        const struct json *schema, const struct json *example);

#endif

/* Form: what a command line says, as the path, query and body of a request. */
#ifndef CLI_FORM_H
#define CLI_FORM_H

#include "cli/line.h"
#include "core/buf.h"
#include "wire/json.h"

#define FORM_BODY_MAX (16u << 20) /* bytes; more than a server takes */

/* Append `text` with everything but RFC 3986's unreserved characters percent-encoded. */
MUST_USE enum err form_escape(const char *text, struct buf *out);

/* Append `pattern` with "{1}" replaced by the first positional argument and "{app}" by the value
 * of that option, escaped. ERR_INVALID: one of them can't be a part of a path; ERR_LIMIT; both have
 * been said. */
MUST_USE enum err form_path(const struct line *line, const char *pattern, struct buf *out);

/* Append "name=value&…" from the options whose place is the query. */
MUST_USE enum err form_query(const struct line *line, struct buf *out);

/* Write the members of the options whose place is the body. ERR_INVALID, ERR_IO: a value isn't
 * what its kind says or can't be read, which has been said. */
MUST_USE enum err form_members(const struct line *line, struct json_writer *w);

/* The object of these members. As form_members(); ERR_LIMIT: too large, also said. */
MUST_USE enum err form_body(const struct line *line, struct buf *out);

#endif

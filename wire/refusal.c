#include "wire/refusal.h"

#include <assert.h>

#include "wire/noun_out.h"

#define REFUSAL(name, ...) const struct refusal refusal_##name = { __VA_ARGS__ }

REFUSAL(line, 400, "bad_request", "The request line isn't one of HTTP/1.1.");
REFUSAL(version, 505, "version_not_supported", "Only HTTP/1.1 and HTTP/1.0 are understood.");
REFUSAL(target, 400, "bad_request", "The request's target is not a path.");
REFUSAL(target_size, 414, "uri_too_long", "The request line is too long.");
REFUSAL(field, 400, "bad_request", "A line of the header isn't \"name: value\".");
REFUSAL(header_size, 431, "header_too_large", "Request header is too large.");
REFUSAL(host, 400, "bad_request", "Exactly one Host header is required.");
REFUSAL(length, 400, "bad_request",
        "One Content-Length at most, of digits, and no Transfer-Encoding.");
REFUSAL(coding, 400, "bad_request", "The Transfer-Encoding doesn't say where the body ends.");
REFUSAL(coding_unknown, 501, "not_implemented",
        "The only Transfer-Encoding understood is chunked.");
REFUSAL(chunk, 400, "bad_request", "The body isn't chunked as it should be.");

REFUSAL(size, 413, "payload_too_large", "Request payload is too large.");
REFUSAL(overload, 503, "overloaded", "Too many requests are in progress.");
REFUSAL(slow, 408, "request_timeout", "The request took too long.");
REFUSAL(stopping, 503, "shutting_down", "The server is shutting down.");

void refusal_write(const struct refusal *refusal, struct buf *out)
{
    enum err err = json_error_body(refusal->code, refusal->detail, out);

    assert(!err);
    (void)err;
}

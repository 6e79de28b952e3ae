/* Base64 (RFC 4648): the standard alphabet with padding (section 4) and nothing else; or the one for
 * URLs (section 5), without padding. */
#ifndef CORE_BASE64_H
#define CORE_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* Characters that encode `len` bytes, without a NUL. */
#define BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* Writes BASE64_LEN(len) characters and a NUL. */
void base64_encode(const uint8_t *bytes, size_t len, char *out);

/* ERR_INVALID unless `text` is the one encoding of at most `room` bytes: white space, missing
 * padding and stray bits before it are refused. `out` may be written to even so. */
MUST_USE enum err base64_decode(const char *text, size_t text_len, uint8_t *out, size_t room,
                                size_t *out_len);

/* For URLs, headers and tokens: BASE64URL_LEN(len) characters and a NUL. */
#define BASE64URL_LEN(len) (((len)*4 + 2) / 3)
void base64url_encode(const uint8_t *bytes, size_t len, char *out);

/* As base64_decode(). */
MUST_USE enum err base64url_decode(const char *text, size_t text_len, uint8_t *out, size_t room,
                                   size_t *out_len);

#endif

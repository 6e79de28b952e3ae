/* Hex (RFC 4648, section 8), in small letters: two digits a byte. Pure. */
#ifndef CORE_HEX_H
#define CORE_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* Digits that encode `len` bytes, without a NUL. */
#define HEX_LEN(len) (2 * (len))

/* Writes HEX_LEN(len) digits and a NUL. */
void hex_encode(const uint8_t *bytes, size_t len, char *out);

/* ERR_INVALID unless `text` is the encoding of exactly `len` bytes. `out` may be written to even
 * so. */
MUST_USE enum err hex_decode(const char *text, size_t text_len, uint8_t *out, size_t len);

#endif

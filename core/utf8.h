/* Utf8: well-formed UTF-8, as RFC 3629 has it: no surrogates, no overlong forms, nothing above
 * U+10FFFF. Pure. */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_CHARACTER_MAX 4 /* bytes */

/* The bytes of the character at `at`, which is before `end`; 0 if there is no well-formed one.
 */
size_t utf8_length(const uint8_t *at, const uint8_t *end);

/* The bytes before the first that isn't part of a well-formed character. */
size_t utf8_valid_prefix(const uint8_t *bytes, size_t len);

/* Write a code point that isn't a surrogate; the number of bytes. */
size_t utf8_encode(uint32_t code_point, uint8_t out[UTF8_CHARACTER_MAX]);

#endif

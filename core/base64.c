#include "core/base64.h"

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const uint8_t *bytes, size_t len, char *out)
{
    for (size_t at = 0; at < len; at += 3) {
        size_t here = len - at < 3 ? len - at : 3;
        uint32_t group = (uint32_t)bytes[at] << 16;

        if (here > 1)
            group |= (uint32_t)bytes[at + 1] << 8;
        if (here > 2)
            group |= bytes[at + 2];
        *out++ = DIGITS[group >> 18];
        *out++ = DIGITS[group >> 12 & 63];
        *out++ = here > 1 ? DIGITS[group >> 6 & 63] : '=';
        *out++ = here > 2 ? DIGITS[group & 63] : '=';
    }
    *out = '\0';
}

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

enum err base64_decode(const char *text, size_t text_len, uint8_t *out, size_t room,
                       size_t *out_len)
{
    size_t digits = text_len, len = 0;
    uint32_t bits = 0;
    unsigned bit_count = 0;

    if (text_len % 4 != 0)
        return ERR_INVALID;
    while (digits > 0 && text_len - digits < 2 && text[digits - 1] == '=')
        digits--;
    if (digits / 4 * 3 + digits % 4 * 3 / 4 > room)
        return ERR_INVALID;

    for (size_t i = 0; i < digits; i++) {
        int value = digit_value(text[i]);
        if (value < 0)
            return ERR_INVALID;
        bits = bits << 6 | (uint32_t)value;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            out[len++] = (uint8_t)(bits >> bit_count);
        }
    }
    if (bits & ((1U << bit_count) - 1))
        return ERR_INVALID;
    *out_len = len;
    return ERR_OK;
}

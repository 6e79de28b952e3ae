#include "core/base64.h"

#include <stdbool.h>

/* The two alphabets, which differ in the last two digits. */
static const char STANDARD[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char FOR_URLS[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(const uint8_t *bytes, size_t len, const char *digits, bool padded, char *out)
{
    for (size_t at = 0; at < len; at += 3) {
        size_t here = len - at < 3 ? len - at : 3;
        uint32_t group = (uint32_t)bytes[at] << 16;

        if (here > 1)
            group |= (uint32_t)bytes[at + 1] << 8;
        if (here > 2)
            group |= bytes[at + 2];
        for (unsigned i = 0; i < 4; i++) {
            if (i <= here)
                *out++ = digits[group >> (18 - 6 * i) & 63];
            else if (padded)
                *out++ = '=';
        }
    }
    *out = '\0';
}

void base64_encode(const uint8_t *bytes, size_t len, char *out)
{
    encode(bytes, len, STANDARD, true, out);
}

void base64url_encode(const uint8_t *bytes, size_t len, char *out)
{
    encode(bytes, len, FOR_URLS, false, out);
}

static int digit_value(char c, const char *digits)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == digits[62])
        return 62;
    return c == digits[63] ? 63 : -1;
}

/* A group of one digit alone would be no byte; what is left of the last one must be zero. */
static enum err decode(const char *text, size_t len, const char *digits, uint8_t *out,
                       size_t room, size_t *out_len)
{
    size_t bytes = 0;
    uint32_t bits = 0;
    unsigned bit_count = 0;

    if (len % 4 == 1 || len / 4 * 3 + len % 4 * 3 / 4 > room)
        return ERR_INVALID;
    for (size_t i = 0; i < len; i++) {
        int value = digit_value(text[i], digits);
        if (value < 0)
            return ERR_INVALID;
        bits = bits << 6 | (uint32_t)value;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            out[bytes++] = (uint8_t)(bits >> bit_count);
        }
    }
    if (bits & ((1U << bit_count) - 1))
        return ERR_INVALID;
    *out_len = bytes;
    return ERR_OK;
}

enum err base64_decode(const char *text, size_t text_len, uint8_t *out, size_t room,
                       size_t *out_len)
{
    size_t len = text_len;

    if (text_len % 4 != 0)
        return ERR_INVALID;
    while (len > 0 && text_len - len < 2 && text[len - 1] == '=')
        len--;
    return decode(text, len, STANDARD, out, room, out_len);
}

enum err base64url_decode(const char *text, size_t text_len, uint8_t *out, size_t room,
                          size_t *out_len)
{
    return decode(text, text_len, FOR_URLS, out, room, out_len);
}

#include "core/hex.h"

static const char DIGITS[] = "0123456789abcdef";

void hex_encode(const uint8_t *bytes, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        *out++ = DIGITS[bytes[i] >> 4];
        *out++ = DIGITS[bytes[i] & 15];
    }
    *out = '\0';
}

static int value_of(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

enum err hex_decode(const char *text, size_t text_len, uint8_t *out, size_t len)
{
    if (text_len % 2 != 0 || text_len / 2 != len)
        return ERR_INVALID;
    for (size_t i = 0; i < len; i++) {
        int high = value_of(text[2 * i]), low = value_of(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return ERR_INVALID;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return ERR_OK;
}

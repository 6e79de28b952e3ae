#include "api/percent.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum err percent_decode(const char *text, size_t len, enum percent_place place, char *out,
                        size_t room)
{
    size_t used = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            int high = len - i > 2 ? hex_value(text[i + 1]) : -1;
            int low = len - i > 2 ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return ERR_INVALID;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && place == PERCENT_QUERY) {
            c = ' ';
        }
        if (c == 0)
            return ERR_INVALID;
        if (used + 1 >= room)
            return ERR_LIMIT;
        out[used++] = c;
    }
    out[used] = 0;
    return ERR_OK;
}

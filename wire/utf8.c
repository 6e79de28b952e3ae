#include "wire/utf8.h"

/* What may follow a first byte: the table of RFC 3629, section 4. */
struct shape {
    uint8_t first_from, first_to;
    uint8_t second_from, second_to;
    uint8_t len;
};

static const struct shape SHAPES[] = {
    { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
    { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
    { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static const struct shape *shape_of(uint8_t first)
{
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++)
        if (first >= SHAPES[i].first_from && first <= SHAPES[i].first_to)
            return &SHAPES[i];
    return NULL;
}

size_t utf8_length(const uint8_t *at, const uint8_t *end)
{
    if (*at < 0x80)
        return 1;

    const struct shape *shape = shape_of(*at);
    if (!shape || (size_t)(end - at) < shape->len)
        return 0;
    if (at[1] < shape->second_from || at[1] > shape->second_to)
        return 0;
    for (size_t i = 2; i < shape->len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return shape->len;
}

size_t utf8_valid_prefix(const uint8_t *bytes, size_t len)
{
    size_t at = 0;

    while (at < len) {
        size_t step = utf8_length(bytes + at, bytes + len);
        if (step == 0)
            break;
        at += step;
    }
    return at;
}

size_t utf8_encode(uint32_t code_point, uint8_t out[UTF8_CHARACTER_MAX])
{
    if (code_point < 0x80) {
        out[0] = (uint8_t)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (uint8_t)(0xc0 | code_point >> 6);
        out[1] = (uint8_t)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code_point >> 12);
        out[1] = (uint8_t)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code_point & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | code_point >> 18);
    out[1] = (uint8_t)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code_point & 0x3f));
    return 4;
}

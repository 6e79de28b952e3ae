#include "wire/scan.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "core/utf8.h"

/* What must come next. Nesting is a counter and a bit a level, so depth costs no stack.
 *
 *            ┌────────────── ',' in an array ─────────────┐
 *            ▼                                            │
 *   ─► STEP_VALUE ── scalar, or a container's end ──► STEP_NEXT ── depth 0 ──► STEP_END
 *        │   ▲ ▲ │                                        │
 *        │   │ └─┘ '['                                    │
 *     '{'▼   │ ':'                                        │
 *       STEP_NAME ◄───────────── ',' in an object ────────┘ */
enum step { STEP_VALUE, STEP_NAME, STEP_NEXT, STEP_END, STEP_FAULT };

struct scan {
    const uint8_t *at, *end;
    unsigned depth;                                 /* containers that are open */
    unsigned depth_max;                             /* how many may be */
    uint64_t is_object[SCAN_ANSWER_DEPTH_MAX / 64]; /* a bit for each; else it is an array */
    enum scan_type outermost;
    struct scan_member *members;
    size_t member_count;
    struct scan_member *wanted; /* the asked member that is being read */
    const char *why;            /* when STEP_FAULT; the place is `at` */
    const char *repeated;
};

static enum err scan(struct scan *s, enum scan_type *out_type, struct scan_fault *out_fault);
static enum step step_value(struct scan *s);
static enum step step_name(struct scan *s);
static enum step step_next(struct scan *s);

static void forget_members(struct scan_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        members[i].type = SCAN_NONE;
        members[i].at = NULL;
        members[i].len = 0;
    }
}

static struct scan begin(const void *text, size_t len, struct scan_member *members,
                         size_t count, unsigned depth_max)
{
    const uint8_t *at = len > 0 ? text : (const uint8_t *)"";

    return (struct scan){
        .at = at,
        .end = at + len,
        .members = members,
        .member_count = count,
        .depth_max = depth_max,
    };
}

enum err scan_json(const void *text, size_t len, struct scan_member *members, size_t count,
                   enum scan_type *out_type, struct scan_fault *out_fault)
{
    struct scan s = begin(text, len, members, count, SCAN_DEPTH_MAX);

    return scan(&s, out_type, out_fault);
}

enum err scan_answer(const void *text, size_t len, struct scan_member *members, size_t count,
                     enum scan_type *out_type, struct scan_fault *out_fault)
{
    struct scan s = begin(text, len, members, count, SCAN_ANSWER_DEPTH_MAX);

    return scan(&s, out_type, out_fault);
}

static enum err scan(struct scan *s, enum scan_type *out_type, struct scan_fault *out_fault)
{
    const uint8_t *begin = s->at;
    enum step step = STEP_VALUE;

    forget_members(s->members, s->member_count);
    for (;;) {
        switch (step) {
        case STEP_VALUE:
            step = step_value(s);
            break;
        case STEP_NAME:
            step = step_name(s);
            break;
        case STEP_NEXT:
            step = step_next(s);
            break;
        case STEP_END:
            *out_type = s->outermost;
            return ERR_OK;
        case STEP_FAULT:
            forget_members(s->members, s->member_count);
            *out_fault = (struct scan_fault){ .why = s->why,
                                              .offset = (size_t)(s->at - begin),
                                              .member = s->repeated };
            return ERR_INVALID;
        }
    }
}

static enum step fault(struct scan *s, const char *why)
{
    s->why = s->at == s->end ? "the text ends too early" : why;
    return STEP_FAULT;
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static void skip_spaces(struct scan *s)
{
    const uint8_t *at = s->at;

    while (at < s->end && is_space(*at))
        at++;
    s->at = at;
}

/* Mostly there is none. */
static inline void skip_space(struct scan *s)
{
    if (s->at < s->end && *s->at <= ' ')
        skip_spaces(s);
}

static bool next_is(const struct scan *s, uint8_t byte)
{
    return s->at < s->end && *s->at == byte;
}

/* Strings. */

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* The high bit of each zero byte. A borrow may also mark bytes above the first zero one, so
 * only the lowest mark counts. */
static uint64_t zero_bytes(uint64_t word)
{
    return (word - EACH_BYTE(0x01)) & ~word & EACH_BYTE(0x80);
}

/* Pass the bytes of a string that need no look: ASCII but quotes, backslashes and controls,
 * eight at a time. */
static const uint8_t *skip_plain(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        word = le64toh(word);
        uint64_t below_space = (word - EACH_BYTE(0x20)) & ~word & EACH_BYTE(0x80);
        uint64_t special = (word & EACH_BYTE(0x80)) | below_space |
                           zero_bytes(word ^ EACH_BYTE('"')) |
                           zero_bytes(word ^ EACH_BYTE('\\'));
        if (special)
            return at + __builtin_ctzll(special) / 8;
        at += 8;
    }
    while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\')
        at++;
    return at;
}

static int hex_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* The code unit of "\uXXXX" at `at`, or -1. */
static int code_unit(const uint8_t *at, const uint8_t *end)
{
    int unit = 0;

    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_value(at[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static bool is_high_surrogate(int unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(int unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* The bytes of the escape at `at`, a backslash; 0 if it isn't one. */
static size_t escape_length(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 2)
        return 0;
    if (at[1] != 'u')
        return at[1] != 0 && strchr("\"\\/bfnrt", at[1]) ? 2 : 0;

    int unit = code_unit(at, end);
    if (unit < 0 || is_low_surrogate(unit))
        return 0;
    if (!is_high_surrogate(unit))
        return 6;
    return is_low_surrogate(code_unit(at + 6, end)) ? 12 : 0;
}

/* Pass characters outside ASCII; 0 if there is none that is well-formed. */
static size_t wide_length(const uint8_t *begin, const uint8_t *end)
{
    const uint8_t *at = begin;
    size_t step;

    while (at < end && *at >= 0x80 && (step = utf8_length(at, end)) > 0)
        at += step;
    return (size_t)(at - begin);
}

/* From the opening quote to behind the closing one. */
static bool scan_string(struct scan *s, bool *out_escaped)
{
    size_t step;

    *out_escaped = false;
    for (s->at++; (s->at = skip_plain(s->at, s->end)) < s->end; s->at += step) {
        if (*s->at == '"') {
            s->at++;
            return true;
        }
        if (*s->at == '\\') {
            *out_escaped = true;
            step = escape_length(s->at, s->end);
            s->why = "a string has an escape that isn't one";
        } else if (*s->at < 0x20) {
            step = 0;
            s->why = "a string has a control character";
        } else {
            step = wide_length(s->at, s->end);
            s->why = "a string isn't UTF-8";
        }
        if (step == 0)
            return false;
    }
    s->why = "the text ends too early";
    return false;
}

/* Resolve one character or escape of a checked string; `*at` moves behind it. */
static size_t unescape(const uint8_t **at, const uint8_t *end, uint8_t out[UTF8_CHARACTER_MAX])
{
    static const char FROM[] = "bfnrt", TO[] = "\b\f\n\r\t";
    const uint8_t *c = *at;

    if (*c != '\\') {
        *at += 1;
        out[0] = *c;
        return 1;
    }
    *at += escape_length(c, end);
    if (c[1] != 'u') {
        const char *letter = strchr(FROM, c[1]);
        out[0] = letter ? (uint8_t)TO[letter - FROM] : c[1];
        return 1;
    }
    int unit = code_unit(c, end);
    if (is_high_surrogate(unit))
        unit = 0x10000 + ((unit - 0xd800) << 10) + (code_unit(c + 6, end) - 0xdc00);
    return utf8_encode((uint32_t)unit, out);
}

size_t scan_unescape(const uint8_t *at, size_t len, uint8_t *out)
{
    const uint8_t *end = at + len - 1;
    size_t written = 0;

    for (at++; at < end;) {
        uint8_t character[UTF8_CHARACTER_MAX];
        size_t n = unescape(&at, end, character);
        memcpy(out + written, character, n);
        written += n;
    }
    return written;
}

/* Names. */

static bool name_is(const uint8_t *at, const uint8_t *end, bool escaped, const char *name)
{
    size_t len = strlen(name);

    if (!escaped)
        return (size_t)(end - at) == len && memcmp(at, name, len) == 0;
    while (at < end) {
        uint8_t character[UTF8_CHARACTER_MAX];
        size_t n = unescape(&at, end, character);
        if (n > len || memcmp(name, character, n) != 0)
            return false;
        name += n;
        len -= n;
    }
    return len == 0;
}

static struct scan_member *find_member(const struct scan *s, const uint8_t *at,
                                       const uint8_t *end, bool escaped)
{
    for (size_t i = 0; i < s->member_count; i++)
        if (name_is(at, end, escaped, s->members[i].name))
            return &s->members[i];
    return NULL;
}

static enum step step_name(struct scan *s)
{
    bool escaped;

    skip_space(s);
    if (!next_is(s, '"'))
        return fault(s, "a member's name is expected");
    const uint8_t *name = s->at + 1;
    if (!scan_string(s, &escaped))
        return STEP_FAULT;

    if (s->depth == 1) {
        s->wanted = find_member(s, name, s->at - 1, escaped);
        if (s->wanted && s->wanted->type != SCAN_NONE) {
            s->repeated = s->wanted->name;
            s->at = name - 1;
            return fault(s, "a member is given twice");
        }
    }
    skip_space(s);
    if (!next_is(s, ':'))
        return fault(s, "':' is expected");
    s->at++;
    return STEP_VALUE;
}

/* Values. */

static void begin_value(struct scan *s, enum scan_type type)
{
    if (s->depth == 0)
        s->outermost = type;
    if (s->depth == 1 && s->wanted) {
        s->wanted->type = type;
        s->wanted->at = s->at;
    }
}

static bool in_object(const struct scan *s)
{
    unsigned level = s->depth - 1;

    return s->is_object[level / 64] >> level % 64 & 1;
}

static enum step close_container(struct scan *s)
{
    s->at++;
    s->depth--;
    return STEP_NEXT;
}

static enum step open_container(struct scan *s, enum scan_type type)
{
    uint64_t bit = UINT64_C(1) << s->depth % 64;

    if (s->depth == s->depth_max)
        return fault(s, "it is nested too deeply");
    if (type == SCAN_OBJECT)
        s->is_object[s->depth / 64] |= bit;
    else
        s->is_object[s->depth / 64] &= ~bit;
    s->depth++;
    s->at++;
    skip_space(s);
    if (next_is(s, type == SCAN_OBJECT ? '}' : ']'))
        return close_container(s);
    return type == SCAN_OBJECT ? STEP_NAME : STEP_VALUE;
}

static enum step scan_literal(struct scan *s, const char *literal)
{
    for (; *literal; literal++, s->at++)
        if (!next_is(s, (uint8_t)*literal))
            return fault(s, "a value is expected");
    return STEP_NEXT;
}

/* At least one; false if there is none. */
static bool skip_digits(struct scan *s)
{
    const uint8_t *at = s->at;

    while (at < s->end && *at >= '0' && *at <= '9')
        at++;
    bool some = at > s->at;
    s->at = at;
    return some;
}

static enum step scan_number(struct scan *s)
{
    if (next_is(s, '-'))
        s->at++;
    if (next_is(s, '0'))
        s->at++;
    else if (!skip_digits(s))
        return fault(s, "a value is expected");
    if (next_is(s, '.')) {
        s->at++;
        if (!skip_digits(s))
            return fault(s, "a number has no digit after the point");
    }
    if (next_is(s, 'e') || next_is(s, 'E')) {
        s->at++;
        if (next_is(s, '+') || next_is(s, '-'))
            s->at++;
        if (!skip_digits(s))
            return fault(s, "a number has no digit in its exponent");
    }
    return STEP_NEXT;
}

static enum step step_value(struct scan *s)
{
    bool escaped;

    skip_space(s);
    if (s->at == s->end)
        return fault(s, "");
    switch (*s->at) {
    case '{':
        begin_value(s, SCAN_OBJECT);
        return open_container(s, SCAN_OBJECT);
    case '[':
        begin_value(s, SCAN_ARRAY);
        return open_container(s, SCAN_ARRAY);
    case '"':
        begin_value(s, SCAN_STRING);
        return scan_string(s, &escaped) ? STEP_NEXT : STEP_FAULT;
    case 'n':
        begin_value(s, SCAN_NULL);
        return scan_literal(s, "null");
    case 'f':
        begin_value(s, SCAN_FALSE);
        return scan_literal(s, "false");
    case 't':
        begin_value(s, SCAN_TRUE);
        return scan_literal(s, "true");
    default:
        begin_value(s, SCAN_NUMBER);
        return scan_number(s);
    }
}

/* A value has just ended at `at`. */
static enum step step_next(struct scan *s)
{
    if (s->depth == 1 && s->wanted) {
        s->wanted->len = (size_t)(s->at - s->wanted->at);
        s->wanted = NULL;
    }
    skip_space(s);
    if (s->depth == 0)
        return s->at == s->end ? STEP_END : fault(s, "there is more after the end");

    bool object = in_object(s);
    if (next_is(s, ',')) {
        s->at++;
        return object ? STEP_NAME : STEP_VALUE;
    }
    if (next_is(s, object ? '}' : ']'))
        return close_container(s);
    return fault(s, object ? "',' or '}' is expected" : "',' or ']' is expected");
}

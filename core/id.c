#include "core/id.h"

#include <string.h>

#include "core/big_endian.h"
#include "core/random.h"

#define EPOCH_S      UINT64_C(1400000000)
#define TEXT_LEN     27
#define COUNTER_BITS 16
#define HEAD_LEN     8 /* bytes that make the key */
#define WORDS        (ID_BYTES / 4)

/* Digits are taken in groups, the most whose value fits a word: one long division for each. */
#define GROUP_DIGITS 5
#define GROUP_VALUE  916132832u /* 62^5 */

static const char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const char *const PREFIXES[] = {
    [ID_ORGANIZATION] = "org_", [ID_APPLICATION] = "app_", [ID_ENDPOINT] = "ep_",
    [ID_MESSAGE] = "msg_",      [ID_ATTEMPT] = "atmpt_",   [ID_TASK] = "qtask_",
};

/* Time in steps of 4 ms above a counter: one integer that only grows. */
static uint64_t stamp_from_wall(uint64_t wall_ms)
{
    uint64_t epoch_ms = EPOCH_S * 1000;
    uint64_t since = wall_ms > epoch_ms ? wall_ms - epoch_ms : 0;
    uint64_t ticks = (since / 1000) << 8 | (since % 1000) / ID_TICK_MS;

    return ticks << COUNTER_BITS;
}

static uint64_t stamp_from_key(int64_t key)
{
    uint64_t head = (uint64_t)key;

    return (head >> 24) << COUNTER_BITS | (head & 0xffff);
}

void id_source_init(struct id_source *source, uint8_t ordinal, int64_t newest_key)
{
    source->ordinal = ordinal;
    atomic_init(&source->last, stamp_from_key(newest_key));
}

struct id id_new(struct id_source *source, uint64_t wall_ms)
{
    uint64_t fresh = stamp_from_wall(wall_ms);
    uint64_t last = atomic_load_explicit(&source->last, memory_order_relaxed);
    uint64_t next;

    do {
        next = fresh > last ? fresh : last + 1;
    } while (!atomic_compare_exchange_weak_explicit(
        &source->last, &last, next, memory_order_relaxed, memory_order_relaxed));

    uint64_t ticks = next >> COUNTER_BITS;
    uint64_t head = ticks << 24 | (uint64_t)source->ordinal << 16 | (next & 0xffff);
    struct id id;
    big_endian_put(id.bytes, head, HEAD_LEN);
    random_bytes(id.bytes + HEAD_LEN, ID_BYTES - HEAD_LEN);
    return id;
}

/* Divide the number, most significant word first, in place; returns the remainder. */
static uint32_t divide(uint32_t words[WORDS], uint32_t by)
{
    uint64_t rest = 0;

    for (int i = 0; i < WORDS; i++) {
        uint64_t value = rest << 32 | words[i];
        words[i] = (uint32_t)(value / by);
        rest = value % by;
    }
    return (uint32_t)rest;
}

/* `words` * `by` + `add`; false when that doesn't fit. */
static bool multiply(uint32_t words[WORDS], uint32_t by, uint32_t add)
{
    uint64_t carry = add;

    for (int i = WORDS - 1; i >= 0; i--) {
        carry += (uint64_t)words[i] * by;
        words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return carry == 0;
}

void id_format(enum id_kind kind, const struct id *id, char out[ID_TEXT_MAX])
{
    size_t prefix_len = strlen(PREFIXES[kind]);
    uint32_t words[WORDS];
    int at = TEXT_LEN;

    memcpy(out, PREFIXES[kind], prefix_len);
    out += prefix_len;
    out[TEXT_LEN] = '\0';
    for (int i = 0; i < WORDS; i++)
        words[i] = (uint32_t)big_endian_get(id->bytes + 4 * i, 4);

    while (at > 0) {
        uint32_t group = divide(words, GROUP_VALUE);
        for (int i = 0; i < GROUP_DIGITS && at > 0; i++, group /= 62)
            out[--at] = DIGITS[group % 62];
    }
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 36;
    return -1;
}

enum err id_parse(enum id_kind kind, const char *text, struct id *out)
{
    size_t prefix_len = strlen(PREFIXES[kind]);
    uint32_t words[WORDS] = { 0 };

    if (strncmp(text, PREFIXES[kind], prefix_len) != 0)
        return ERR_INVALID;
    text += prefix_len;
    if (strlen(text) != TEXT_LEN)
        return ERR_INVALID;

    for (int at = 0; at < TEXT_LEN;) {
        uint32_t group = 0, value = 1;
        for (int i = 0; i < GROUP_DIGITS && at < TEXT_LEN; i++, value *= 62) {
            int digit = digit_value(text[at++]);
            if (digit < 0)
                return ERR_INVALID;
            group = group * 62 + (uint32_t)digit;
        }
        if (!multiply(words, value, group))
            return ERR_INVALID;
    }
    for (int i = 0; i < ID_BYTES; i++)
        out->bytes[i] = (uint8_t)(words[i / 4] >> (24 - 8 * (i % 4)));
    return ERR_OK;
}

static uint64_t head_of(const struct id *id)
{
    return big_endian_get(id->bytes, HEAD_LEN);
}

int64_t id_key(const struct id *id)
{
    return (int64_t)head_of(id);
}

uint8_t id_ordinal(const struct id *id)
{
    return id->bytes[5];
}

static uint64_t wall_ms_of(uint64_t head)
{
    return (EPOCH_S + (head >> 32)) * 1000 + (head >> 24 & 0xff) * ID_TICK_MS;
}

uint64_t id_wall_ms(const struct id *id)
{
    return wall_ms_of(head_of(id));
}

uint64_t id_key_wall_ms(int64_t key)
{
    return wall_ms_of((uint64_t)key);
}

uint64_t id_instant_ms(const struct id *id, uint64_t wall_ms)
{
    uint64_t id_ms = id_wall_ms(id);

    return wall_ms > id_ms ? wall_ms : id_ms;
}

int64_t id_key_at(uint64_t wall_ms)
{
    uint64_t ticks = stamp_from_wall(wall_ms) >> COUNTER_BITS;

    return ticks <= INT64_MAX >> 24 ? (int64_t)(ticks << 24) : INT64_MAX;
}

int id_compare(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, ID_BYTES);
}

bool id_equal(const struct id *a, const struct id *b)
{
    return id_compare(a, b) == 0;
}

bool id_is_zero(const struct id *id)
{
    static const struct id ZERO = { { 0 } };

    return id_equal(id, &ZERO);
}

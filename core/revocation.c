#include "core/revocation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/hex.h"

#define NAME_OF_ALL "*"

/* Texts. */

static bool take_instant(const char **at, uint64_t *out_ms)
{
    uint64_t value = 0;
    const char *from = *at;

    for (; **at >= '0' && **at <= '9'; ++*at) {
        uint64_t digit = (uint64_t)(**at - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out_ms = value;
    return *at > from && *(*at)++ == ' ';
}

static bool read_rule(const char *text, struct revocation *out)
{
    if (!take_instant(&text, &out->before_ms) || !take_instant(&text, &out->from_ms) ||
        !take_instant(&text, &out->until_ms))
        return false;
    out->is_for_all = strcmp(text, NAME_OF_ALL) == 0;
    return out->is_for_all ||
           hex_decode(text, strlen(text), out->name, REVOCATION_NAME_LEN) == ERR_OK;
}

static void write_rule(const struct revocation *rule, char out[REVOCATION_TEXT_MAX])
{
    char name[HEX_LEN(REVOCATION_NAME_LEN) + 1] = NAME_OF_ALL;

    if (!rule->is_for_all)
        hex_encode(rule->name, REVOCATION_NAME_LEN, name);
    snprintf(out, REVOCATION_TEXT_MAX, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %s",
             rule->before_ms, rule->from_ms, rule->until_ms, name);
}

/* Asking. */

static bool is_same_name(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, REVOCATION_NAME_LEN) == 0;
}

bool revocation_voids(const struct text_list *rules, const struct revocable *token,
                      uint64_t now_ms)
{
    struct revocation rule;

    for (size_t i = 0; i < rules->count; i++)
        if (read_rule(rules->items[i], &rule) && token->minted_at_ms < rule.before_ms &&
            now_ms >= rule.from_ms &&
            (rule.is_for_all || is_same_name(rule.name, token->session) ||
             is_same_name(rule.name, token->id)))
            return true;
    return false;
}

uint64_t revocation_last_ms(const struct text_list *rules)
{
    struct revocation rule;
    uint64_t last_ms = 0;

    for (size_t i = 0; i < rules->count; i++)
        if (read_rule(rules->items[i], &rule) && rule.before_ms > last_ms)
            last_ms = rule.before_ms;
    return last_ms;
}

/* Adding. */

/* Whether all that `rule` voids, now or later, `other` does as well. */
static bool is_covered(const struct revocation *rule, const struct revocation *other,
                       uint64_t now_ms)
{
    bool is_as_soon = other->from_ms <= rule->from_ms || other->from_ms <= now_ms;

    return is_as_soon && other->before_ms >= rule->before_ms &&
           other->until_ms >= rule->until_ms &&
           (other->is_for_all || (!rule->is_for_all && is_same_name(other->name, rule->name)));
}

/* Whether one of the rules from `first` on covers it, or the new one does. */
static bool is_covered_later(const struct text_list *rules, size_t first,
                             const struct revocation *rule, const struct revocation *new,
                             uint64_t now_ms)
{
    struct revocation later;

    for (size_t i = first; i < rules->count; i++)
        if (read_rule(rules->items[i], &later) && is_covered(rule, &later, now_ms))
            return true;
    return is_covered(rule, new, now_ms);
}

/* Those that still say something. What can't be read is kept as it is. */
static struct text_list keep_needed(const struct text_list *rules, const struct revocation *new,
                                    uint64_t now_ms)
{
    struct text_list kept = { 0 };
    struct revocation rule;

    for (size_t i = 0; i < rules->count; i++)
        if (!read_rule(rules->items[i], &rule) ||
            (rule.until_ms > now_ms && !is_covered_later(rules, i + 1, &rule, new, now_ms)))
            text_list_add(&kept, rules->items[i], strlen(rules->items[i]));
    return kept;
}

static bool is_needless(const struct text_list *rules, const struct revocation *new,
                        uint64_t now_ms)
{
    struct revocation rule;

    for (size_t i = 0; i < rules->count; i++)
        if (read_rule(rules->items[i], &rule) && is_covered(new, &rule, now_ms))
            return true;
    return false;
}

enum err revocation_add(struct text_list *rules, const struct revocation *rule, uint64_t now_ms)
{
    struct text_list kept = keep_needed(rules, rule, now_ms);
    char text[REVOCATION_TEXT_MAX];

    text_list_fini(rules);
    *rules = kept;
    if (is_needless(rules, rule, now_ms))
        return ERR_OK;
    if (rules->count >= REVOCATIONS_MAX)
        return ERR_LIMIT;
    write_rule(rule, text);
    text_list_add(rules, text, strlen(text));
    return ERR_OK;
}

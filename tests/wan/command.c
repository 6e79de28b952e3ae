#include "tests/wan/command.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/count.h"
#include "core/hex.h"

#define WORDS_MAX   5
#define NUMBERS_MAX 2

#define MS_MAX      60000
#define PERCENT_MAX 100
#define MBIT_MAX    100000

#define MS_NS     1000000
#define MBIT_BITS 1000000

/* A command, taken apart. */
struct call {
    struct network *network;
    struct path *there, *back;   /* NULL: it names no sites */
    double numbers[NUMBERS_MAX]; /* 0 where not given */
    const char *word;            /* `watch`'s */
    struct buf *reply;
};

struct verb {
    const char *name;
    size_t sites_least, sites_most; /* 0 or 2 */
    size_t numbers_least, numbers_most;
    double most[NUMBERS_MAX]; /* the least is 0 */
    bool takes_word;
    enum err (*run)(const struct call *call);
};

/* What there is to do. */

static void set_delay(struct path *path, double delay_ms, double jitter_ms)
{
    path->delay_ns = (uint64_t)(delay_ms * MS_NS);
    path->jitter_ns = (uint64_t)(jitter_ms * MS_NS);
}

static enum err run_rtt(const struct call *call)
{
    set_delay(call->there, call->numbers[0] / 2, call->numbers[1] / 2);
    set_delay(call->back, call->numbers[0] / 2, call->numbers[1] / 2);
    return ERR_OK;
}

static enum err run_oneway(const struct call *call)
{
    set_delay(call->there, call->numbers[0], call->numbers[1]);
    return ERR_OK;
}

static enum err run_loss(const struct call *call)
{
    call->there->loss = call->back->loss = call->numbers[0] / PERCENT_MAX;
    return ERR_OK;
}

static enum err run_rate(const struct call *call)
{
    call->there->rate_bps = call->back->rate_bps = (uint64_t)(call->numbers[0] * MBIT_BITS);
    return ERR_OK;
}

static enum err run_cut(const struct call *call)
{
    call->there->cut = call->back->cut = true;
    return ERR_OK;
}

static enum err run_cut1(const struct call *call)
{
    call->there->cut = true;
    return ERR_OK;
}

static enum err run_heal(const struct call *call)
{
    struct network *n = call->network;

    if (call->there) {
        path_heal(call->there);
        path_heal(call->back);
        return ERR_OK;
    }
    for (size_t from = 0; from < n->count; from++)
        for (size_t to = 0; to < n->count; to++)
            path_heal(&n->routes[from][to].path);
    return ERR_OK;
}

static enum err run_watch(const struct call *call)
{
    uint8_t pattern[LEAK_PATTERN_LEN_MAX];
    size_t digits = strlen(call->word), len = digits / 2, index;

    if (len > sizeof pattern || hex_decode(call->word, digits, pattern, len) != ERR_OK)
        return ERR_INVALID;
    enum err e = leak_watch(call->network->leak, pattern, len, &index);
    return e ? e : buf_printf(call->reply, "%zu\n", index);
}

static enum err run_forget(const struct call *call)
{
    struct network *n = call->network;

    leak_forget(n->leak);
    for (size_t from = 0; from < n->count; from++)
        for (size_t to = 0; to < n->count; to++)
            memset(n->routes[from][to].hits, 0, sizeof n->routes[from][to].hits);
    return ERR_OK;
}

static enum err show_hits(const struct network *n, size_t from, size_t to, struct buf *reply)
{
    enum err e = ERR_OK;

    for (size_t i = 0; !e && i < LEAK_PATTERNS_MAX; i++) {
        uint64_t count = n->routes[from][to].hits[i];
        if (count > 0)
            e = buf_printf(reply, "%s>%s %zu %llu\n", n->names[from], n->names[to], i,
                           (unsigned long long)count);
    }
    return e;
}

static enum err show_path(const struct network *n, size_t from, size_t to, struct buf *reply)
{
    const struct path *p = &n->routes[from][to].path;

    return buf_printf(reply,
                      "%s>%s delay_us=%llu jitter_us=%llu loss=%.4f rate_mbit=%.3f cut=%d "
                      "packets=%llu bytes=%llu dropped=%llu\n",
                      n->names[from], n->names[to], (unsigned long long)p->delay_ns / 1000,
                      (unsigned long long)p->jitter_ns / 1000, p->loss,
                      (double)p->rate_bps / MBIT_BITS, p->cut, (unsigned long long)p->packets,
                      (unsigned long long)p->bytes, (unsigned long long)p->dropped);
}

static enum err for_each_direction(const struct call *call,
                                   enum err (*show)(const struct network *, size_t, size_t,
                                                    struct buf *))
{
    const struct network *n = call->network;
    enum err e = ERR_OK;

    for (size_t from = 0; from < n->count; from++)
        for (size_t to = 0; !e && to < n->count; to++)
            if (from != to)
                e = show(n, from, to, call->reply);
    return e;
}

static enum err run_hits(const struct call *call)
{
    return for_each_direction(call, show_hits);
}

static enum err run_show(const struct call *call)
{
    return for_each_direction(call, show_path);
}

/* What was said. */

/* clang-format off */
static const struct verb verbs[] = {
    { "rtt",    2, 2, 1, 2, { MS_MAX, MS_MAX }, false, run_rtt },
    { "oneway", 2, 2, 1, 2, { MS_MAX, MS_MAX }, false, run_oneway },
    { "loss",   2, 2, 1, 1, { PERCENT_MAX },    false, run_loss },
    { "rate",   2, 2, 1, 1, { MBIT_MAX },       false, run_rate },
    { "cut",    2, 2, 0, 0, { 0 },              false, run_cut },
    { "cut1",   2, 2, 0, 0, { 0 },              false, run_cut1 },
    { "heal",   0, 2, 0, 0, { 0 },              false, run_heal },
    { "watch",  0, 0, 0, 0, { 0 },              true,  run_watch },
    { "forget", 0, 0, 0, 0, { 0 },              false, run_forget },
    { "hits",   0, 0, 0, 0, { 0 },              false, run_hits },
    { "show",   0, 0, 0, 0, { 0 },              false, run_show },
};
/* clang-format on */

/* Cut `line` into words; how many there are, or WORDS_MAX + 1. */
static size_t split(char *line, const char *words[WORDS_MAX])
{
    size_t count = 0;
    char *rest = NULL;

    for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        if (count == WORDS_MAX)
            return WORDS_MAX + 1;
        words[count++] = word;
    }
    return count;
}

/* "1", "0.25", no sign, no exponent. */
static bool read_number(const char *word, double most, double *out)
{
    char *end;

    if (strspn(word, "0123456789.") != strlen(word))
        return false;
    *out = strtod(word, &end);
    return *end == 0 && end != word && *out <= most;
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

/* NULL, or what is wrong. */
static const char *read_call(const struct verb *verb, const char *const *words, size_t count,
                             struct call *out)
{
    struct network *n = out->network;
    size_t i = 0, from, to;

    if (verb->takes_word) {
        if (count != 1)
            return "expected one word";
        out->word = words[0];
        return NULL;
    }
    if (verb->sites_least > 0 || (count > 0 && verb->sites_most > 0)) {
        if (count < 2)
            return "expected two sites";
        if (network_find(n, words[0], &from) != ERR_OK ||
            network_find(n, words[1], &to) != ERR_OK || from == to)
            return "expected two sites that are joined";
        out->there = &n->routes[from][to].path;
        out->back = &n->routes[to][from].path;
        i = 2;
    }
    if (count - i < verb->numbers_least || count - i > verb->numbers_most)
        return "expected more or fewer numbers";
    for (size_t number = 0; i < count; i++, number++)
        if (!read_number(words[i], verb->most[number], &out->numbers[number]))
            return "expected a number in its range";
    return NULL;
}

enum err command_run(struct network *n, const char *line, struct buf *reply)
{
    char copy[COMMAND_LEN_MAX + 1];
    const char *words[WORDS_MAX];
    struct call call = { .network = n, .reply = reply };
    size_t len = strlen(line);

    if (len > COMMAND_LEN_MAX)
        return buf_append_text(reply, "error: the line is too long\n");
    memcpy(copy, line, len + 1);
    size_t count = split(copy, words);
    if (count > WORDS_MAX)
        return buf_append_text(reply, "error: too many words\n");
    const struct verb *verb = count > 0 ? find_verb(words[0]) : NULL;
    if (!verb)
        return buf_append_text(reply, "error: there is no such command\n");
    const char *why = read_call(verb, words + 1, count - 1, &call);
    if (why)
        return buf_printf(reply, "error: %s: %s\n", verb->name, why);

    enum err e = verb->run(&call);
    if (e)
        return buf_printf(reply, "error: %s: %s\n", verb->name, err_text(e));
    return buf_append_text(reply, "ok\n");
}

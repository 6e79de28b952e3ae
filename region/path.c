#include "region/path.h"

#include <assert.h>
#include <string.h>

#include "core/count.h"
#include "core/hash.h"
#include "core/list.h"
#include "core/mem.h"

#define EWMA_PARTS    5 /* a new sample is one of them */
#define REQUESTS_FULL 1024
#define HOST_LEN_MAX  512 /* bytes; a host name has at most 253 */

/* Of a round trip; rtt_us 0: none yet. */
struct measure {
    uint32_t rtt_us;
    uint64_t at_mono_ms;
};

struct first_byte {
    uint32_t at_mono_s;
    uint32_t us;
};

struct path {
    /* of requests and of probes */
    struct measure delivered, probed;

    struct first_byte samples[PATH_SAMPLES]; /* a ring */
    size_t sample_count, sample_next;
    uint32_t requests, reused;

    unsigned failures; /* in a row */
    bool open;
    uint64_t good_mono_ms;   /* with `open`: all went well since then; 0 = not yet */
    uint64_t failed_mono_ms; /* the last failure */
    uint64_t asked_mono_ms;  /* the last probe; 0 = none yet */

    struct list used; /* link */
    UT_hash_handle hh;
    size_t key_len;
    char key[]; /* the ordinal, then the host */
};

struct paths {
    size_t limit;
    struct path *by_key;
    struct list used; /* least recently first */
};

static const char *const SOURCES[] = {
    "unknown", "bound", "geo", "probe", "delivery", "supposed",
};

static_assert(COUNT(SOURCES) == PATH_SOURCES, "SOURCES follows path_source");

const char *path_source_name(enum path_source source)
{
    return SOURCES[source];
}

/* The table. */

struct paths *paths_new(size_t limit)
{
    struct paths *paths = xcalloc(1, sizeof *paths);

    assert(limit > 0);
    paths->limit = limit;
    list_init(&paths->used);
    return paths;
}

static void forget(struct paths *paths, struct path *path)
{
    HASH_DEL(paths->by_key, path);
    list_remove(&path->used);
    free(path);
}

void paths_free(struct paths *paths)
{
    if (!paths)
        return;
    while (!list_is_empty(&paths->used))
        forget(paths, container_of(paths->used.next, struct path, used));
    free(paths);
}

size_t paths_count(const struct paths *paths)
{
    return HASH_COUNT(paths->by_key);
}

size_t path_host_len(const char *url)
{
    const char *host = strstr(url, "://");

    if (!host)
        return strcspn(url, "/?#");
    host += strlen("://");
    return (size_t)(host - url) + strcspn(host, "/?#");
}

/* How long it is. */
static size_t make_key(uint8_t ordinal, const char *url, char out[1 + HOST_LEN_MAX])
{
    size_t len = path_host_len(url);

    if (len > HOST_LEN_MAX)
        len = HOST_LEN_MAX;
    out[0] = (char)ordinal;
    memcpy(out + 1, url, len);
    return 1 + len;
}

static struct path *find(const struct paths *paths, const char *key, size_t len)
{
    struct path *path;

    HASH_FIND(hh, paths->by_key, key, len, path);
    return path;
}

struct path *paths_find(struct paths *paths, uint8_t ordinal, const char *url)
{
    char key[1 + HOST_LEN_MAX];
    size_t len = make_key(ordinal, url, key);

    return find(paths, key, len);
}

struct path *paths_take(struct paths *paths, uint8_t ordinal, const char *url)
{
    char key[1 + HOST_LEN_MAX];
    size_t len = make_key(ordinal, url, key);
    struct path *path = find(paths, key, len);

    if (path) {
        list_remove(&path->used);
    } else {
        if (paths_count(paths) == paths->limit)
            forget(paths, container_of(paths->used.next, struct path, used));
        path = xcalloc(1, sizeof *path + len);
        path->key_len = len;
        memcpy(path->key, key, len);
        list_init(&path->used);
        HASH_ADD_KEYPTR(hh, paths->by_key, path->key, path->key_len, path);
    }
    list_append(&paths->used, &path->used);
    return path;
}

/* What happens on a way. */

static bool is_recent(uint64_t at_mono_ms, struct now now, uint64_t within_ms)
{
    return now.mono_ms < at_mono_ms || now.mono_ms - at_mono_ms <= within_ms;
}

static void measure(struct measure *m, uint32_t rtt_us, struct now now)
{
    bool is_known = m->rtt_us > 0 && is_recent(m->at_mono_ms, now, PATH_AGE_MS);

    if (rtt_us == 0)
        return;
    if (is_known) {
        uint64_t sum = (uint64_t)m->rtt_us * (EWMA_PARTS - 1) + rtt_us;
        rtt_us = (uint32_t)((sum + EWMA_PARTS / 2) / EWMA_PARTS);
    }
    *m = (struct measure){ .rtt_us = rtt_us, .at_mono_ms = now.mono_ms };
}

static bool is_open(const struct path *path, struct now now)
{
    return path->open && is_recent(path->failed_mono_ms, now, PATH_AGE_MS);
}

static void go_well(struct path *path, struct now now)
{
    path->failures = 0;
    if (!path->open)
        return;
    if (path->good_mono_ms == 0)
        path->good_mono_ms = now.mono_ms;
    if (now.mono_ms - path->good_mono_ms >= PATH_GOOD_MS)
        path->open = false;
}

void path_delivered(struct path *path, const struct path_sample *sample, struct now now)
{
    go_well(path, now);
    measure(&path->delivered, sample->rtt_us, now);
    if (sample->first_byte_us == 0)
        return;
    path->samples[path->sample_next] =
        (struct first_byte){ (uint32_t)(now.mono_ms / 1000), sample->first_byte_us };
    path->sample_next = (path->sample_next + 1) % PATH_SAMPLES;
    if (path->sample_count < PATH_SAMPLES)
        path->sample_count++;
    if (path->requests == REQUESTS_FULL) {
        path->requests /= 2;
        path->reused /= 2;
    }
    path->requests++;
    path->reused += sample->reused;
}

void path_probed(struct path *path, uint32_t rtt_us, struct now now)
{
    go_well(path, now);
    measure(&path->probed, rtt_us, now);
}

bool path_wants_probe(const struct path *path, struct now now)
{
    bool is_known = path_view(path, now).source != PATH_UNKNOWN;
    bool open = is_open(path, now);
    uint64_t apart_ms = open ? PATH_REPROBE_MS : PATH_PROBE_MS;

    return (open || !is_known) &&
           (path->asked_mono_ms == 0 || now.mono_ms - path->asked_mono_ms >= apart_ms);
}

void path_asked(struct path *path, struct now now)
{
    path->asked_mono_ms = now.mono_ms;
}

void path_failed(struct path *path, struct now now)
{
    if (path->open && !is_open(path, now)) {
        path->open = false;
        path->failures = 0;
    }
    if (path->failures < PATH_FAILURES_MAX)
        path->failures++;
    path->failed_mono_ms = now.mono_ms;
    path->good_mono_ms = 0;
    if (path->failures == PATH_FAILURES_MAX)
        path->open = true;
}

bool path_is_failure(enum err err)
{
    return err == ERR_UNAVAILABLE || err == ERR_TIMEOUT;
}

/* What is known. */

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* The lower of the two in the middle, if there are two. */
static void view_first_byte(const struct path *path, struct now now, struct path_view *view)
{
    uint32_t recent[PATH_SAMPLES] = { 0 };
    uint32_t count = 0;

    for (size_t i = 0; i < path->sample_count; i++)
        if (is_recent((uint64_t)path->samples[i].at_mono_s * 1000, now, PATH_SAMPLE_MS))
            recent[count++] = path->samples[i].us;
    if (count == 0)
        return;
    qsort(recent, count, sizeof *recent, compare);
    view->first_byte_us = recent[(count - 1) / 2];
    view->first_byte_count = count;
}

static bool view_rtt(const struct measure *m, enum path_source source, struct now now,
                     struct path_view *view)
{
    if (m->rtt_us == 0 || !is_recent(m->at_mono_ms, now, PATH_AGE_MS))
        return false;
    view->source = source;
    view->rtt_us = m->rtt_us;
    view->age_s =
        now.mono_ms < m->at_mono_ms ? 0 : (uint32_t)((now.mono_ms - m->at_mono_ms) / 1000);
    return true;
}

struct path_view path_view(const struct path *path, struct now now)
{
    struct path_view view = { .source = PATH_UNKNOWN };

    if (!path)
        return view;
    if (!view_rtt(&path->delivered, PATH_DELIVERY, now, &view))
        view_rtt(&path->probed, PATH_PROBE, now, &view);
    view_first_byte(path, now, &view);
    view.requests = path->requests;
    view.reused = path->reused;
    view.open = is_open(path, now);
    if (view.open || is_recent(path->failed_mono_ms, now, PATH_FAILED_MS))
        view.failures = path->failures;
    return view;
}

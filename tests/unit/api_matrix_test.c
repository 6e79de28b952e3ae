/* Who gets in where: every route, as docs/tokens.md and the contract have it, with every kind of
 * token, through the real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/routes.h"
#include "core/count.h"
#include "tests/lib/site.h"

#define API "/api/v1"

/* Who asks. */
enum asker {
    ORGANIZATION, /* the one whose things these are */
    PORTAL,       /* the application's own token */
    VIEWER,       /* the same, which may only look */
    OTHER,        /* another application's of the organization */
    STRANGER,     /* another organization */
    STRANGERS,    /* an application's of that one */
    EXPIRED,      /* the application's own, that is over */
    REVOKED,      /* and that was revoked */
    NOBODY,       /* no token */
    ASKERS,
};

static const char *const ASKER_NAMES[] = {
    "the organization",    "the portal",      "the viewer",
    "another application", "another one",     "its application",
    "an expired token",    "a revoked token", "nobody",
};

/* What each is answered: a row is written out, not made of routes.c. */
struct row {
    const char *method, *path, *body;
    unsigned answers[ASKERS];
};

/* clang-format off */
/*                  organization  portal  viewer  other  stranger  its  expired  revoked  nobody */
#define OPEN(s)   { s,            s,      s,      s,     s,        s,   s,       s,       s   }
/* The organization's. A list or a new thing: another organization has its own. */
#define ITS(s)    { s,            403,    403,    403,   404,      403, 401,     401,     401 }
#define ANY(s)    { s,            403,    403,    403,   s,        403, 401,     401,     401 }
/* PUT makes what isn't there. */
#define MADE(s)   { s,            403,    403,    403,   201,      403, 401,     401,     401 }
/* The operator's, which is the first organization. */
#define OPS(s)    { s,            403,    403,    403,   403,      403, 401,     401,     401 }
/* The application's: all of its tokens, or those that may do more than look. */
#define VIEW(s)   { s,            s,      s,      404,   404,      404, 401,     401,     401 }
#define MANAGE(s) { s,            s,      403,    404,   404,      404, 401,     401,     401 }
/* Event types. */
#define LIST(s)   { s,            s,      s,      s,     s,        s,   401,     401,     401 }
#define TYPE(s)   { s,            s,      s,      s,     404,      404, 401,     401,     401 }

#define SHOP      API "/app/{app}"
#define EP        SHOP "/endpoint/{endpoint}"
#define MSG       SHOP "/msg/{msg}"
#define TOLD      API "/operational-webhook/endpoint"
#define NAME      "{\"name\":\"n\"}"
#define HOOK      "{\"url\":\"http://h/\"}"
#define RECENT    "{\"since\":\"%s\",\"dryRun\":true}" /* an hour ago */

static const struct row rows[] = {
    { "GET",    API "/health",                 NULL, OPEN(204) },
    { "GET",    API "/health/ping",            NULL, OPEN(204) },
    { "GET",    API "/openapi.json",           NULL, OPEN(200) },
    { "GET",    "/docs",                       NULL, OPEN(200) },
    { "GET",    "/docs/{file}",                NULL, OPEN(200) },
    { "GET",    API "/status",                 NULL, ANY(200) },

    { "GET",    API "/regions",                NULL, ANY(200) },
    { "GET",    API "/regions/{region}",       NULL, ITS(404) },
    { "POST",   API "/regions/{region}/drain",   NULL, ITS(404) },
    { "POST",   API "/regions/{region}/undrain", NULL, ITS(404) },
    { "GET",    API "/replication",            NULL, ANY(200) },
    { "GET",    API "/replication/conflicts",  NULL, ANY(200) },
    { "GET",    API "/replication/{region}/digest", NULL, ITS(404) },
    { "POST",   API "/replication/{region}/reseed", NULL, ITS(404) },
    { "GET",    API "/master-key",             NULL, OPS(200) },
    { "POST",   API "/master-key/reload",      NULL, OPS(200) },

    { "POST",   API "/route/explain", "{\"messageId\":\"{msg}\",\"appId\":\"{app}\"}", VIEW(200) },

    { "GET",    API "/app",                    NULL, ANY(200) },
    { "POST",   API "/app",                    NAME, ANY(201) },
    { "GET",    SHOP,                          NULL, VIEW(200) },
    { "PUT",    SHOP,                          NAME, MADE(200) },
    { "PATCH",  SHOP,                          NAME, ITS(200) },
    { "DELETE", SHOP,                          NULL, ITS(204) },

    { "GET",    API "/event-type",             NULL, LIST(200) },
    { "POST",   API "/event-type",             NAME, ANY(201) },
    { "POST",   API "/event-type/import/openapi", "{\"spec\":{\"webhooks\":{}}}", ANY(200) },
    { "GET",    API "/event-type/{name}",      NULL, TYPE(200) },
    { "PUT",    API "/event-type/{name}",      "{\"description\":\"\"}", MADE(200) },
    { "PATCH",  API "/event-type/{name}",      "{}", ITS(200) },
    { "DELETE", API "/event-type/{name}",      NULL, ITS(204) },

    { "GET",    SHOP "/endpoint",              NULL, VIEW(200) },
    { "POST",   SHOP "/endpoint",              HOOK, MANAGE(201) },
    { "GET",    EP,                            NULL, VIEW(200) },
    { "PUT",    EP,                            HOOK, MANAGE(200) },
    { "PATCH",  EP,                            "{}", MANAGE(200) },
    { "DELETE", EP,                            NULL, MANAGE(204) },
    { "GET",    EP "/stats",                   NULL, VIEW(200) },
    { "GET",    EP "/secret",                  NULL, MANAGE(200) },
    { "POST",   EP "/secret/rotate",           "{}", MANAGE(204) },
    { "GET",    EP "/headers",                 NULL, VIEW(200) },
    { "PUT",    EP "/headers",                 "{\"headers\":{}}", MANAGE(204) },
    { "PATCH",  EP "/headers",                 "{\"headers\":{}}", MANAGE(204) },
    { "GET",    EP "/msg",                     NULL, VIEW(200) },
    { "POST",   EP "/recover",                 RECENT, MANAGE(202) },
    { "POST",   EP "/replay-missing",          RECENT, MANAGE(202) },
    { "POST",   EP "/bulk-replay",             RECENT, MANAGE(202) },
    { "POST",   EP "/send-example",            "{\"eventType\":\"svix.ping\"}", ITS(200) },

    { "GET",    TOLD,                          NULL, ANY(200) },
    { "POST",   TOLD,                          HOOK, ANY(201) },
    { "GET",    TOLD "/{operational}",         NULL, ITS(200) },
    { "PUT",    TOLD "/{operational}",         HOOK, MADE(200) },
    { "PATCH",  TOLD "/{operational}",         "{}", ITS(200) },
    { "DELETE", TOLD "/{operational}",         NULL, ITS(204) },
    { "GET",    TOLD "/{operational}/secret",  NULL, ITS(200) },
    { "POST",   TOLD "/{operational}/secret/rotate", "{}", ITS(204) },
    { "GET",    TOLD "/{operational}/headers", NULL, ITS(200) },
    { "PUT",    TOLD "/{operational}/headers", "{\"headers\":{}}", ITS(204) },

    { "GET",    SHOP "/msg",                   NULL, VIEW(200) },
    { "POST",   SHOP "/msg",                   "{\"eventType\":\"x\",\"payload\":{}}", ITS(202) },
    { "POST",   SHOP "/msg/precheck/active",   "{\"eventType\":\"x\"}", ITS(200) },
    { "GET",    MSG,                           NULL, VIEW(200) },
    { "GET",    MSG "/endpoint",               NULL, VIEW(200) },
    { "GET",    MSG "/attempt/{attempt}",      NULL, VIEW(200) },
    { "GET",    SHOP "/attempt/msg/{msg}",     NULL, VIEW(200) },
    { "GET",    SHOP "/attempt/endpoint/{endpoint}", NULL, VIEW(200) },
    { "POST",   MSG "/endpoint/{endpoint}/resend",   NULL, MANAGE(202) },
    { "POST",   SHOP "/msg/expunge-all-contents", NULL, ITS(202) },
    { "POST",   SHOP "/msg/bulk-expunge",      "{\"ids\":[\"{msg}\"]}", ITS(200) },
    { "DELETE", MSG "/content",                NULL, ITS(204) },
    { "DELETE", MSG "/attempt/{attempt}/content",    NULL, ITS(204) },

    { "POST",   API "/stats/usage/app",         RECENT, ANY(202) },
    { "PUT",    API "/stats/usage/event-types", NULL, ANY(202) },
    { "GET",    API "/background-task",        NULL, ANY(200) },
    { "GET",    API "/background-task/{task}", NULL, ITS(200) },

    { "POST",   API "/auth/app-portal-access/{app}", NULL, ITS(200) },
    { "POST",   API "/auth/dashboard-access/{app}",  NULL, ITS(200) },
    { "POST",   API "/auth/app/{app}/expire-all",    NULL, ITS(204) },
    /* Each its own, but the organization. */
    { "POST",   API "/auth/logout",            NULL, { 403, 204, 204, 204, 403, 204, 401, 401, 401 } },
};
/* clang-format on */

/* One set of things, and another of the same kinds that is somebody else's. */
struct things {
    char app[ID_TEXT_MAX], endpoint[ID_TEXT_MAX], msg[ID_TEXT_MAX], attempt[ID_TEXT_MAX],
        task[ID_TEXT_MAX], operational[ID_TEXT_MAX];
    const char *app_uid, *endpoint_uid, *event_id;
};

static struct site site;
static struct things own, foreign;
static char tokens[ASKERS][TOKEN_TEXT_MAX];
static char hour_ago[CLOCK_TEXT_MAX];

static void make_things(const char *shop, const char *hook, const char *event,
                        struct things *out)
{
    char path[128], body[128];

    out->app_uid = shop;
    out->endpoint_uid = hook;
    out->event_id = event;
    snprintf(body, sizeof body, "{\"name\":\"n\",\"uid\":\"%s\"}", shop);
    site_make(&site, API "/app", body, out->app);
    snprintf(path, sizeof path, API "/app/%s/endpoint", shop);
    snprintf(body, sizeof body, "{\"url\":\"http://h\",\"uid\":\"%s\"}", hook);
    site_make(&site, path, body, out->endpoint);
    snprintf(path, sizeof path, API "/app/%s/msg", shop);
    snprintf(body, sizeof body, "{\"eventType\":\"x\",\"eventId\":\"%s\",\"payload\":{}}",
             event);
    site_make(&site, path, body, out->msg);
    site_record(&site, out->app, out->msg, out->endpoint, 200, out->attempt);
    snprintf(path, sizeof path, API "/app/%s/endpoint/%s/bulk-replay", shop, hook);
    snprintf(body, sizeof body, RECENT, hour_ago);
    site_make(&site, path, body, out->task);
    site_make(&site, TOLD, "{\"url\":\"http://told\"}", out->operational);
}

static void take_portal_token(const char *by, const char *application, const char *body,
                              char out[TOKEN_TEXT_MAX])
{
    char path[128];

    snprintf(path, sizeof path, API "/auth/app-portal-access/%s", application);
    struct answer a = site_ask_as(&site, by, NULL, "POST", body, path);
    assert_int_equal(a.status, 200);
    snprintf(out, TOKEN_TEXT_MAX, "%s", answer_text(&a, "token"));
    answer_fini(&a);
}

static void make_expired(char out[TOKEN_TEXT_MAX])
{
    static const struct id organization = { { 0 } };
    uint64_t now_ms = clock_now().wall_ms;
    struct id id;

    assert_int_equal(id_parse(ID_APPLICATION, own.app, &id), ERR_OK);
    struct token token = token_for_application(&organization, &id, now_ms - 3600 * 1000);
    token.expires_at_s = now_ms / 1000 - 1;
    token_mint(site.keyring, &token, out);
}

static void make_tokens(void)
{
    memcpy(tokens[ORGANIZATION], site.token, TOKEN_TEXT_MAX);
    site_token(&site, 1, tokens[STRANGER]);
    take_portal_token(site.token, "shop", NULL, tokens[REVOKED]);
    assert_int_equal(site_status(&site, "POST", NULL, API "/auth/app/shop/expire-all"), 204);
    take_portal_token(site.token, "shop", NULL, tokens[PORTAL]);
    take_portal_token(site.token, "shop", "{\"readOnly\":true}", tokens[VIEWER]);
    take_portal_token(site.token, "other", NULL, tokens[OTHER]);
    take_portal_token(tokens[STRANGER], "theirs",
                      "{\"application\":{\"name\":\"n\",\"uid\":\"theirs\"}}",
                      tokens[STRANGERS]);
    make_expired(tokens[EXPIRED]);
}

static void open_scene(void)
{
    clock_format(clock_now().wall_ms - 3600 * 1000, hour_ago);
    site_open(&site);
    make_things("shop", "main", "paid", &own);
    make_things("other", "side", "sent", &foreign);
    assert_int_equal(
        site_status(&site, "PUT", "{\"description\":\"\"}", API "/event-type/order.paid"), 201);
    make_tokens();
}

static const char *token_of(enum asker asker)
{
    return asker == NOBODY ? NULL : tokens[asker];
}

/* A part in braces and what stands for it. */
struct part {
    const char *name, *id, *uid;
};

#define PARTS 9

static void list_parts(const struct things *t, struct part out[PARTS])
{
    const struct part parts[PARTS] = {
        { "{app}", t->app, t->app_uid },
        { "{endpoint}", t->endpoint, t->endpoint_uid },
        { "{msg}", t->msg, t->event_id },
        { "{attempt}", t->attempt, t->attempt },
        { "{task}", t->task, t->task },
        { "{operational}", t->operational, t->operational },
        { "{name}", "order.paid", "order.paid" },
        { "{region}", "fra", "fra" },
        { "{file}", "docs.css", "docs.css" },
    };
    memcpy(out, parts, sizeof parts);
}

/* `text` with things by id or uid, and the time that it has room for. */
static void fill(const char *text, const struct part parts[PARTS], bool by_uid, char *out,
                 size_t room)
{
    size_t len = 0;

    for (const char *at = text; *at;) {
        const char *with = at;
        size_t with_len = 1, skip = 1;
        for (size_t i = 0; i < PARTS; i++)
            if (strncmp(at, parts[i].name, strlen(parts[i].name)) == 0) {
                with = by_uid ? parts[i].uid : parts[i].id;
                with_len = strlen(with);
                skip = strlen(parts[i].name);
            }
        if (strncmp(at, "%s", 2) == 0) {
            with = hour_ago;
            with_len = strlen(with);
            skip = 2;
        }
        assert_true(len + with_len < room);
        memcpy(out + len, with, with_len);
        len += with_len;
        at += skip;
    }
    out[len] = '\0';
}

static unsigned try_row(const struct row *row, enum asker asker, const struct part parts[PARTS],
                        bool by_uid)
{
    char path[512], body[512] = "";

    fill(row->path, parts, by_uid, path, sizeof path);
    if (row->body)
        fill(row->body, parts, by_uid, body, sizeof body);
    struct answer a =
        site_ask_as(&site, token_of(asker), NULL, row->method, row->body ? body : NULL, path);
    unsigned status = a.status;
    if (status >= 400 && (!a.json || !answer_at(&a, "detail")))
        fail_msg("%s %s: %u without a JSON error: %s", row->method, path, status, a.body);
    answer_fini(&a);
    return status;
}

static bool changes(const struct row *row)
{
    return strcmp(row->method, "GET") != 0;
}

static void each_asker_is_answered_as_the_table_says(void **state)
{
    struct part parts[PARTS];
    (void)state;

    open_scene();
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int asker = 0; asker < ASKERS; asker++) {
            list_parts(&own, parts);
            unsigned got = try_row(&rows[i], (enum asker)asker, parts, i % 2);
            if (got != rows[i].answers[asker])
                fail_msg("%s %s: %s: want %u, got %u", rows[i].method, rows[i].path,
                         ASKER_NAMES[asker], rows[i].answers[asker], got);
            /* What one has changed, the next is to find as it was. */
            if (changes(&rows[i]) && got < 300) {
                site_close(&site);
                open_scene();
            }
        }
    site_close(&site);
}

static void every_route_is_in_the_table_once(void **state)
{
    (void)state;

    for (size_t r = 0; r < route_count; r++) {
        size_t found = 0;
        for (size_t i = 0; i < COUNT(rows); i++)
            found += strcmp(rows[i].method, routes[r].method) == 0 &&
                     strcmp(rows[i].path, routes[r].path) == 0;
        if (found != 1)
            fail_msg("%s %s: who may ask? It is in the table of this test %zu times",
                     routes[r].method, routes[r].path, found);
    }
    assert_int_equal(COUNT(rows), route_count);
}

/* What a PUT names it makes, and leaves the other's as it is. */
static bool makes(const struct row *row, const char *part)
{
    return strcmp(row->method, "PUT") == 0 && strstr(row->path, part) &&
           strcmp(strstr(row->path, part), part) == 0;
}

/* In each part but the first the foreign thing, by id and by uid, with a token that is good. */
static void what_is_of_another_application_is_not_found(void **state)
{
    static const char *const names[] = { "{endpoint}", "{msg}", "{attempt}" };
    struct part parts[PARTS], others[PARTS];
    (void)state;

    open_scene();
    list_parts(&foreign, others);
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t n = 0; n < COUNT(names); n++) {
            if (!strstr(rows[i].path, names[n]) || strstr(rows[i].path, "/explain"))
                continue;
            list_parts(&own, parts);
            for (size_t p = 0; p < PARTS; p++)
                if (strcmp(parts[p].name, names[n]) == 0)
                    parts[p] = others[p];
            for (int by_uid = 0; by_uid < 2; by_uid++)
                for (int asker = ORGANIZATION; asker <= PORTAL; asker++) {
                    unsigned want = makes(&rows[i], names[n]) ? 201 : 404;
                    if (rows[i].answers[asker] == 403)
                        want = 403;
                    if (want == 201 && by_uid)
                        continue; /* it has no uid of its own, so it is made anew each time */
                    unsigned got = try_row(&rows[i], (enum asker)asker, parts, by_uid);
                    if (got != want)
                        fail_msg("%s %s: another's %s: want %u, got %u", rows[i].method,
                                 rows[i].path, names[n], want, got);
                }
        }
    struct answer a = site_ask(&site, "GET", NULL, API "/app/other/endpoint/side");
    assert_int_equal(a.status, 200);
    answer_has_text(&a, "url", "http://h/");
    answer_fini(&a);
    site_close(&site);
}

/* The order of checks: query, token, application, body, and then what else the path names. */
static void the_first_thing_that_is_wrong_is_what_is_said(void **state)
{
    static const struct {
        enum asker asker;
        const char *method, *path, *body;
        unsigned status;
    } cases[] = {
        { NOBODY, "GET", API "/app?limit=x", NULL, 422 },
        { NOBODY, "GET", API "/app?limit=0", NULL, 422 },
        { REVOKED, "GET", API "/app/none/endpoint?limit=x", NULL, 422 },
        { NOBODY, "GET", API "/app/none", NULL, 401 },
        { NOBODY, "POST", API "/app/none/endpoint", "{", 401 },
        { PORTAL, "POST", API "/app/none/msg", "{", 403 },
        { PORTAL, "POST", API "/app/none/endpoint", "{", 404 },
        { ORGANIZATION, "POST", API "/app/none/endpoint", "{", 404 },
        { ORGANIZATION, "POST", API "/app/none/endpoint", "{\"url\":7}", 404 },
        { ORGANIZATION, "PATCH", API "/app/none", "{", 404 },
        { ORGANIZATION, "POST", API "/app/none/msg", "{", 404 },
        { ORGANIZATION, "POST", API "/auth/app/none/expire-all", "{", 404 },
        { ORGANIZATION, "POST", API "/auth/app-portal-access/none", "{", 404 },
        { ORGANIZATION, "PATCH", API "/app/shop/endpoint/none", "{", 422 },
        { ORGANIZATION, "PATCH", API "/app/shop/endpoint/none", "{\"url\":7}", 422 },
        { ORGANIZATION, "PATCH", API "/app/shop/endpoint/none", "{}", 404 },
        { ORGANIZATION, "PUT", API "/app/shop/endpoint/none/headers", "{", 422 },
        { ORGANIZATION, "PUT", API "/app/shop/endpoint/none/headers", "{\"headers\":7}", 422 },
        { ORGANIZATION, "PATCH", API "/app/shop/endpoint/none/headers", "{\"headers\":7}",
          422 },
        { ORGANIZATION, "POST", API "/app/shop/endpoint/none/secret/rotate", "{\"key\":7}",
          422 },
        { ORGANIZATION, "POST", API "/app/shop/endpoint/none/recover", "{\"since\":7}", 422 },
        { ORGANIZATION, "POST", API "/app/shop/endpoint/none/send-example", "{}", 422 },
        { ORGANIZATION, "PATCH", API "/event-type/none", "{\"archived\":7}", 422 },
        { ORGANIZATION, "PATCH", API "/event-type/none", "{}", 404 },
    };
    (void)state;

    open_scene();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct answer a = site_ask_as(&site, token_of(cases[i].asker), NULL, cases[i].method,
                                      cases[i].body, cases[i].path);
        if (a.status != cases[i].status)
            fail_msg("%s %s %s: want %u, got %u", cases[i].method, cases[i].path,
                     cases[i].body ? cases[i].body : "", cases[i].status, a.status);
        answer_fini(&a);
    }
    site_close(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_in_the_table_once),
        cmocka_unit_test(each_asker_is_answered_as_the_table_says),
        cmocka_unit_test(what_is_of_another_application_is_not_found),
        cmocka_unit_test(the_first_thing_that_is_wrong_is_what_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

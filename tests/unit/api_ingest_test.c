/* Where requests go when there are several regions, through the real server and store; the way to
 * other regions is a fake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/misdirected.h"
#include "api/routes.h"
#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/ask.h"
#include "tests/lib/carrier.h"
#include "tests/lib/regions.h"
#include "tests/lib/site.h"

#define API     "/api/v1"
#define MESSAGE "{\"eventType\":\"x\",\"payload\":{\"canary\":1}}"

static struct site site;
static struct carrier carrier;

/* In tests: eu is fra and dub, us is iad. */
static void open_in(const char *region)
{
    carrier_open(&carrier);
    site_open_among(&site, regions_five(region), &carrier.elsewhere, false);
}

static void open_for_peers(const char *region)
{
    carrier_open(&carrier);
    site_open_among(&site, regions_five(region), &carrier.elsewhere, true);
}

static void close_all(void)
{
    site_close(&site);
    carrier_close(&carrier);
}

/* An id as the region makes it, one after the other. */
static struct id id_of(const char *region)
{
    static struct id_source sources[REGION_ORDINAL_MAX + 1];
    struct id_source *source = &sources[topology_by_name(site.topology, region)->ordinal];

    source->ordinal = topology_by_name(site.topology, region)->ordinal;
    return id_new(source, clock_now().wall_ms);
}

/* An application that another region has made; its id is written to `out`. */
static void put_application(const char *uid, const char *home, enum residency_mode mode,
                            enum residency_failover failover, char out[ID_TEXT_MAX])
{
    static uint64_t made;
    const struct region *region = topology_by_name(site.topology, home);
    struct application *a = application_new();

    a->base.id = id_of(home);
    a->base.version = 1;
    a->uid = xstrdup(uid);
    a->name = xstrdup(uid);
    a->residency = (struct residency){
        .jurisdiction = xstrdup(region->jurisdictions.items[0]),
        .home = region->ordinal,
        .home_epoch = 1,
        .mode = mode,
        .failover = failover,
    };
    id_format(ID_APPLICATION, &a->base.id, out);
    site_adopt(&site, region->ordinal, ++made, &a->base);
}

static void make_id(enum id_kind kind, const char *region, char out[ID_TEXT_MAX])
{
    struct id id = id_of(region);

    id_format(kind, &id, out);
}

static void assert_header(const struct answer *a, const char *name, const char *want)
{
    const char *value = answer_header(a, name);

    if (!value || strncmp(value, want, strlen(want)) != 0 || value[strlen(want)] != '\r')
        fail_msg("%s: want %s, got %.40s", name, want, value ? value : "none");
}

/* Residency in and out. */

static void a_new_application_lives_where_it_is_made(void **state)
{
    (void)state;
    open_in("fra");
    ASK(201, "POST", "{\"name\":\"n\",\"uid\":\"shop\"}", API "/app");
    answer_has_text(&a, "residency/jurisdiction", "eu");
    answer_has_text(&a, "residency/home", "fra");
    answer_has_text(&a, "residency/mode", "at_rest");
    answer_has_text(&a, "residency/failover", "none");
    assert_header(&a, "Posthaste-Region", "fra");
    assert_header(&a, "Posthaste-Home-Region", "fra");
    assert_header(&a, "Posthaste-Route-Reason", "this is its home");
    answer_fini(&a);
    a = site_ask(&site, "GET", NULL, API "/app/shop");
    assert_header(&a, "Posthaste-Route-Reason", "this is its home");
    answer_fini(&a);
    assert_int_equal(carrier.errands, 0);
    close_all();
}

static void a_region_alone_knows_no_residency(void **state)
{
    (void)state;
    site_open(&site);
    ASK(201, "POST", "{\"name\":\"n\",\"residency\":{\"home\":\"mars\"}}", API "/app");
    assert_null(answer_at(&a, "residency"));
    assert_null(answer_header(&a, "Posthaste-Region"));
    assert_null(answer_header(&a, "Posthaste-Home-Region"));
    assert_null(answer_header(&a, "Posthaste-Route-Reason"));
    answer_fini(&a);
    site_close(&site);
}

static void a_residency_against_the_rules_is_422_with_field_and_rule(void **state)
{
    static const struct {
        const char *residency, *field, *msg;
    } rows[] = {
        { "{\"home\":\"iad\",\"jurisdiction\":\"eu\"}", "home",
          "must be in its jurisdiction: iad isn't a region of eu" },
        { "{\"home\":\"lhr\"}", "home", "no region is called \"lhr\"" },
        { "{\"jurisdiction\":\"mars\"}", "jurisdiction",
          "no region is of the jurisdiction \"mars\"" },
        { "{\"mode\":\"local\"}", "mode", "expected at_rest, processing or transit" },
        { "{\"failover\":\"any\"}", "failover", "expected none or jurisdiction" },
        { "{\"home\":1}", "home", "a string is expected" },
    };

    (void)state;
    open_in("fra");
    for (size_t i = 0; i < COUNT(rows); i++) {
        char body[256];
        snprintf(body, sizeof body, "{\"name\":\"n\",\"residency\":%s}", rows[i].residency);
        ASK(422, "POST", body, API "/app");
        answer_has_text(&a, "detail/0/loc/0", "body");
        answer_has_text(&a, "detail/0/loc/1", "residency");
        answer_has_text(&a, "detail/0/loc/2", rows[i].field);
        answer_has_text(&a, "detail/0/msg", rows[i].msg);
        answer_fini(&a);
    }
    close_all();
}

static void an_application_keeps_its_place_and_may_change_its_mode(void **state)
{
    static const struct {
        const char *method, *body;
        int status;
        const char *mode, *failover; /* afterwards */
    } rows[] = {
        { "PATCH", "{\"residency\":{\"mode\":\"transit\"}}", 200, "transit", "none" },
        { "PATCH", "{\"residency\":{\"home\":\"dub\"}}", 422, "transit", "none" },
        { "PATCH", "{\"residency\":{\"jurisdiction\":\"us\"}}", 422, "transit", "none" },
        { "PUT", "{\"name\":\"m\",\"uid\":\"shop\"}", 200, "transit", "none" },
        { "PUT",
          "{\"name\":\"m\",\"uid\":\"shop\",\"residency\":{\"failover\":\"jurisdiction\"}}",
          200, "transit", "jurisdiction" },
        { "PATCH", "{\"residency\":null}", 200, "transit", "jurisdiction" },
    };

    (void)state;
    open_in("fra");
    assert_int_equal(
        site_status(&site, "POST", "{\"name\":\"n\",\"uid\":\"shop\"}", API "/app"), 201);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(site_status(&site, rows[i].method, rows[i].body, API "/app/shop"),
                         rows[i].status);
        ASK(200, "GET", NULL, API "/app/shop");
        answer_has_text(&a, "residency/home", "fra");
        answer_has_text(&a, "residency/mode", rows[i].mode);
        answer_has_text(&a, "residency/failover", rows[i].failover);
        answer_fini(&a);
    }
    close_all();
}

/* Carrying. */

static void a_request_is_carried_to_its_home_with_all_that_matters(void **state)
{
    static const char *const headers[] = { "Posthaste-Region: fra",
                                           "Posthaste-Home-Region: fra",
                                           "Posthaste-Route-Reason: this is its home",
                                           "Retry-After: 7", NULL };
    char id[ID_TEXT_MAX];

    (void)state;
    open_in("iad");
    put_application("shop", "fra", RESIDENCY_AT_REST, FAILOVER_NONE, id);
    carrier.status = 202;
    carrier.reply = "{\"id\":\"msg_of_fra\"}";
    carrier.headers = headers;
    struct answer a =
        site_ask_as(&site, site.token,
                    "Idempotency-Key: k1\r\nContent-Type: application/json\r\n"
                    "Svix-Req-Id: 5",
                    "POST", MESSAGE, API "/app/shop/msg?with_content=false&x=%20");
    assert_int_equal(a.status, 202);
    answer_has_text(&a, "id", "msg_of_fra");
    assert_header(&a, "Posthaste-Region", "fra");
    assert_header(&a, "Posthaste-Home-Region", "fra");
    assert_header(&a, "Posthaste-Route-Reason", "carried to its home");
    assert_header(&a, "Retry-After", "7");
    answer_fini(&a);

    assert_int_equal(carrier.errands, 1);
    assert_int_equal(carrier.region, 1);
    assert_string_equal(carrier.method, "POST");
    assert_string_equal(carrier.path, API "/app/shop/msg");
    assert_string_equal(carrier.query, "with_content=false&x=%20");
    assert_string_equal(carrier.body, MESSAGE);
    assert_string_equal(carrier_header(&carrier, "Idempotency-Key"), "k1");
    assert_string_equal(carrier_header(&carrier, "Content-Type"), "application/json");
    assert_string_equal(carrier_header(&carrier, "Posthaste-Hops"), "1");
    assert_non_null(strstr(carrier_header(&carrier, "Authorization"), site.token));
    assert_null(carrier_header(&carrier, "Svix-Req-Id"));
    close_all();
}

static void what_only_the_home_has_is_asked_there_and_replicas_are_read_here(void **state)
{
    static const struct {
        const char *method, *path; /* behind the application */
        bool here;
    } rows[] = {
        { "GET", "", true },
        { "HEAD", "", true },
        { "GET", "/endpoint", true },
        { "GET", "/endpoint/none", true },
        { "PATCH", "", false },
        { "DELETE", "", false },
        { "POST", "/endpoint", false },
        { "PUT", "/endpoint/e", false },
        { "GET", "/endpoint/e/secret", false },
        { "GET", "/endpoint/e/headers", false },
        { "POST", "/endpoint/e/secret/rotate", false },
        { "GET", "/msg", false },
        { "POST", "/msg", false },
        { "GET", "/msg/m", false },
        { "GET", "/attempt/msg/m", false },
        { "GET", "/attempt/endpoint/e", false },
        { "GET", "/msg/m/attempt/a", false },
        { "GET", "/msg/m/endpoint", false },
        { "GET", "/endpoint/e/msg", false },
        { "GET", "/endpoint/e/stats", false },
        { "DELETE", "/msg/m/content", false },
        { "DELETE", "/msg/m/attempt/a/content", false },
        { "POST", "/msg/precheck/active", false },
        { "POST", "/msg/bulk-expunge", false },
        { "POST", "/msg/expunge-all-contents", false },
        { "POST", "/endpoint/e/send-example", false },
    };
    char id[ID_TEXT_MAX];

    (void)state;
    open_in("iad");
    put_application("shop", "fra", RESIDENCY_AT_REST, FAILOVER_NONE, id);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char path[128];
        unsigned before = carrier.errands;
        snprintf(path, sizeof path, API "/app/shop%s", rows[i].path);
        struct answer a = site_ask_as(&site, site.token, NULL, rows[i].method,
                                      rows[i].method[0] == 'P' ? "{}" : NULL, path);
        if ((carrier.errands == before) != rows[i].here)
            fail_msg("%s %s: %u", rows[i].method, path, a.status);
        answer_fini(&a);
    }
    close_all();
}

static void a_reader_may_ask_for_the_home_s_own_view(void **state)
{
    char id[ID_TEXT_MAX];

    (void)state;
    open_in("iad");
    put_application("shop", "fra", RESIDENCY_AT_REST, FAILOVER_NONE, id);
    struct answer a = site_ask_as(&site, site.token, "Posthaste-Consistency: home", "GET", NULL,
                                  API "/app/shop");
    assert_int_equal(a.status, 200);
    answer_has_text(&a, "from", "elsewhere");
    assert_string_equal(carrier_header(&carrier, "Posthaste-Consistency"), "home");
    answer_fini(&a);
    close_all();
}

static void event_types_are_changed_in_the_directory_s_region(void **state)
{
    (void)state;
    open_in("iad");
    assert_int_equal(site_status(&site, "PUT", "{\"description\":\"\"}", API "/event-type/a"),
                     200);
    assert_int_equal(carrier.region, 1);
    assert_int_equal(carrier.errands, 1);
    assert_int_equal(site_status(&site, "GET", NULL, API "/event-type"), 200);
    assert_int_equal(carrier.errands, 1);
    close_all();

    open_in("fra");
    assert_int_equal(site_status(&site, "PUT", "{\"description\":\"\"}", API "/event-type/a"),
                     201);
    assert_int_equal(carrier.errands, 0);
    close_all();
}

static void a_new_application_is_carried_to_the_home_it_wishes(void **state)
{
    static const char body[] = "{\"name\":\"n\",\"residency\":{\"home\":\"fra\","
                               "\"mode\":\"processing\"}}";

    (void)state;
    open_in("iad");
    carrier.status = 201;
    ASK(201, "POST", body, API "/app?get_if_exists=true");
    assert_header(&a, "Posthaste-Route-Reason", "carried to its home");
    answer_fini(&a);
    assert_int_equal(carrier.region, 1);
    assert_string_equal(carrier.body, body);
    assert_string_equal(carrier.query, "get_if_exists=true");
    assert_int_equal(site_status(&site, "PUT", body, API "/app/none"), 201);
    assert_int_equal(carrier.errands, 2);

    struct answer list = site_ask(&site, "GET", NULL, API "/app");
    answer_has_count(&list, "data", 0);
    answer_fini(&list);
    close_all();
}

/* Its replica here is enough to say that the name is taken. */
static void a_name_that_is_taken_elsewhere_is_taken(void **state)
{
    char id[ID_TEXT_MAX];

    (void)state;
    open_in("iad");
    put_application("shop", "fra", RESIDENCY_AT_REST, FAILOVER_NONE, id);
    assert_int_equal(
        site_status(&site, "POST", "{\"name\":\"n\",\"uid\":\"shop\"}", API "/app"), 409);
    ASK(200, "POST", "{\"name\":\"n\",\"uid\":\"shop\"}", API "/app?get_if_exists=true");
    answer_has_text(&a, "id", id);
    answer_has_text(&a, "residency/home", "fra");
    answer_fini(&a);
    assert_int_equal(carrier.errands, 0);
    close_all();
}

static void a_message_may_bring_its_application_to_another_home(void **state)
{
    static const struct {
        const char *mode;
        int status;
        bool carried;
    } rows[] = { { "at_rest", 202, true },
                 { "processing", 307, false },
                 { "transit", 421, false } };

    (void)state;
    open_in("iad");
    carrier.status = 202;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char body[512];
        snprintf(body, sizeof body,
                 "{\"eventType\":\"x\",\"payload\":{},\"application\":{\"name\":\"n\","
                 "\"uid\":\"new\",\"residency\":{\"home\":\"fra\",\"mode\":\"%s\"}}}",
                 rows[i].mode);
        unsigned before = carrier.errands;
        ASK(rows[i].status, "POST", body, API "/app/new/msg");
        answer_fini(&a);
        assert_int_equal(carrier.errands - before, rows[i].carried);
    }
    ASK(422, "POST",
        "{\"eventType\":\"x\",\"payload\":{},\"application\":{\"name\":\"n\",\"uid\":\"new\","
        "\"residency\":{\"home\":\"lhr\"}}}",
        API "/app/new/msg");
    answer_has_text(&a, "detail/0/loc/1", "application");
    answer_has_text(&a, "detail/0/loc/3", "home");
    answer_fini(&a);
    close_all();
}

/* I7: what changes an application's things is never a matter of which region was asked. */
static void no_route_of_an_application_forgets_its_home(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *route = &routes[i];
        bool reads = strcmp(route->method, "GET") == 0;
        if (!strstr(route->path, "{app}"))
            continue;
        if (route->ingest == INGEST_HERE || route->ingest == INGEST_DIRECTORY ||
            route->ingest == INGEST_REGION || (!reads && route->ingest == INGEST_REPLICA))
            fail_msg("%s %s", route->method, route->path);
    }
}

/* Not carrying. */

/* Announces a body and sends none of it. */
static struct answer ask_without_body(const char *path)
{
    char request[TOKEN_TEXT_MAX + 512];
    struct client client;

    snprintf(request, sizeof request,
             "POST %s HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n"
             "Content-Length: 100000\r\nExpect: 100-continue\r\n\r\n",
             path, site.token);
    client_open(&client, &site.loop.uv, api_port(site.api));
    client_say(&client, request);
    struct answer a = answer_take(client_answer(&client));
    client_close(&client);
    return a;
}

static void what_may_not_be_read_here_is_sent_to_its_home_before_its_body_is_read(void **state)
{
    char id[ID_TEXT_MAX];

    (void)state;
    open_in("iad");
    put_application("shop", "fra", RESIDENCY_PROCESSING, FAILOVER_NONE, id);
    struct answer a = ask_without_body(API "/app/shop/msg?with_content=false");
    assert_int_equal(a.status, 307);
    assert_header(&a, "Location", "http://fra.test" API "/app/shop/msg?with_content=false");
    assert_header(&a, "Posthaste-Region", "iad");
    assert_header(&a, "Posthaste-Home-Region", "fra");
    answer_has_text(&a, "code", "urn:posthaste:residency-redirect");
    answer_fini(&a);
    assert_int_equal(carrier.errands, 0);
    close_all();
}

static void what_may_not_pass_here_is_refused_and_told_its_home(void **state)
{
    char id[ID_TEXT_MAX];

    (void)state;
    open_in("iad");
    put_application("shop", "fra", RESIDENCY_TRANSIT, FAILOVER_NONE, id);
    struct answer a = ask_without_body(API "/app/shop/msg");
    assert_int_equal(a.status, 421);
    answer_has_text(&a, "code", "urn:posthaste:residency-refused");
    answer_has_text(&a, "detail",
                    "may not pass outside its jurisdiction; ask its region: fra, "
                    "http://fra.test");
    assert_null(answer_header(&a, "Location"));
    answer_fini(&a);
    close_all();
}

static void the_status_counts_what_came_to_the_wrong_region(void **state)
{
    char shop[ID_TEXT_MAX], other[ID_TEXT_MAX], unknown[ID_TEXT_MAX], path[128];

    (void)state;
    open_in("iad");
    put_application("shop", "fra", RESIDENCY_PROCESSING, FAILOVER_NONE, shop);
    put_application("other", "fra", RESIDENCY_TRANSIT, FAILOVER_NONE, other);
    make_id(ID_APPLICATION, "fra", unknown);
    assert_int_equal(site_status(&site, "POST", MESSAGE, API "/app/shop/msg"), 307);
    assert_int_equal(site_status(&site, "POST", MESSAGE, API "/app/shop/msg"), 307);
    assert_int_equal(site_status(&site, "POST", MESSAGE, API "/app/other/msg"), 421);
    snprintf(path, sizeof path, API "/app/%s/msg", unknown);
    assert_int_equal(site_status(&site, "POST", MESSAGE, "%s", path), 307);

    ASK(200, "GET", NULL, API "/status");
    answer_has_count(&a, "misdirected", 3);
    answer_has_text(&a, "misdirected/0/appId", shop);
    answer_has_text(&a, "misdirected/0/appUid", "shop");
    answer_has_number(&a, "misdirected/0/requests", 2);
    answer_has_text(&a, "misdirected/1/appId", other);
    answer_has_number(&a, "misdirected/1/requests", 1);
    answer_has_type(&a, "misdirected/2/appId", SCAN_NULL);
    answer_fini(&a);

    char token[TOKEN_TEXT_MAX];
    site_token(&site, 1, token);
    a = site_ask_as(&site, token, NULL, "GET", NULL, API "/status");
    answer_has_count(&a, "misdirected", 0);
    answer_fini(&a);
    close_all();
}

static void a_request_is_carried_once_and_no_more(void **state)
{
    char id[ID_TEXT_MAX];

    (void)state;
    open_in("iad");
    put_application("shop", "fra", RESIDENCY_AT_REST, FAILOVER_NONE, id);
    struct answer a = site_ask_as(&site, site.token, "Posthaste-Hops: 1", "POST", MESSAGE,
                                  API "/app/shop/msg");
    assert_int_equal(a.status, 508);
    answer_has_text(&a, "code", "urn:posthaste:loop");
    answer_fini(&a);
    close_all();

    open_for_peers("iad");
    put_application("shop", "fra", RESIDENCY_AT_REST, FAILOVER_NONE, id);
    assert_int_equal(site_status(&site, "POST", MESSAGE, API "/app/shop/msg"), 508);
    assert_int_equal(site_status(&site, "PUT", "{\"description\":\"\"}", API "/event-type/a"),
                     508);
    assert_int_equal(site_status(&site, "POST",
                                 "{\"name\":\"n\",\"residency\":{\"home\":\"fra\"}}",
                                 API "/app"),
                     508);
    assert_int_equal(site_status(&site, "POST", "{\"name\":\"n\",\"uid\":\"own\"}", API "/app"),
                     201);
    assert_int_equal(site_status(&site, "POST", MESSAGE, API "/app/own/msg"), 202);
    assert_int_equal(carrier.errands, 0);
    close_all();
}

static void while_the_home_is_down_a_request_is_told_to_come_back(void **state)
{
    static const struct {
        const char *method, *path;
        int status;
    } rows[] = {
        { "POST", "/msg", 503 },
        { "GET", "/msg", 503 },
        { "PATCH", "", 503 },
        { "GET", "", 200 },
    };
    char id[ID_TEXT_MAX];

    (void)state;
    open_in("iad");
    put_application("shop", "fra", RESIDENCY_AT_REST, FAILOVER_NONE, id);
    site_see(&site, "fra", REGION_DEAD);
    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK(rows[i].status, rows[i].method, rows[i].method[0] == 'P' ? MESSAGE : NULL,
            API "/app/shop%s", rows[i].path);
        if (a.status == 503) {
            answer_has_text(&a, "code", "urn:posthaste:residency-hold");
            answer_has_text(&a, "detail", "its home is down");
            assert_header(&a, "Retry-After", "2");
        }
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "PUT", "{\"description\":\"\"}", API "/event-type/a"),
                     503);
    site_see(&site, "fra", REGION_ALIVE);
    assert_int_equal(site_status(&site, "POST", MESSAGE, API "/app/shop/msg"), 200);
    assert_int_equal(carrier.errands, 1);
    close_all();
}

static void
another_region_of_the_jurisdiction_takes_messages_in_if_the_policy_allows(void **state)
{
    char id[ID_TEXT_MAX], message[ID_TEXT_MAX];

    (void)state;
    open_in("dub");
    put_application("shop", "fra", RESIDENCY_TRANSIT, FAILOVER_JURISDICTION, id);
    site_see(&site, "fra", REGION_DEAD);
    site_make(&site, API "/app/shop/msg", MESSAGE, message);
    assert_int_equal(carrier.errands, 0);

    /* It lies there, whoever the home is, and can be read there. */
    site_see(&site, "fra", REGION_ALIVE);
    ASK(200, "GET", NULL, API "/app/shop/msg/%s", message);
    answer_has_text(&a, "id", message);
    answer_fini(&a);
    assert_int_equal(carrier.errands, 0);
    close_all();

    open_in("iad");
    put_application("shop", "fra", RESIDENCY_AT_REST, FAILOVER_JURISDICTION, id);
    site_see(&site, "fra", REGION_DEAD);
    assert_int_equal(site_status(&site, "POST", MESSAGE, API "/app/shop/msg"), 200);
    assert_int_equal(carrier.region, 7);
    make_id(ID_MESSAGE, "dub", message);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/shop/attempt/msg/%s", message),
                     200);
    assert_int_equal(carrier.region, 7);
    make_id(ID_MESSAGE, "iad", message); /* not of the jurisdiction: no message of it */
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/shop/msg/%s", message), 503);
    close_all();
}

/* Its id says who made it. */
static void an_application_that_has_not_arrived_yet_is_asked_for_where_it_was_made(void **state)
{
    char id[ID_TEXT_MAX], own[TOKEN_TEXT_MAX];

    (void)state;
    open_in("fra");
    make_id(ID_APPLICATION, "dub", id);
    assert_int_equal(site_status(&site, "POST", MESSAGE, API "/app/%s/msg", id), 200);
    assert_int_equal(carrier.region, 7);
    make_id(ID_APPLICATION, "iad", id);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/%s", id), 200);
    assert_int_equal(carrier.region, 2);
    assert_int_equal(carrier.errands, 2);
    make_id(ID_APPLICATION, "fra", id);
    assert_int_equal(site_status(&site, "POST", MESSAGE, API "/app/%s/msg", id), 404);

    /* Nor by a name, nor with a token for another application. */
    assert_int_equal(site_status(&site, "POST", MESSAGE, API "/app/nobody/msg"), 404);
    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"shop\"}", id);
    site_application_token(&site, id, own);
    make_id(ID_APPLICATION, "dub", id);
    char path[128];
    snprintf(path, sizeof path, API "/app/%s/msg", id);
    struct answer a = site_ask_as(&site, own, NULL, "GET", NULL, path);
    assert_int_equal(a.status, 404);
    answer_fini(&a);
    assert_int_equal(carrier.errands, 2);
    close_all();
}

static void a_region_is_drained_by_itself(void **state)
{
    (void)state;
    open_in("iad");
    assert_int_equal(site_status(&site, "POST", NULL, API "/regions/sin/drain"), 200);
    assert_int_equal(carrier.region, 3);
    assert_string_equal(carrier.path, API "/regions/sin/drain");
    assert_int_equal(site_status(&site, "POST", NULL, API "/regions/iad/drain"), 200);
    assert_int_equal(site_status(&site, "POST", NULL, API "/regions/none/drain"), 404);
    assert_int_equal(carrier.errands, 1);
    close_all();
}

static void a_background_task_is_asked_for_where_it_runs(void **state)
{
    char id[ID_TEXT_MAX], path[128];
    (void)state;

    open_in("iad");
    make_id(ID_TASK, "sin", id);
    snprintf(path, sizeof path, API "/background-task/%s", id);
    assert_int_equal(site_status(&site, "GET", NULL, "%s", path), 200);
    assert_int_equal(carrier.region, 3);
    assert_string_equal(carrier.path, path);
    make_id(ID_TASK, "iad", id);
    assert_int_equal(site_status(&site, "GET", NULL, API "/background-task/%s", id), 404);
    assert_int_equal(site_status(&site, "GET", NULL, API "/background-task/none"), 404);
    assert_int_equal(carrier.errands, 1);
    close_all();
}

static void on_closed(void *ctx)
{
    *(bool *)ctx = true;
}

/* As the link's does, whose server takes what peers carry. */
static void an_api_may_answer_on_the_server_of_another(void **state)
{
    struct api *guest;
    struct server *server;
    char request[TOKEN_TEXT_MAX + 256], id[ID_TEXT_MAX];
    struct client client;
    bool closed = false;

    (void)state;
    open_in("fra");
    assert_int_equal(api_open(&guest,
                              &(struct api_options){
                                  .loop = &site.loop.uv,
                                  .store = site.store,
                                  .keyring = site.keyring,
                                  .ids = &site.ids,
                                  .topology = site.topology,
                                  .health = &site.health,
                                  .peers = true,
                              }),
                     ERR_OK);
    assert_int_equal(server_open(&server,
                                 &(struct server_options){
                                     .loop = &site.loop.uv,
                                     .address = "127.0.0.1",
                                     .on_headers = api_on_headers,
                                     .on_request = api_on_request,
                                     .on_abandoned = api_on_abandoned,
                                     .ctx = guest,
                                 }),
                     ERR_OK);
    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"own\"}", id);
    put_application("shop", "dub", RESIDENCY_AT_REST, FAILOVER_NONE, id);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(request, sizeof request,
                 "POST %s/msg HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 i == 0 ? API "/app/own" : API "/app/shop", site.token, strlen(MESSAGE),
                 MESSAGE);
        client_open(&client, &site.loop.uv, server_port(server));
        client_say(&client, request);
        struct answer a = answer_take(client_answer(&client));
        assert_int_equal(a.status, i == 0 ? 202 : 508);
        answer_fini(&a);
        client_close(&client);
    }
    server_close(server, 1000, on_closed, &closed);
    while (!closed)
        uv_run(&site.loop.uv, UV_RUN_ONCE);
    closed = false;
    api_close(guest, 1000, on_closed, &closed);
    while (!closed)
        uv_run(&site.loop.uv, UV_RUN_ONCE);
    close_all();
}

/* Misfortune. */

static void an_errand_that_fails_is_503_and_may_be_repeated(void **state)
{
    static const struct {
        enum err err;
        const char *code;
    } rows[] = {
        { ERR_UNAVAILABLE, "urn:posthaste:residency-hold" },
        { ERR_TIMEOUT, "urn:posthaste:residency-hold" },
        { ERR_LIMIT, "urn:posthaste:residency-hold" },
        { ERR_BUSY, "server_busy" },
    };
    char id[ID_TEXT_MAX];

    (void)state;
    open_in("iad");
    put_application("shop", "fra", RESIDENCY_AT_REST, FAILOVER_NONE, id);
    for (size_t i = 0; i < COUNT(rows); i++) {
        carrier.err = rows[i].err;
        ASK(503, "POST", MESSAGE, API "/app/shop/msg");
        answer_has_text(&a, "code", rows[i].code);
        assert_non_null(answer_header(&a, "Retry-After"));
        assert_header(&a, "Posthaste-Region", "iad");
        answer_fini(&a);
    }
    close_all();
}

static void without_a_way_to_others_only_what_is_here_is_answered(void **state)
{
    char id[ID_TEXT_MAX];

    (void)state;
    carrier_open(&carrier);
    site_open_in(&site, regions_five("iad"));
    put_application("shop", "fra", RESIDENCY_AT_REST, FAILOVER_NONE, id);
    assert_int_equal(site_status(&site, "POST", MESSAGE, API "/app/shop/msg"), 503);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/shop"), 200);
    close_all();
}

static void what_a_peer_adds_to_an_answer_is_bounded(void **state)
{
    static char longer[2000];
    const char *headers[40] = {
        "no colon",        "Posthaste-Long: x", longer, "Posthaste-A: b\r\nEvil: 1",
        "Set-Cookie: a=b", "Content-Length: 0", NULL
    };
    char id[ID_TEXT_MAX];

    (void)state;
    snprintf(longer, sizeof longer, "Posthaste-Longer: %01900d", 0);
    for (size_t i = 6; i < 39; i++)
        headers[i] = "Posthaste-More: 1";
    open_in("iad");
    put_application("shop", "fra", RESIDENCY_AT_REST, FAILOVER_NONE, id);
    carrier.headers = headers;
    ASK(200, "GET", NULL, API "/app/shop/msg");
    assert_header(&a, "Posthaste-Long", "x");
    assert_null(answer_header(&a, "Posthaste-Longer"));
    assert_null(answer_header(&a, "Evil"));
    assert_null(answer_header(&a, "Set-Cookie"));
    answer_has_text(&a, "from", "elsewhere");
    answer_fini(&a);
    close_all();
}

static void the_end_waits_for_errands_as_long_as_for_others(void **state)
{
    struct client client;
    char id[ID_TEXT_MAX];

    (void)state;
    open_in("iad");
    put_application("shop", "fra", RESIDENCY_AT_REST, FAILOVER_NONE, id);
    carrier.waits = true;
    site_start(&site, &client, site.token, NULL, "POST", MESSAGE, API "/app/shop/msg");
    while (!carrier.waiting)
        uv_run(&site.loop.uv, UV_RUN_ONCE);
    site_stop(&site);
    assert_int_equal(carrier.canceled, 1);
    struct answer a = answer_take(client_answer(&client));
    assert_int_equal(a.status, 503);
    answer_fini(&a);
    client_close(&client);
    close_all();
}

static void a_client_that_leaves_does_not_end_its_errand(void **state)
{
    struct client client;
    char id[ID_TEXT_MAX];

    (void)state;
    open_in("iad");
    put_application("shop", "fra", RESIDENCY_AT_REST, FAILOVER_NONE, id);
    carrier.waits = true;
    site_start(&site, &client, site.token, NULL, "POST", MESSAGE, API "/app/shop/msg");
    while (!carrier.waiting)
        uv_run(&site.loop.uv, UV_RUN_ONCE);
    client_close(&client);
    carrier_go_on(&carrier);
    carrier.waits = false;
    assert_int_equal(site_status(&site, "POST", MESSAGE, API "/app/shop/msg"), 200);
    assert_int_equal(carrier.errands, 2);
    assert_int_equal(carrier.canceled, 0);
    close_all();
}

static void the_count_of_the_misdirected_is_bounded(void **state)
{
    static struct misdirected m;
    struct id organization = { { 0 } }, application = { { 0 } };

    (void)state;
    for (unsigned i = 0; i < 2 * MISDIRECTED_MAX; i++) {
        application.bytes[0] = 1;
        application.bytes[1] = application.bytes[2] = 0;
        misdirected_add(&m, &organization, &application);
        application.bytes[1] = (uint8_t)(1 + i / 256);
        application.bytes[2] = (uint8_t)i;
        misdirected_add(&m, &organization, &application);
    }
    assert_int_equal(m.count, MISDIRECTED_MAX);
    assert_int_equal(m.items[0].requests, 2 * MISDIRECTED_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_application_lives_where_it_is_made),
        cmocka_unit_test(a_region_alone_knows_no_residency),
        cmocka_unit_test(a_residency_against_the_rules_is_422_with_field_and_rule),
        cmocka_unit_test(an_application_keeps_its_place_and_may_change_its_mode),
        cmocka_unit_test(a_request_is_carried_to_its_home_with_all_that_matters),
        cmocka_unit_test(what_only_the_home_has_is_asked_there_and_replicas_are_read_here),
        cmocka_unit_test(a_reader_may_ask_for_the_home_s_own_view),
        cmocka_unit_test(event_types_are_changed_in_the_directory_s_region),
        cmocka_unit_test(a_new_application_is_carried_to_the_home_it_wishes),
        cmocka_unit_test(a_name_that_is_taken_elsewhere_is_taken),
        cmocka_unit_test(a_message_may_bring_its_application_to_another_home),
        cmocka_unit_test(no_route_of_an_application_forgets_its_home),
        cmocka_unit_test(what_may_not_be_read_here_is_sent_to_its_home_before_its_body_is_read),
        cmocka_unit_test(what_may_not_pass_here_is_refused_and_told_its_home),
        cmocka_unit_test(the_status_counts_what_came_to_the_wrong_region),
        cmocka_unit_test(a_request_is_carried_once_and_no_more),
        cmocka_unit_test(while_the_home_is_down_a_request_is_told_to_come_back),
        cmocka_unit_test(
            another_region_of_the_jurisdiction_takes_messages_in_if_the_policy_allows),
        cmocka_unit_test(
            an_application_that_has_not_arrived_yet_is_asked_for_where_it_was_made),
        cmocka_unit_test(a_region_is_drained_by_itself),
        cmocka_unit_test(a_background_task_is_asked_for_where_it_runs),
        cmocka_unit_test(an_api_may_answer_on_the_server_of_another),
        cmocka_unit_test(an_errand_that_fails_is_503_and_may_be_repeated),
        cmocka_unit_test(without_a_way_to_others_only_what_is_here_is_answered),
        cmocka_unit_test(what_a_peer_adds_to_an_answer_is_bounded),
        cmocka_unit_test(the_end_waits_for_errands_as_long_as_for_others),
        cmocka_unit_test(a_client_that_leaves_does_not_end_its_errand),
        cmocka_unit_test(the_count_of_the_misdirected_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

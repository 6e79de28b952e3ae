/* Bodies of any bytes: no reader misbehaves, what is read keeps the rules, and what comes out of
 * it again is JSON. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/count.h"
#include "core/dispatch.h"
#include "tests/lib/regions.h"
#include "wire/noun_in.h"
#include "wire/noun_out.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_json(struct buf *out, enum err err)
{
    enum scan_type type;
    struct scan_fault fault;

    assert(err == ERR_OK || err == ERR_LIMIT);
    if (err == ERR_OK)
        assert(scan_json(out->bytes, out->len, NULL, 0, &type, &fault) == ERR_OK);
    buf_fini(out);
}

static void check_faults(const struct faults *faults)
{
    struct buf out = BUF_INIT(1u << 20);

    assert(faults->count <= FAULTS_MAX);
    enum err err = faults_write(faults, &out);
    assert_json(&out, err);
}

static void check_message(const uint8_t *data, size_t size)
{
    struct message_in message;
    struct faults faults = { 0 };

    read_message(data, size, &message, &faults);
    check_faults(&faults);
    if (faults.count == 0) {
        assert(name_is_valid(message.event_type, NAME_LEN_MAX));
        assert(!message.event_id || name_is_valid(message.event_id, NAME_LEN_MAX));
        assert(message.channels.count <= 5);
        assert(message.retention_hours >= 1 && message.retention_hours <= PAYLOAD_HOURS_MAX);
        assert(message.payload && message.payload_len <= size);
    }
    message_in_fini(&message);
}

static const struct topology *two_regions(void)
{
    static const char *const regions[] = { "fra 1 eu", "iad 2 us" };
    static struct topology *made;

    if (!made)
        made = regions_topology(regions, COUNT(regions), "fra");
    return made;
}

/* What was read keeps the rules of core/dispatch.h, or breaks one that it names. */
static void check_dispatch(const struct endpoint *endpoint)
{
    const struct dispatch *dispatch = &endpoint->dispatch;
    struct residency residency = { .jurisdiction = (char *)"eu", .home = 1 };
    struct dispatch_fault fault;

    assert(dispatch->targets.count <= DISPATCH_TARGETS_MAX);
    assert(dispatch->regions.count <= REGIONS_MAX);
    if (dispatch_check(two_regions(), &residency, dispatch, &fault) != ERR_OK)
        assert(fault.loc[0] && fault.why[0]);
    if (endpoint->url)
        assert(dispatch_choose(endpoint, "eu", "fra").url);
}

static void check_endpoint(const struct json *body, enum read_mode mode)
{
    struct endpoint *endpoint = endpoint_new();
    struct endpoint_extras extras;
    struct faults faults = { 0 };
    struct buf out = BUF_INIT(1u << 20);
    struct json_writer w;
    struct text_list lines = { 0 };

    read_endpoint(body, mode, endpoint, &extras, &faults);
    check_faults(&faults);
    faults.count = 0;
    read_dispatch(body, mode, endpoint, &faults);
    check_faults(&faults);
    check_dispatch(endpoint);
    json_write_begin(&w, &out);
    json_put_endpoint(&w, endpoint, two_regions());
    assert_json(&out, json_write_end(&w));
    if (extras.headers && faults.count == 0)
        assert(read_header_lines(extras.headers, strlen(extras.headers), &lines) == ERR_OK);
    text_list_fini(&lines);
    endpoint_extras_fini(&extras);
    object_unref(&endpoint->base);
}

static void check_headers(const struct json *body)
{
    struct faults faults = { 0 };
    char *headers;
    struct text_list lines = { 0 };

    read_endpoint_headers(body, READ_PATCH, "{\"X-One\":\"1\"}", &headers, &faults);
    if (headers)
        assert(read_header_lines(headers, strlen(headers), &lines) == ERR_OK);
    text_list_fini(&lines);
    free(headers);
}

static void check_openapi(const struct json *body)
{
    struct openapi_in in;
    struct faults faults = { 0 };
    struct buf out = BUF_INIT(16u << 20);
    struct json_writer w;

    if (read_openapi(body, &in, &faults) == ERR_OK && faults.count == 0) {
        json_write_begin(&w, &out);
        json_open_array(&w);
        for (size_t i = 0; i < in.count; i++)
            json_put_planned_event_type(&w, in.types[i]);
        json_close_array(&w);
        assert_json(&out, json_write_end(&w));
    }
    check_faults(&faults);
    openapi_in_fini(&in);
}

static void check_others(const struct json *body)
{
    struct application *application = application_new();
    struct event_type *type = event_type_new();
    struct residency_wish wish;
    struct rotation_in rotation;
    struct portal_in portal;
    struct expiry_in expiry;
    struct faults faults = { 0 };
    struct buf out = BUF_INIT(4u << 20);

    read_application(body, READ_REPLACE, application, &faults);
    read_event_type(body, READ_PATCH, type, &faults);
    read_residency(body, &wish, &faults);
    read_rotation(body, &rotation, &faults);
    read_portal(body, &portal, &faults);
    read_expiry(body, &expiry, &faults);
    portal_in_fini(&portal);
    expiry_in_fini(&expiry);
    check_faults(&faults);
    enum err err = json_dump(body, true, &out);
    assert_json(&out, err);
    object_unref(&application->base);
    object_unref(&type->base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *body;
    struct scan_fault fault;

    check_message(data, size);
    if (json_parse(data, size, &body, &fault) != ERR_OK) {
        assert(fault.why && fault.offset <= size);
        return 0;
    }
    check_endpoint(body, READ_REPLACE);
    check_endpoint(body, READ_PATCH);
    check_headers(body);
    check_openapi(body);
    check_others(body);
    json_free(body);
    return 0;
}

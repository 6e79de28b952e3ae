#include "cli/wait.h"

#include "cli/form.h"
#include "cli/raw.h"
#include "cli/say.h"
#include "core/clock.h"
#include "wire/courier.h"

#define ATTEMPTS_MAX    250 /* the newest; one page, of the greatest size */
#define ATTEMPTS_QUERY  "limit=250"
#define POLL_FIRST_MS   20
#define POLL_SLOWEST_MS 500

const struct column attempt_columns[] = {
    { "ID", "id" },
    { "MESSAGE", "msgId" },
    { "ENDPOINT", "endpointId" },
    { "STATUS", "statusText" },
    { "ANSWER", "responseStatusCode|response" },
    { "MS", "responseDurationMs" },
    { "REGION", "/region" },
    { "TIME", "timestamp" },
    { "NEXT", "nextAttempt" },
    { "URL", "url" },
    { NULL, NULL },
};

/* Attempts of a page that were chosen; newest first. */
struct chosen {
    size_t count;
    struct raw items[ATTEMPTS_MAX];
};

typedef bool choose(struct raw page, struct chosen *out);

static enum cli_exit wait_until(struct client *client, const struct wait *wait, choose *chooses,
                                bool is_list);
static bool choose_first(struct raw page, struct chosen *out);
static bool choose_last(struct raw page, struct chosen *out);
static enum cli_exit print_chosen(const struct chosen *chosen, enum output_form form,
                                  bool is_list);

enum cli_exit wait_for_first(struct client *client, const struct wait *wait)
{
    return wait_until(client, wait, choose_first, false);
}

enum cli_exit wait_for_first_of(struct client *client, const struct buf *message,
                                const struct wait *wait)
{
    struct buf id = BUF_INIT(URL_LEN_MAX);
    struct wait named = *wait;
    struct raw member = raw_member(raw_of(message), "id");
    enum cli_exit exit;

    if (member.len > 0 && raw_text(member, &id) == ERR_OK) {
        named.message = buf_text(&id);
        exit = wait_for_first(client, &named);
    } else
        exit = client_distrust(client);
    buf_fini(&id);
    return exit;
}

enum cli_exit wait_for_last(struct client *client, const struct wait *wait)
{
    return wait_until(client, wait, choose_last, true);
}

static enum err attempts_path(const struct wait *wait, struct buf *out)
{
    enum err err = buf_append_text(out, "/api/v1/app/");

    if (!err)
        err = form_escape(wait->application, out);
    if (!err)
        err = buf_append_text(out, "/attempt/msg/");
    return err ? err : form_escape(wait->message, out);
}

static enum cli_exit wait_until(struct client *client, const struct wait *wait, choose *chooses,
                                bool is_list)
{
    uint64_t end_ms = clock_now().mono_ms + wait->timeout_s * 1000;
    struct buf path = BUF_INIT(URL_LEN_MAX), answer = { 0 };
    struct client_request request = {
        .method = "GET",
        .query = ATTEMPTS_QUERY,
        .shape = ANSWER_LIST,
    };
    struct chosen chosen = { 0 };
    enum cli_exit exit = attempts_path(wait, &path) == ERR_OK ? CLI_OK : CLI_USAGE;
    uint32_t pause_ms = POLL_FIRST_MS;
    bool found = false;

    request.path = buf_text(&path);
    while (!exit && !found) {
        exit = client_send(client, &request, &answer);
        if (exit) {
            say("%s: its outcome can't be asked for", wait->message);
            break;
        }
        found = chooses(raw_member(raw_of(&answer), "data"), &chosen);
        if (!found && clock_now().mono_ms >= end_ms) {
            say("%s: no outcome within %llu s", wait->message,
                (unsigned long long)wait->timeout_s);
            exit = CLI_FAILED;
        } else if (!found) {
            client_wait(client, pause_ms);
            pause_ms = pause_ms * 2 < POLL_SLOWEST_MS ? pause_ms * 2 : POLL_SLOWEST_MS;
        }
    }
    if (found)
        exit = print_chosen(&chosen, wait->form, is_list);
    buf_fini(&path);
    buf_fini(&answer);
    return exit;
}

static bool choose_first(struct raw page, struct chosen *out)
{
    struct raw items = raw_items(page), item;

    while (raw_next(&items, &item)) {
        out->items[0] = item;
        out->count = 1;
    }
    return out->count > 0;
}

static bool has_endpoint(const struct chosen *chosen, struct raw endpoint)
{
    for (size_t i = 0; i < chosen->count; i++)
        if (raw_equal(raw_member(chosen->items[i], "endpointId"), endpoint))
            return true;
    return false;
}

static bool choose_last(struct raw page, struct chosen *out)
{
    struct raw items = raw_items(page), item;
    bool all_final = true;

    out->count = 0;
    while (out->count < ATTEMPTS_MAX && raw_next(&items, &item)) {
        if (has_endpoint(out, raw_member(item, "endpointId")))
            continue;
        out->items[out->count++] = item;
        struct raw next = raw_member(item, "nextAttempt");
        all_final = all_final && (next.len == 0 || raw_is(next, "null"));
    }
    return out->count > 0 && all_final;
}

static enum cli_exit print_chosen(const struct chosen *chosen, enum output_form form,
                                  bool is_list)
{
    struct output *output = output_open(form, attempt_columns, is_list);
    bool delivered = true;

    for (size_t i = 0; i < chosen->count; i++) {
        output_item(output, chosen->items[i]);
        delivered = delivered && raw_is(raw_member(chosen->items[i], "status"), "0");
    }
    return output_close(output, delivered ? CLI_OK : CLI_FAILED);
}

#include "cli/pages.h"

#include <string.h>

#include "cli/command.h"
#include "cli/form.h"
#include "cli/say.h"
#include "core/clock.h"
#include "wire/courier.h"

/* Behind all there is, whatever the server's clock says. */
#define FUTURE_MS (UINT64_C(24) * 60 * 60 * 1000)

struct pages {
    struct client *client;
    const char *path;
    struct buf base;     /* the query of all pages */
    struct buf query;    /* … of the next one */
    struct buf iterator; /* where that begins */
    struct buf answer;
    bool all, more;
};

static enum err begin(struct pages *pages, const struct line *line, const char *query);
static enum cli_exit ask(struct pages *pages);
static void print_page(const struct pages *pages, struct output *output);
static enum cli_exit go_on(struct pages *pages);
static void say_what_follows(const struct pages *pages);

enum cli_exit pages_print(struct client *client, const struct line *line, const char *path,
                          const char *query, struct output *output)
{
    struct pages pages = {
        .client = client,
        .path = path,
        .base = BUF_INIT(URL_LEN_MAX),
        .query = BUF_INIT(URL_LEN_MAX),
        .iterator = BUF_INIT(URL_LEN_MAX),
    };
    enum cli_exit exit = CLI_OK;

    if (begin(&pages, line, query) != ERR_OK) {
        say("the arguments are too long");
        exit = CLI_USAGE;
    }
    do {
        if (!exit)
            exit = ask(&pages);
        if (exit)
            break;
        print_page(&pages, output);
        exit = go_on(&pages);
    } while (!exit && pages.more && pages.all && output_flush(output));
    if (pages.more && (client_caught(client) || !pages.all))
        say_what_follows(&pages);
    buf_fini(&pages.base);
    buf_fini(&pages.query);
    buf_fini(&pages.iterator);
    buf_fini(&pages.answer);
    return exit;
}

/* Whether the list comes in pages; a short one doesn't. */
static bool has_pages(const struct command *command)
{
    for (size_t i = 0; i < COMMAND_GROUPS_MAX; i++)
        if (command->groups[i] == &page_group)
            return true;
    return false;
}

/* With nothing but an `after` the server begins there. A list of ours begins with the newest. */
static enum err begin_with_newest(struct buf *query)
{
    const char *text = buf_text(query);
    char before[CLOCK_TEXT_MAX];

    if (!strstr(text, "after=") || strstr(text, "before="))
        return ERR_OK;
    clock_format(clock_now().wall_ms + FUTURE_MS, before);
    enum err err = buf_append_text(query, "&before=");
    return err ? err : form_escape(before, query);
}

static enum err write_query(struct pages *pages)
{
    enum err err;

    buf_clear(&pages->query);
    err = buf_append_text(&pages->query, buf_text(&pages->base));
    if (err || pages->iterator.len == 0)
        return err;
    err = buf_append_text(&pages->query, pages->query.len > 0 ? "&iterator=" : "iterator=");
    return err ? err : form_escape(buf_text(&pages->iterator), &pages->query);
}

static enum err begin(struct pages *pages, const struct line *line, const char *query)
{
    bool paged = has_pages(line_command(line));
    const char *iterator = paged ? line_text(line, "iterator") : NULL;
    enum err err = buf_append_text(&pages->base, query);

    if (!err)
        err = begin_with_newest(&pages->base);
    if (!err && iterator)
        err = buf_append_text(&pages->iterator, iterator);
    pages->all = paged && line_has(line, "all");
    if (pages->all)
        client_catch_signals(pages->client);
    return err ? err : write_query(pages);
}

static enum cli_exit ask(struct pages *pages)
{
    return client_send(pages->client,
                       &(struct client_request){
                           .method = "GET",
                           .path = pages->path,
                           .query = buf_text(&pages->query),
                           .shape = ANSWER_LIST,
                       },
                       &pages->answer);
}

static void print_page(const struct pages *pages, struct output *output)
{
    struct raw items = raw_items(raw_member(raw_of(&pages->answer), "data")), item;

    while (raw_next(&items, &item))
        output_item(output, item);
}

/* To the page after the one that was answered. */
static enum cli_exit go_on(struct pages *pages)
{
    struct raw answer = raw_of(&pages->answer);
    struct buf last = BUF_INIT(URL_LEN_MAX);
    enum cli_exit exit = CLI_OK;

    pages->more = raw_is(raw_member(answer, "done"), "false");
    if (!pages->more)
        return CLI_OK;
    if (raw_text(raw_member(answer, "iterator"), &last) != ERR_OK ||
        strcmp(buf_text(&last), buf_text(&pages->iterator)) == 0) {
        say("the server says that more follows, and not where");
        exit = CLI_FAILED;
    }
    buf_fini(&pages->iterator);
    pages->iterator = last;
    if (!exit && write_query(pages) != ERR_OK) {
        say("the request is too long");
        exit = CLI_FAILED;
    }
    return exit;
}

static void say_what_follows(const struct pages *pages)
{
    if (client_caught(pages->client))
        say("interrupted: go on with --all --iterator %s", buf_text(&pages->iterator));
    else
        say("more follow: --iterator %s, or --all", buf_text(&pages->iterator));
}

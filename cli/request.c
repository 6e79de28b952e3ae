#include "cli/request.h"

#include <string.h>

#include "cli/command.h"
#include "cli/form.h"
#include "cli/say.h"
#include "wire/courier.h"

static enum cli_exit run_one(struct client *client, const struct line *line, const char *url,
                             enum output_form form);
static enum cli_exit run_list(struct client *client, const struct line *line, const char *url,
                              enum output_form form);
static enum cli_exit print_pages(struct client *client, const struct line *line,
                                 struct client_request *request, struct output *output);

enum cli_exit request_run(const struct line *line)
{
    return request_run_at(line, line_command(line)->url);
}

enum cli_exit request_run_at(const struct line *line, const char *url)
{
    enum output_form form = OUTPUT_TABLE;
    struct client *client;

    if (line_command(line)->columns && !output_form(line, &form))
        return CLI_USAGE;
    enum cli_exit exit = client_open(line, &client);
    if (exit)
        return exit;
    exit = line_command(line)->is_list ? run_list(client, line, url, form)
                                       : run_one(client, line, url, form);
    client_close(client);
    return exit;
}

static bool build_path(const struct line *line, const char *url, struct buf *path,
                       struct buf *query)
{
    if (form_path(line, url, path) != ERR_OK)
        return false;
    if (form_query(line, query) == ERR_OK)
        return true;
    say("the arguments are too long");
    return false;
}

static enum err build_body(const struct line *line, struct buf *out)
{
    const char *body = line_command(line)->body;

    return body ? buf_append_text(out, body) : form_body(line, out);
}

static enum cli_exit run_one(struct client *client, const struct line *line, const char *url,
                             enum output_form form)
{
    const struct command *command = line_command(line);
    struct buf path = BUF_INIT(URL_LEN_MAX), query = BUF_INIT(URL_LEN_MAX);
    struct buf body = BUF_INIT(FORM_BODY_MAX), answer = { 0 };
    bool has_body =
        strcmp(command->method, "GET") != 0 && strcmp(command->method, "DELETE") != 0;
    enum cli_exit exit = CLI_USAGE;

    if (!build_path(line, url, &path, &query) ||
        (has_body && build_body(line, &body) != ERR_OK))
        goto done;
    exit = client_send(client,
                       &(struct client_request){
                           .method = command->method,
                           .path = buf_text(&path),
                           .query = buf_text(&query),
                           .body = has_body ? &body : NULL,
                       },
                       &answer);
    if (!exit && command->columns)
        exit = request_print(&answer, form, command->columns);

done:
    buf_fini(&path);
    buf_fini(&query);
    buf_fini(&body);
    buf_fini(&answer);
    return exit;
}

enum cli_exit request_print(const struct buf *answer, enum output_form form,
                            const struct column *columns)
{
    struct output *output = output_open(form, columns, false);

    output_item(output, raw_of(answer));
    return output_close(output) ? CLI_OK : CLI_FAILED;
}

static enum cli_exit run_list(struct client *client, const struct line *line, const char *url,
                              enum output_form form)
{
    struct buf path = BUF_INIT(URL_LEN_MAX), query = BUF_INIT(URL_LEN_MAX);
    struct client_request request = { .method = "GET" };
    enum cli_exit exit = CLI_USAGE;

    if (build_path(line, url, &path, &query)) {
        struct output *output = output_open(form, line_command(line)->columns, true);

        request.path = buf_text(&path);
        request.query = buf_text(&query);
        exit = print_pages(client, line, &request, output);
        if (!output_close(output))
            exit = CLI_FAILED;
    }
    buf_fini(&path);
    buf_fini(&query);
    return exit;
}

/* The query of the page after `iterator`. */
static enum err page_query(const char *base, const char *iterator, struct buf *out)
{
    enum err err = ERR_OK;

    buf_clear(out);
    if (base)
        err = buf_append_text(out, base);
    if (!err && iterator && iterator[0])
        err = buf_append_text(out, out->len > 0 ? "&iterator=" : "iterator=");
    if (!err && iterator && iterator[0])
        err = form_escape(iterator, out);
    return err;
}

static void print_page(const struct buf *answer, struct output *output)
{
    struct raw items = raw_items(raw_member(raw_of(answer), "data")), item;

    while (raw_next(&items, &item))
        output_item(output, item);
}

/* Whether the list comes in pages; a short one doesn't. */
static bool has_pages(const struct command *command)
{
    for (size_t i = 0; i < COMMAND_GROUPS_MAX; i++)
        if (command->groups[i] == &page_group)
            return true;
    return false;
}

/* One page, or with --all every one after it too. */
static enum cli_exit print_pages(struct client *client, const struct line *line,
                                 struct client_request *request, struct output *output)
{
    bool paged = has_pages(line_command(line));
    const char *base = request->query, *first = paged ? line_text(line, "iterator") : NULL;
    struct buf query = BUF_INIT(URL_LEN_MAX), iterator = BUF_INIT(URL_LEN_MAX);
    struct buf answer = { 0 };
    enum cli_exit exit = CLI_OK;
    enum err err = page_query(base, first, &query);
    bool more = true;

    while (!exit && !err && more) {
        request->query = buf_text(&query);
        exit = client_send(client, request, &answer);
        if (exit)
            break;
        print_page(&answer, output);
        buf_clear(&iterator);
        err = raw_text(raw_member(raw_of(&answer), "iterator"), &iterator);
        if (!err)
            err = page_query(base, buf_text(&iterator), &query);
        more = raw_is(raw_member(raw_of(&answer), "done"), "false");
        if (more && !(paged && line_has(line, "all"))) {
            say("more follow: --iterator %s, or --all", buf_text(&iterator));
            break;
        }
    }
    if (err) {
        say("the request is too long");
        exit = CLI_FAILED;
    }
    buf_fini(&query);
    buf_fini(&iterator);
    buf_fini(&answer);
    return exit;
}

#include "cli/request.h"

#include <signal.h>
#include <string.h>

#include "cli/command.h"
#include "cli/form.h"
#include "cli/pages.h"
#include "cli/say.h"
#include "wire/courier.h"

static enum cli_exit run_one(struct client *client, const struct line *line, const char *url,
                             enum output_form form);
static enum cli_exit run_list(struct client *client, const struct line *line, const char *url,
                              enum output_form form);

enum cli_exit request_run(const struct line *line)
{
    return request_run_at(line, line_command(line)->url);
}

enum cli_exit request_run_at(const struct line *line, const char *url)
{
    enum output_form form = line_command(line)->columns ? output_form(line) : OUTPUT_TABLE;
    struct client *client;

    enum cli_exit exit = client_open(line, &client);
    if (exit)
        return exit;
    exit = line_command(line)->is_list ? run_list(client, line, url, form)
                                       : run_one(client, line, url, form);
    int caught = client_caught(client);
    client_close(client);
    if (caught)
        raise(caught); /* now that all is told; who started us sees why we end */
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
                           .shape = command->columns ? ANSWER_OBJECT : ANSWER_ANY,
                       },
                       &answer);
    if (!exit && command->columns)
        exit = request_print(client, &answer, form, command->columns);

done:
    buf_fini(&path);
    buf_fini(&query);
    buf_fini(&body);
    buf_fini(&answer);
    return exit;
}

enum cli_exit request_print(const struct client *client, const struct buf *answer,
                            enum output_form form, const struct column *columns)
{
    if (!table_shows(columns, raw_of(answer)))
        return client_distrust(client);
    struct output *output = output_open(form, columns, false);

    output_item(output, raw_of(answer));
    return output_close(output, CLI_OK);
}

static enum cli_exit run_list(struct client *client, const struct line *line, const char *url,
                              enum output_form form)
{
    struct buf path = BUF_INIT(URL_LEN_MAX), query = BUF_INIT(URL_LEN_MAX);
    enum cli_exit exit = CLI_USAGE;

    if (build_path(line, url, &path, &query)) {
        struct output *output = output_open(form, line_command(line)->columns, true);

        exit = pages_print(client, line, buf_text(&path), buf_text(&query), output);
        exit = output_close(output, exit);
    }
    buf_fini(&path);
    buf_fini(&query);
    return exit;
}

/* Command: a row of the table that is the command line: what help prints, what is parsed, what
 * runs. Each noun's file has the rows of its noun; commands.c joins them. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"
#include "cli/line.h"
#include "cli/option.h"
#include "cli/output.h"

#define COMMAND_GROUPS_MAX 4

struct command {
    const char *path; /* "app create": the words that name it */
    /* "DIR", "[TYPE]": positional ones, by word; "CARD...": that one and more; "bash|zsh": one of these
     * words; "" = none */
    const char *arguments;
    const char *summary;
    const char *about;   /* what more help has to say; NULL = nothing */
    const char *example; /* a line for a shell: "posthaste app create --name Shop" */
    /* operations of the contract that it asks for, "getStatus listRegions", unless `method` and
     * `url` say it; NULL = none */
    const char *operations;
    const struct option_group *groups[COMMAND_GROUPS_MAX];
    enum cli_exit (*run)(const struct line *line);
    /* instead of it, for what lives above the command line */
    int (*hand_over)(const struct line *line, const struct cli_programs *programs);

    /* for run = request_run, a command that is one request; see request.h */
    const char *method;
    const char *url;  /* "/api/v1/app/{app}/endpoint/{1}" */
    const char *body; /* JSON; NULL = made of the options */
    bool needs_no_token;
    const struct column *columns; /* of the answer; NULL = none is printed */
    bool is_list;                 /* the answer is a list; a page of one, with page_group */
};

/* Tables, each ended by a row without a path. */
extern const struct command init_commands[];
extern const struct command serve_commands[];
extern const struct command config_commands[];
extern const struct command token_commands[];
extern const struct command key_commands[];
extern const struct command app_commands[];
extern const struct command event_type_commands[];
extern const struct command endpoint_commands[];
extern const struct command example_commands[];
extern const struct command send_commands[];
extern const struct command message_commands[];
extern const struct command attempt_commands[];
extern const struct command replay_commands[];
extern const struct command status_commands[];
extern const struct command region_commands[];
extern const struct command replication_commands[];
extern const struct command route_commands[];
extern const struct command openapi_commands[];
extern const struct command operational_endpoint_commands[];
extern const struct command sign_commands[];
extern const struct command listen_commands[];
extern const struct command lab_commands[];
extern const struct command completion_commands[];
extern const struct command version_commands[];

#endif

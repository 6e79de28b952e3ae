/* Version: which program this is. */
#include <stdio.h>

#include "cli/command.h"

static enum cli_exit run_version(const struct line *line);

static const struct option options[] = {
    LOCAL("json", OPTION_FLAG, NULL, "as JSON"),
    OPTION_END,
};

static const struct option_group option_group = { "Output", options };

const struct command version_commands[] = {
    { .path = "version",
      .arguments = "",
      .summary = "show the program's version",
      .example = "posthaste version --json",
      .groups = { &option_group },
      .run = run_version },
    { .path = NULL },
};

static enum cli_exit run_version(const struct line *line)
{
    if (line_has(line, "json"))
        puts("{\"version\":\"" POSTHASTE_VERSION "\"}");
    else
        puts("posthaste " POSTHASTE_VERSION);
    return CLI_OK;
}

/* Lab: regions on one machine, with the delays between them. What runs them lives elsewhere. */
#include <string.h>

#include "cli/command.h"
#include "cli/lab_order.h"

#define DEFAULT_REGIONS "fra,iad,sin,gru"

static int run_lab(const struct line *line, const struct cli_programs *programs);
static int order_lab(const struct line *line, const struct cli_programs *programs);

static const struct option lab_options[] = {
    LOCAL("regions", OPTION_TEXT, "NAME,NAME,…", "which; " DEFAULT_REGIONS " unless given"),
    LOCAL("tour", OPTION_FLAG, NULL, "show and check what they do, step by step, and end"),
    OPTION_END,
};

static const struct option place_options[] = {
    LOCAL("dir", OPTION_TEXT, "DIR", "where it is; one for each user unless given"),
    OPTION_END,
};

static const struct option_group lab_group = { "Lab", lab_options };
static const struct option_group place_group = { "Place", place_options };

/* The longer paths first: the first that fits is taken. */
const struct command lab_commands[] = {
    { .path = "lab cut",
      .arguments = "REGION",
      .summary = "cut a region of the lab off from the others",
      .example = "posthaste lab cut fra",
      .groups = { &place_group },
      .hand_over = order_lab },
    { .path = "lab heal",
      .arguments = "REGION",
      .summary = "end that",
      .example = "posthaste lab heal fra",
      .groups = { &place_group },
      .hand_over = order_lab },
    { .path = "lab kill",
      .arguments = "REGION",
      .summary = "kill -9 a region of the lab",
      .example = "posthaste lab kill fra",
      .groups = { &place_group },
      .hand_over = order_lab },
    { .path = "lab start",
      .arguments = "REGION",
      .summary = "start it again, and wait until it serves",
      .example = "posthaste lab start fra",
      .groups = { &place_group },
      .hand_over = order_lab },
    { .path = "lab status",
      .arguments = "",
      .summary = "show the regions of the lab that runs",
      .example = "posthaste lab status",
      .groups = { &place_group },
      .hand_over = order_lab },
    { .path = "lab",
      .arguments = "",
      .summary = "run several regions here, with the delays between them, and a tour",
      .example = "posthaste lab --regions fra,iad --tour",
      .groups = { &lab_group, &place_group },
      .hand_over = run_lab },
    { .path = NULL },
};

static int run_lab(const struct line *line, const struct cli_programs *programs)
{
    const char *regions = line_text(line, "regions");

    return programs->lab(&(struct lab_order){
        .dir = line_text(line, "dir"),
        .regions = regions ? regions : DEFAULT_REGIONS,
        .tour = line_has(line, "tour"),
    });
}

static int order_lab(const struct line *line, const struct cli_programs *programs)
{
    return programs->lab(&(struct lab_order){
        .dir = line_text(line, "dir"),
        .verb = strchr(line_command(line)->path, ' ') + 1,
        .region = line_argument(line, 0),
    });
}

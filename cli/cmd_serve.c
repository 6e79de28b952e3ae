/* Serve: the daemon's flags. What they say goes to the configuration as it stands. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/say.h"
#include "cli/where.h"
#include "core/config.h"
#include "core/count.h"

#define FLAGS_MAX 64 /* given at once, repeated ones counted */

static int run_serve(const struct line *line, const struct cli_programs *programs);

static const struct option options[] = {
    LOCAL("listen", OPTION_TEXT, "ADDR:PORT", "where the API listens; port 0 = any"),
    LOCAL("data", OPTION_TEXT, "DIR", "where the outbox is"),
    LOCAL("allow-subnet", OPTION_TEXT, "CIDR",
          "deliver to these addresses although they aren't public; may be repeated"),
    LOCAL("retry-schedule", OPTION_TEXT, "S,S,…", "seconds before each retry"),
    LOCAL("log-format", OPTION_CHOICE, "text|json", "how log lines look"),
    LOCAL("log-level", OPTION_CHOICE, "debug|info|warn|error", "the least to log"),
    OPTION_END,
};

static const struct option_group option_group = { "Settings", options };

const struct command serve_commands[] = {
    { .path = "serve",
      .arguments = "",
      .summary = "run a dispatcher: API, outbox, deliveries",
      .example = "posthaste serve --config region/posthaste.yaml",
      .groups = { &option_group, &config_group },
      .hand_over = run_serve },
    { .path = NULL },
};

struct flags {
    const char *flag; /* whose values are being collected */
    size_t count;
    struct config_flag items[FLAGS_MAX];
};

static void on_value(const char *value, void *ctx)
{
    struct flags *flags = ctx;

    if (flags->count < FLAGS_MAX)
        flags->items[flags->count] = (struct config_flag){ flags->flag, value };
    flags->count++;
}

/* It is told its configuration rather than its command line. */
static int run_serve(const struct line *line, const struct cli_programs *programs)
{
    static const char *const names[] = { "--listen",         "--data",       "--allow-subnet",
                                         "--retry-schedule", "--log-format", "--log-level" };
    struct flags flags = { 0 };

    for (size_t i = 0; i < COUNT(names); i++) {
        flags.flag = names[i];
        line_each(line, names[i] + 2, on_value, &flags);
    }
    if (flags.count > FLAGS_MAX) {
        say("more than %d settings on the command line", FLAGS_MAX);
        return CLI_USAGE;
    }
    if (!where_config(line)) {
        say("--config is missing (see posthaste serve --help)");
        return CLI_USAGE;
    }
    return programs->serve(&(struct config_sources){
        .path = where_config(line),
        .environment = environ,
        .flags = flags.items,
        .flag_count = flags.count,
    });
}

#include "cli/option.h"

#include <stddef.h>

static const struct option server_options[] = {
    LOCAL("url", OPTION_TEXT, "URL", "where the server is (POSTHASTE_URL)"),
    LOCAL("token", OPTION_TEXT, "TOKEN", "what lets us in (POSTHASTE_TOKEN)"),
    LOCAL("token-file", OPTION_TEXT, "FILE", "the same, in a file"),
    LOCAL("config", OPTION_TEXT, "FILE",
          "find the server and make a token by its configuration (POSTHASTE_CONFIG)"),
    OPTION_END,
};

static const struct option config_options[] = {
    LOCAL("config", OPTION_TEXT, "FILE", "the configuration (POSTHASTE_CONFIG)"),
    OPTION_END,
};

static const struct option output_options[] = {
    { .name = "output",
      .letter = 'o',
      .kind = OPTION_CHOICE,
      .arg = "table|json|jsonl",
      .help = "how to print the answer; table unless given" },
    OPTION_END,
};

static const struct option page_options[] = {
    QUERY("limit", OPTION_COUNT, "N", "at most N items, 1 to 250; with --all at once", "limit"),
    LOCAL("iterator", OPTION_TEXT, "ITERATOR", "go on after this item"),
    LOCAL("all", OPTION_FLAG, NULL, "page by page to the end"),
    OPTION_END,
};

const struct option_group server_group = { "Server", server_options };
const struct option_group config_group = { "Configuration", config_options };
const struct option_group output_group = { "Output", output_options };
const struct option_group page_group = { "Page", page_options };

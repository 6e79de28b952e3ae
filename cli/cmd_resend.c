/* Resend: deliveries that are asked for again. */
#include "cli/command.h"
#include "cli/request.h"

static const struct option resend_options[] = {
    LOCAL_APP,
    { .name = "endpoint",
      .kind = OPTION_TEXT,
      .arg = "ENDPOINT",
      .help = "where to",
      .required = true },
    OPTION_END,
};

static const struct option_group resend_group = { "Resend", resend_options };

const struct command resend_commands[] = {
    { .path = "resend",
      .arguments = "MESSAGE",
      .summary = "bring a message to an endpoint once more, whatever came of it",
      .groups = { &resend_group, &server_group },
      .run = request_run,
      .method = "POST",
      .url = "/api/v1/app/{app}/msg/{1}/endpoint/{endpoint}/resend" },
    { .path = NULL },
};

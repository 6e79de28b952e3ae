#include "cli/receiver.h"

#include <stddef.h>

const struct column receiver_secret_columns[] = { { "SECRET", "key" }, { NULL, NULL } };

const struct column receiver_header_columns[] = {
    { "HEADERS", "headers" },
    { "HIDDEN", "sensitive" },
    { NULL, NULL },
};

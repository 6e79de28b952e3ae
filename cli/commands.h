/* Commands: all of them, in the order of help. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

struct command_walk {
    size_t table, row; /* where it is; zeroed: at the start */
};

/* NULL after the last one. */
const struct command *commands_next(struct command_walk *walk);

#endif

/* Line: one command line, parsed by its command's options. The one home of popt.
 *
 * Names of options that the command doesn't have are our mistake, and abort. */
#ifndef CLI_LINE_H
#define CLI_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"

struct command;
struct line;
struct option;

/* Parse what follows the command's name; `argv[0]` is its last word. NULL: everything was said
 * already, help on stdout or what is wrong on stderr, and `*out_exit` is the exit status. The
 * line borrows `argv`. */
struct line *line_parse(const struct command *command, int argc, char **argv,
                        enum cli_exit *out_exit);
void line_free(struct line *line); /* NULL does nothing */

const struct command *line_command(const struct line *line);

/* The `index`-th positional argument, from 0; NULL when there are fewer. */
const char *line_argument(const struct line *line, size_t index);

bool line_has(const struct line *line, const char *option);

/* The option's value, its last one if it was repeated; NULL when it wasn't given. */
const char *line_text(const struct line *line, const char *option);

/* Whether a value of the option unsets its member: an empty one, in a command that updates. */
bool line_unsets(const struct line *line, const struct option *option, const char *value);

/* The value of an OPTION_COUNT, or `otherwise`. */
uint64_t line_count(const struct line *line, const char *option, uint64_t otherwise);

/* Call `visit` with each value of an option, in the order given. */
void line_each(const struct line *line, const char *option,
               void (*visit)(const char *value, void *ctx), void *ctx);

#endif

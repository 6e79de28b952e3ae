/* Pages: a list, asked for and printed page by page.
 *
 * Each page is handed on before the next is asked for, so what is kept is one page. When stdout takes no
 * more, or a signal comes, it ends with what it has printed so far. */
#ifndef CLI_PAGES_H
#define CLI_PAGES_H

#include "cli/client.h"
#include "cli/line.h"
#include "cli/output.h"

/* One page, or with --all every one after it too. Anything but CLI_OK has been said, but that stdout
 * took no more. */
enum cli_exit pages_print(struct client *client, const struct line *line, const char *path,
                          const char *query, struct output *output);

#endif

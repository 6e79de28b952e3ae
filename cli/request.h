/* Request: a command that is one request, or for a list as many as there are pages. */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include "cli/client.h"
#include "cli/line.h"
#include "cli/output.h"

/* Run the command as its row says: the URL, query and body from the line, the answer printed. */
enum cli_exit request_run(const struct line *line);

/* The same at another URL than the row's, in its notation. */
enum cli_exit request_run_at(const struct line *line, const char *url);

/* Print the object that was answered; it must have some of the columns. */
enum cli_exit request_print(const struct client *client, const struct buf *answer,
                            enum output_form form, const struct column *columns);

#endif

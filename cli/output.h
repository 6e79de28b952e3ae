/* Output: a command's answer on stdout: a table, JSON, or a line of JSON for each item.
 *
 * JSON is what the server sent, laid out anew; a list is an array of its items. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/line.h"
#include "cli/table.h"

enum output_form { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_JSONL };

struct output;

/* By --output. */
enum output_form output_form(const struct line *line);

struct output *output_open(enum output_form form, const struct column *columns, bool is_list);

/* One object. Prints it at once, or keeps it for the table. */
void output_item(struct output *output, struct raw item);

/* Print what is kept and hand all of it on. False if stdout refused something: output_close() says
 * so. */
bool output_flush(struct output *output);

/* Print what is left and free it. `exit` is what came of the command so far: an empty list is printed
 * for CLI_OK alone, so that what failed isn't taken for one. CLI_FAILED, and it has been said, if stdout
 * refused something. */
enum cli_exit output_close(struct output *output, enum cli_exit exit);

#endif

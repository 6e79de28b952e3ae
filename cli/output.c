#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/say.h"
#include "core/mem.h"

#define ITEM_LEN_MAX (256u << 20) /* bytes of one object laid out */

struct output {
    enum output_form form;
    bool in_array;
    size_t count;
    int why;             /* stdout took no more: an errno */
    struct table *table; /* of OUTPUT_TABLE */
    struct buf text;     /* scratch */
};

enum output_form output_form(const struct line *line)
{
    const char *name = line_text(line, "output");

    if (name && strcmp(name, "json") == 0)
        return OUTPUT_JSON;
    return name && strcmp(name, "jsonl") == 0 ? OUTPUT_JSONL : OUTPUT_TABLE;
}

struct output *output_open(enum output_form form, const struct column *columns, bool is_list)
{
    struct output *output = xcalloc(1, sizeof *output);

    *output = (struct output){
        .form = form,
        .in_array = form == OUTPUT_JSON && is_list,
        .table = form == OUTPUT_TABLE ? table_new(columns, is_list) : NULL,
        .text = BUF_INIT(ITEM_LEN_MAX),
    };
    return output;
}

void output_item(struct output *output, struct raw item)
{
    if (output->table) {
        table_add(output->table, item);
        return;
    }
    buf_clear(&output->text);
    enum err err = output->form == OUTPUT_JSONL
                       ? raw_compact(item, &output->text)
                       : raw_indent(item, output->in_array ? 1 : 0, &output->text);
    if (err)
        abort();
    if (output->in_array)
        fputs(output->count == 0 ? "[\n  " : ",\n  ", stdout);
    fwrite(output->text.bytes, 1, output->text.len, stdout);
    if (!output->in_array)
        fputc('\n', stdout);
    output->count++;
}

bool output_flush(struct output *output)
{
    if (output->table)
        table_print(output->table);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    if (!output->why)
        output->why = errno;
    return false;
}

enum cli_exit output_close(struct output *output, enum cli_exit exit)
{
    if (output->in_array && output->count > 0)
        fputs("\n]\n", stdout);
    else if (output->in_array && !exit)
        fputs("[]\n", stdout);
    if (!output_flush(output)) {
        say("stdout: %s", strerror(output->why));
        exit = CLI_FAILED;
    }
    table_free(output->table);
    buf_fini(&output->text);
    free(output);
    return exit;
}

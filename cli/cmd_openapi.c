/* Openapi: the contract that this program serves, as a document. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/raw.h"
#include "core/embedded.h"

#define TEXT_MAX (16u << 20) /* bytes, indented */

static enum cli_exit run_openapi(const struct line *line);

const struct command openapi_commands[] = {
    { .path = "openapi",
      .arguments = "",
      .summary = "print the API's contract, an OpenAPI 3.1 document",
      .example = "posthaste openapi",
      .operations = "getOpenapi",
      .run = run_openapi },
    { .path = NULL },
};

static enum cli_exit run_openapi(const struct line *line)
{
    const struct embedded_file *file = embedded_find(embedded_api_docs, "openapi.json");
    const struct raw document = { file->begin, (size_t)(file->end - file->begin) };
    struct buf text = BUF_INIT(TEXT_MAX);
    enum err err = raw_indent(document, 0, &text);

    (void)line;
    if (!err)
        puts(buf_text(&text));
    buf_fini(&text);
    return err ? CLI_FAILED : CLI_OK;
}

/* Completion: what a shell needs to complete our command lines. Its script asks us each time, so it has
 * the commands and options of the program that is there. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/complete.h"
#include "cli/say.h"
#include "core/embedded.h"

#define WORDS_MAX 256
#define TEXT_MAX  (1u << 20) /* bytes of what may stand there */

static enum cli_exit run_words(const struct line *line);
static enum cli_exit run_script(const struct line *line);

const struct command completion_commands[] = {
    { .path = "completion words",
      .arguments = "[WORD...]",
      .summary = "list what the last of these words may become, for the scripts",
      .example = "posthaste completion words -- app list --ord",
      .run = run_words },
    { .path = "completion",
      .arguments = "bash|zsh|fish",
      .summary = "print a script that completes command lines in a shell",
      .about = "For this shell, source what it prints: source <(posthaste completion bash).\n"
               "For all to come, put it where the shell looks for it:\n"
               "  bash  ~/.local/share/bash-completion/completions/posthaste\n"
               "  zsh   _posthaste, in a directory of $fpath\n"
               "  fish  ~/.config/fish/completions/posthaste.fish",
      .example = "posthaste completion bash",
      .run = run_script },
    { .path = NULL },
};

static enum cli_exit run_words(const struct line *line)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    const char *words[WORDS_MAX];
    size_t count = 0;
    enum err err = ERR_LIMIT;

    while (count < WORDS_MAX && line_argument(line, count)) {
        words[count] = line_argument(line, count);
        count++;
    }
    if (count < WORDS_MAX)
        err = complete_words(words, count, &text);
    if (err)
        say("too many words");
    else
        fwrite(text.bytes, 1, text.len, stdout);
    buf_fini(&text);
    return err ? CLI_USAGE : CLI_OK;
}

static enum cli_exit run_script(const struct line *line)
{
    const struct embedded_file *file =
        embedded_find(embedded_cli_completion, line_argument(line, 0));

    fwrite(file->begin, 1, (size_t)(file->end - file->begin), stdout);
    return CLI_OK;
}

#include "cli/line.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <popt.h>

#include "cli/command.h"
#include "cli/instant.h"
#include "cli/say.h"
#include "cli/status.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/utf8.h"

#define OPTIONS_MAX 48 /* of one command, all groups together */
#define NAME_LEN    64
#define HELP_VAL    1 /* what popt calls --help */
#define FIRST_VAL   2 /* … and the first option of the first group */

struct given {
    const struct option *option;
    char *value; /* popt's; NULL for a flag */
};

struct line {
    const struct command *command;
    char name[NAME_LEN]; /* "posthaste app create", for popt */
    char usage[NAME_LEN];
    const char **argv; /* popt keeps it */
    poptContext context;
    struct poptOption groups[COMMAND_GROUPS_MAX + 2];
    struct poptOption rows[OPTIONS_MAX + COMMAND_GROUPS_MAX + 2];
    size_t option_count;
    const struct option *options[OPTIONS_MAX];
    bool help;
    size_t given_count;
    struct given *given;
    size_t argument_count;
    const char **arguments; /* popt's */
};

static void open_context(struct line *line, int argc, char **argv);
static bool read_options(struct line *line);
static bool check_value(const struct line *line, const struct option *option,
                        const char *value);
static bool check_contradictions(const struct line *line);
static bool check_required(const struct line *line);
static bool check_arguments(struct line *line);
static void print_help(const struct line *line);

struct line *line_parse(const struct command *command, int argc, char **argv,
                        enum cli_exit *out_exit)
{
    struct line *line = xcalloc(1, sizeof *line);

    line->command = command;
    open_context(line, argc, argv);

    *out_exit = CLI_USAGE;
    if (!read_options(line))
        goto fail;
    if (line->help) {
        print_help(line);
        *out_exit = CLI_OK;
        goto fail;
    }
    if (!check_arguments(line) || !check_required(line) || !check_contradictions(line))
        goto fail;
    *out_exit = CLI_OK;
    return line;

fail:
    line_free(line);
    return NULL;
}

/* One option of ours as popt's. */
static struct poptOption popt_row(const struct option *option, int val)
{
    bool has_value = option->kind != OPTION_FLAG && option->kind != OPTION_NO;

    return (struct poptOption){
        .longName = option->name,
        .shortName = option->letter,
        .argInfo = has_value ? POPT_ARG_STRING : POPT_ARG_NONE,
        .val = val,
        .descrip = option->help,
        .argDescrip = has_value ? option->arg : NULL,
    };
}

/* popt's tables: one for each group, which help prints under its title. */
static void build_tables(struct line *line)
{
    struct poptOption *group = line->groups;
    struct poptOption *row = line->rows;

    for (size_t i = 0; i < COMMAND_GROUPS_MAX && line->command->groups[i]; i++) {
        const struct option_group *from = line->command->groups[i];

        *group++ = (struct poptOption){
            .argInfo = POPT_ARG_INCLUDE_TABLE,
            .arg = row,
            .descrip = from->title,
        };
        for (const struct option *o = from->options; o->name; o++) {
            assert(line->option_count < OPTIONS_MAX);
            *row++ = popt_row(o, FIRST_VAL + (int)line->option_count);
            line->options[line->option_count++] = o;
        }
        *row++ = (struct poptOption)POPT_TABLEEND;
    }
    *group++ = (struct poptOption){
        .longName = "help",
        .shortName = 'h',
        .val = HELP_VAL,
        .descrip = "show this",
    };
    *group = (struct poptOption)POPT_TABLEEND;
}

static void open_context(struct line *line, int argc, char **argv)
{
    size_t count = (size_t)argc;

    build_tables(line);
    line->given = xcalloc(count + 1, sizeof *line->given);
    line->argv = xcalloc(count + 1, sizeof *line->argv);
    snprintf(line->name, sizeof line->name, "posthaste %s", line->command->path);
    line->argv[0] = line->name;
    for (size_t i = 1; i < count; i++)
        line->argv[i] = argv[i];
    line->context = poptGetContext(NULL, argc, line->argv, line->groups, 0);
    if (!line->context)
        abort();
    snprintf(line->usage, sizeof line->usage, "[OPTION...] %s", line->command->arguments);
    poptSetOtherOptionHelp(line->context, line->usage);
}

void line_free(struct line *line)
{
    if (!line)
        return;
    for (size_t i = 0; i < line->given_count; i++)
        free(line->given[i].value);
    free(line->given);
    poptFreeContext(line->context);
    free(line->argv);
    free(line);
}

/* False after a complaint. */
static bool read_options(struct line *line)
{
    int val;

    while ((val = poptGetNextOpt(line->context)) > 0) {
        if (val == HELP_VAL) {
            line->help = true;
            continue;
        }
        const struct option *option = line->options[val - FIRST_VAL];
        char *value = poptGetOptArg(line->context);

        line->given[line->given_count++] = (struct given){ option, value };
        if (value && !check_value(line, option, value))
            return false;
    }
    if (val < -1) {
        say("%s: %s (see posthaste %s --help)", poptBadOption(line->context, 0),
            poptStrerror(val), line->command->path);
        return false;
    }
    line->arguments = poptGetArgs(line->context);
    while (line->arguments && line->arguments[line->argument_count])
        line->argument_count++;
    return true;
}

static bool is_count(const char *value)
{
    char *end;

    errno = 0;
    strtoull(value, &end, 10);
    return value[0] >= '0' && value[0] <= '9' && *end == '\0' && errno == 0;
}

/* Whether `value` is one of "a|b|c". */
static bool is_choice(const char *words, const char *value)
{
    size_t value_len = strlen(value);

    for (;;) {
        size_t len = strcspn(words, "|");

        if (len == value_len && memcmp(words, value, len) == 0)
            return true;
        if (words[len] == '\0')
            return false;
        words += len + 1;
    }
}

/* A path is whatever bytes it is; all else goes out as JSON or in a URL. `word` is what help calls it. */
static bool is_text(const char *word, const char *value)
{
    size_t len = strlen(value);

    return utf8_valid_prefix((const uint8_t *)value, len) == len || strstr(word, "FILE") ||
           strstr(word, "DIR") || strstr(word, "CARD");
}

static bool check_value(const struct line *line, const struct option *option, const char *value)
{
    const char *wants = NULL;
    const char *equals = strchr(value, '=');
    const char *colon = strchr(value, ':');
    enum attempt_status status;
    uint64_t instant_ms;

    if (!is_text(option->arg, value)) {
        say("--%s: not UTF-8", option->name);
        return false;
    }
    switch (option->kind) {
    case OPTION_COUNT:
        if (!is_count(value))
            wants = "a whole number";
        break;
    case OPTION_PAIR:
        if (!equals || equals == value)
            wants = "NAME=VALUE";
        break;
    case OPTION_HEADER:
        if (!colon || colon == value)
            wants = "'Name: value'";
        break;
    case OPTION_CHOICE:
    case OPTION_CODE:
        if (!is_choice(option->arg, value))
            wants = option->arg;
        break;
    case OPTION_STATUS:
        if (!status_parse(value, &status) ||
            !is_choice(option->arg, attempt_status_text(status)))
            wants = option->arg;
        break;
    case OPTION_TIME:
        if (!instant_parse(value, clock_now().wall_ms, &instant_ms))
            wants = "a time such as 2026-11-24T02:57:36Z, nor so long ago as 2h";
        break;
    case OPTION_FLAG:
    case OPTION_NO:
    case OPTION_TEXT:
    case OPTION_LIST:
    case OPTION_JSON:
        break;
    }
    if (!wants || line_unsets(line, option, value))
        return true;
    say("--%s: '%s' is %s %s", option->name, value, wants == option->arg ? "none of" : "not",
        wants);
    return false;
}

/* Two options that set the same, such as --enable and --disable. */
static bool check_contradictions(const struct line *line)
{
    for (size_t i = 0; i < line->given_count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct option *a = line->given[j].option, *b = line->given[i].option;

            if (a == b || a->place == OPTION_LOCAL || a->place != b->place ||
                strcmp(a->member, b->member) != 0)
                continue;
            say("one of --%s and --%s, not both", a->name, b->name);
            return false;
        }
    return true;
}

static bool check_required(const struct line *line)
{
    for (size_t i = 0; i < line->option_count; i++)
        if (line->options[i]->required && !line_has(line, line->options[i]->name)) {
            say("--%s is missing (see posthaste %s --help)", line->options[i]->name,
                line->command->path);
            return false;
        }
    return true;
}

/* The words of `arguments` say how many there may be; one in brackets may be left out, one with dots
 * behind it may be repeated, and "a|b" is one of these. */
static bool check_arguments(struct line *line)
{
    const char *word = line->command->arguments;
    bool repeats = strstr(word, "...") != NULL;
    size_t words = 0;

    while (*word) {
        size_t len = strcspn(word, " ");
        const char *given = line_argument(line, words++);
        if (!given && *word != '[') {
            say("%.*s is missing (see posthaste %s --help)", (int)len, word,
                line->command->path);
            return false;
        }
        if (given && !is_text(line->command->arguments, given)) {
            say("%.*s: not UTF-8", (int)len, word);
            return false;
        }
        if (given && memchr(word, '|', len) && !is_choice(word, given)) {
            say("'%s' is none of %.*s", given, (int)len, word);
            return false;
        }
        word += len + strspn(word + len, " ");
    }
    if (line->argument_count > words && !repeats) {
        say("'%s' is one argument too many (see posthaste %s --help)", line->arguments[words],
            line->command->path);
        return false;
    }
    return true;
}

static void print_help(const struct line *line)
{
    const struct command *command = line->command;

    printf("posthaste %s: %s\n\n", command->path, command->summary);
    if (command->about)
        printf("%s\n\n", command->about);
    poptPrintHelp(line->context, stdout, 0);
    printf("\nExample:\n  %s\n", command->example);
}

const struct command *line_command(const struct line *line)
{
    return line->command;
}

const char *line_argument(const struct line *line, size_t index)
{
    return index < line->argument_count ? line->arguments[index] : NULL;
}

static const struct option *find_option(const struct line *line, const char *name)
{
    for (size_t i = 0; i < line->option_count; i++)
        if (strcmp(line->options[i]->name, name) == 0)
            return line->options[i];
    abort();
}

static const struct given *find_given(const struct line *line, const char *name)
{
    const struct option *option = find_option(line, name);

    for (size_t i = line->given_count; i > 0; i--)
        if (line->given[i - 1].option == option)
            return &line->given[i - 1];
    return NULL;
}

bool line_has(const struct line *line, const char *option)
{
    return find_given(line, option) != NULL;
}

const char *line_text(const struct line *line, const char *option)
{
    const struct given *given = find_given(line, option);

    return given ? given->value : NULL;
}

bool line_unsets(const struct line *line, const struct option *option, const char *value)
{
    const char *method = line->command->method;

    return value[0] == '\0' && option->place == OPTION_BODY && method &&
           strcmp(method, "PATCH") == 0;
}

uint64_t line_count(const struct line *line, const char *option, uint64_t otherwise)
{
    const char *text = line_text(line, option);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

void line_each(const struct line *line, const char *option,
               void (*visit)(const char *value, void *ctx), void *ctx)
{
    const struct option *wanted = find_option(line, option);

    for (size_t i = 0; i < line->given_count; i++)
        if (line->given[i].option == wanted)
            visit(line->given[i].value, ctx);
}

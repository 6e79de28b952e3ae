#include "cli/complete.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

#define WORD_LEN 64 /* bytes of an option or an argument's name */

/* What stands before the word that is to be completed. */
struct before {
    const char *const *words; /* without "help" */
    size_t count;
    bool is_help;
    const struct command *command; /* NULL: not yet whole */
    size_t named;                  /* words of its name */
    size_t arguments;
    const struct option *open; /* that still wants its value */
};

static struct before read_before(const char *const *words, size_t count);
static enum err put_names(const struct before *before, const char *start, struct buf *out);
static enum err put_argument(const struct before *before, const char *start, struct buf *out);
static enum err put_options(const struct before *before, const char *start, struct buf *out);
static enum err put_values(const struct option *option, const char *kept, const char *start,
                           struct buf *out);

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool takes_value(const struct option *option)
{
    return option->kind != OPTION_FLAG && option->kind != OPTION_NO;
}

/* By its name, with or without "=VALUE", or its letter; NULL if `word` is none of the command's. */
static const struct option *find_option(const struct command *command, const char *word)
{
    bool is_long = begins_with(word, "--");
    size_t len = is_long ? strcspn(word + 2, "=") : 0;

    if (!command || word[0] != '-')
        return NULL;
    for (size_t i = 0; i < COMMAND_GROUPS_MAX && command->groups[i]; i++)
        for (const struct option *o = command->groups[i]->options; o->name; o++)
            if (is_long ? strlen(o->name) == len && memcmp(o->name, word + 2, len) == 0
                        : o->letter && word[1] == o->letter && word[2] == '\0')
                return o;
    return NULL;
}

enum err complete_words(const char *const *words, size_t count, struct buf *out)
{
    const char *start = count > 0 ? words[count - 1] : "";
    struct before before = read_before(words, count > 0 ? count - 1 : 0);
    const struct option *option = find_option(before.command, start);
    const char *equals = strchr(start, '=');
    char kept[WORD_LEN];

    if (before.open)
        return put_values(before.open, "", start, out);
    if (option && equals && takes_value(option)) {
        snprintf(kept, sizeof kept, "--%s=", option->name);
        return put_values(option, kept, equals + 1, out);
    }
    if (start[0] == '-')
        return put_options(&before, start, out);
    enum err err = put_names(&before, start, out);
    return err ? err : put_argument(&before, start, out);
}

/* Whether `words` are the first of `path`; where its next one begins, or NULL. */
static const char *skip_words(const char *path, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strcspn(path, " ");

        if (strlen(words[i]) != len || memcmp(words[i], path, len) != 0)
            return NULL;
        path += len + (path[len] == ' ');
    }
    return path;
}

/* The command with the longest name that is the first of the words. */
static void find_command(struct before *before)
{
    struct command_walk walk = { 0 };
    const struct command *c;

    while ((c = commands_next(&walk)))
        for (size_t named = 1; named <= before->count; named++) {
            const char *rest = skip_words(c->path, before->words, named);
            if (rest && *rest == '\0' && named > before->named) {
                before->command = c;
                before->named = named;
            }
        }
}

static struct before read_before(const char *const *words, size_t count)
{
    struct before before = { .words = words, .count = count };

    if (count > 0 && strcmp(words[0], "help") == 0) {
        before.is_help = true;
        before.words++;
        before.count--;
    }
    find_command(&before);
    for (size_t i = before.named; i < before.count && before.command; i++) {
        const char *word = before.words[i];
        const struct option *option = find_option(before.command, word);

        if (before.open)
            before.open = NULL;
        else if (option && takes_value(option) && !strchr(word, '='))
            before.open = option;
        else if (word[0] != '-')
            before.arguments++;
    }
    return before;
}

static enum err put(const char *kept, const char *word, size_t len, const char *about,
                    struct buf *out)
{
    return buf_printf(out, "%s%.*s\t%s\n", kept, (int)len, word, about);
}

/* Whether a command before `end` has the same next word. */
static bool is_put(const struct before *before, const struct command *end, const char *word,
                   size_t len)
{
    struct command_walk walk = { 0 };
    const struct command *c;

    while ((c = commands_next(&walk)) != end) {
        const char *next = skip_words(c->path, before->words, before->count);
        if (next && strcspn(next, " ") == len && memcmp(next, word, len) == 0)
            return true;
    }
    return false;
}

/* What the command with the name in words before and in `word` is for; "" if they are none. */
static const char *about_name(const struct before *before, const char *word, size_t len)
{
    struct command_walk walk = { 0 };
    const struct command *c;

    while ((c = commands_next(&walk))) {
        const char *last = skip_words(c->path, before->words, before->count);
        if (last && strlen(last) == len && memcmp(last, word, len) == 0)
            return c->summary;
    }
    return "";
}

/* The next words of commands' names. */
static enum err put_names(const struct before *before, const char *start, struct buf *out)
{
    struct command_walk walk = { 0 };
    const struct command *c;
    enum err err = ERR_OK;

    while (!err && (c = commands_next(&walk))) {
        const char *word = skip_words(c->path, before->words, before->count);
        size_t len = word ? strcspn(word, " ") : 0;

        if (len > 0 && begins_with(word, start) && !is_put(before, c, word, len))
            err = put("", word, len, about_name(before, word, len), out);
    }
    if (!err && before->count == 0 && !before->is_help && begins_with("help", start))
        err = put("", "help", strlen("help"), "list the commands", out);
    return err;
}

static enum err put_choices(const char *kept, const char *words, const char *start,
                            const char *about, struct buf *out)
{
    enum err err = ERR_OK;

    while (!err && *words) {
        size_t len = strcspn(words, "|");

        if (len >= strlen(start) && begins_with(words, start))
            err = put(kept, words, len, about, out);
        words += len + (words[len] == '|');
    }
    return err;
}

/* What the usage calls the argument after `index` others; "" when there is none. */
static void name_argument(const char *names, size_t index, char out[WORD_LEN])
{
    for (; index > 0; index--) {
        const char *space = strchr(names, ' ');

        if (space)
            names = space + 1;
        else if (!strstr(names, "..."))
            names = "";
    }
    snprintf(out, WORD_LEN, "%.*s", (int)strcspn(names, " ."), names);
}

static enum err put_argument(const struct before *before, const char *start, struct buf *out)
{
    char name[WORD_LEN];

    if (!before->command || before->is_help)
        return ERR_OK;
    name_argument(before->command->arguments, before->arguments, name);
    if (strcmp(name, "FILE") == 0 || strcmp(name, "CARD") == 0)
        return buf_append_text(out, ":file \n");
    if (strcmp(name, "DIR") == 0)
        return buf_append_text(out, ":dir \n");
    return strchr(name, '|') ? put_choices("", name, start, "", out) : ERR_OK;
}

static bool is_given(const struct before *before, const struct option *option)
{
    if (option->kind == OPTION_LIST || option->kind == OPTION_PAIR ||
        option->kind == OPTION_HEADER)
        return false;
    for (size_t i = before->named; i < before->count; i++)
        if (find_option(before->command, before->words[i]) == option)
            return true;
    return false;
}

static enum err put_option(const char *name, const char *about, const char *start,
                           struct buf *out)
{
    char word[WORD_LEN];

    snprintf(word, sizeof word, "--%s", name);
    return begins_with(word, start) ? put("", word, strlen(word), about, out) : ERR_OK;
}

static enum err put_options(const struct before *before, const char *start, struct buf *out)
{
    const struct command *command = before->is_help ? NULL : before->command;
    enum err err = ERR_OK;

    for (size_t i = 0; command && i < COMMAND_GROUPS_MAX && command->groups[i]; i++)
        for (const struct option *o = command->groups[i]->options; o->name && !err; o++)
            if (!is_given(before, o))
                err = put_option(o->name, o->help, start, out);
    if (!err)
        err = put_option("help", "show this", start, out);
    if (!err && before->count == 0)
        err = put_option("version", "show the program's version", start, out);
    return err;
}

static enum err put_values(const struct option *option, const char *kept, const char *start,
                           struct buf *out)
{
    if (option->kind == OPTION_CHOICE || option->kind == OPTION_CODE ||
        option->kind == OPTION_STATUS)
        return put_choices(kept, option->arg, start, option->help, out);
    if (option->kind == OPTION_JSON && start[0] == '@')
        return buf_printf(out, ":file %s@\n", kept);
    if (option->arg && strcmp(option->arg, "FILE") == 0)
        return buf_printf(out, ":file %s\n", kept);
    if (option->arg && strcmp(option->arg, "DIR") == 0)
        return buf_printf(out, ":dir %s\n", kept);
    return ERR_OK;
}

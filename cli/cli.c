#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/nearest.h"
#include "cli/say.h"

#define NAME_LEN    64 /* bytes of a command's name */
#define NEAR_ENOUGH 3  /* letters between a typing error and what was meant */

static void reserve_standard_files(void);
static int dispatch(int argc, char **argv, const struct cli_programs *programs);
static int help(int argc, char **argv);
static const struct command *find_command(int argc, char **argv, int *out_words);
static int refuse(int argc, char **argv);
static int run_command(const struct command *command, int argc, char **argv,
                       const struct cli_programs *programs);

int cli_main(int argc, char **argv, const struct cli_programs *programs)
{
    reserve_standard_files();
    setlocale(LC_ALL, "");
    int exit = dispatch(argc - 1, argv + 1, programs);

    /* Data that could not be written is no success, whatever the command says. */
    bool failed_before = ferror(stdout);
    if (fflush(stdout) == 0 && !failed_before)
        return exit;
    say("stdout: %s", failed_before ? "could not be written" : strerror(errno));
    return exit == CLI_OK ? CLI_FAILED : exit;
}

/* No file of ours may get the number of a standard one that the caller has closed. What stands in
 * for it can't be used, so whoever tries is told. */
static void reserve_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            abort();
}

static bool is_help_option(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool is_help(const char *word)
{
    return is_help_option(word) || strcmp(word, "help") == 0;
}

static int dispatch(int argc, char **argv, const struct cli_programs *programs)
{
    const struct command *command;
    int words;

    if (argc == 0) {
        help(0, NULL);
        return CLI_USAGE;
    }
    if (is_help(argv[0]))
        return help(argc - 1, argv + 1);
    if (strcmp(argv[0], "--version") == 0)
        argv[0] = (char *)"version";
    if (argv[0][0] == '-') {
        say("%s: options stand behind the command (see posthaste help)", argv[0]);
        return CLI_USAGE;
    }
    command = find_command(argc, argv, &words);
    if (!command)
        return refuse(argc, argv);
    return run_command(command, argc - words + 1, argv + words - 1, programs);
}

static int run_command(const struct command *command, int argc, char **argv,
                       const struct cli_programs *programs)
{
    enum cli_exit refused;
    struct line *line = line_parse(command, argc, argv, &refused);

    if (!line)
        return (int)refused;
    int exit = command->run ? (int)command->run(line) : command->hand_over(line, programs);
    line_free(line);
    return exit;
}

/* Whether the first words are `path`, and how many these are; 0 = they aren't. */
static int match_path(const char *path, int argc, char **argv)
{
    int words = 0;

    while (*path) {
        size_t len = strcspn(path, " ");

        if (words == argc || strlen(argv[words]) != len || memcmp(argv[words], path, len) != 0)
            return 0;
        words++;
        path += len + strspn(path + len, " ");
    }
    return words;
}

static const struct command *find_command(int argc, char **argv, int *out_words)
{
    struct command_walk walk = { 0 };
    const struct command *c;

    while ((c = commands_next(&walk))) {
        *out_words = match_path(c->path, argc, argv);
        if (*out_words > 0)
            break;
    }
    return c;
}

/* Whether more words follow these in the command's name: "app", "region certificate". */
static bool is_group(const char *words, const struct command *command)
{
    size_t len = strlen(words);

    return strncmp(command->path, words, len) == 0 && command->path[len] == ' ';
}

/* Print the commands whose name begins with these words; NULL = all. How many these are; `to` NULL: only
 * count them. */
static size_t list_commands(const char *words, FILE *to)
{
    struct command_walk walk = { 0 };
    const struct command *c;
    size_t count = 0;

    while ((c = commands_next(&walk)))
        if (!words || is_group(words, c)) {
            if (to)
                fprintf(to, "  %-25s  %s\n", c->path, c->summary);
            count++;
        }
    return count;
}

/* The first words, two at most, up to an option; how many these are. */
static int join_words(int argc, char **argv, char name[NAME_LEN])
{
    int words = argc > 1 && argv[1][0] != '-' ? 2 : 1;

    snprintf(name, NAME_LEN, "%s%s%s", argv[0], words > 1 ? " " : "", words > 1 ? argv[1] : "");
    return words;
}

static int help(int argc, char **argv)
{
    char name[NAME_LEN];
    int words;

    if (argc > 0 && !is_help(argv[0])) {
        const struct command *command = find_command(argc, argv, &words);
        char *line[] = { argv[0], (char *)"--help", NULL };

        if (command)
            return run_command(command, 2, line, NULL);
        join_words(argc, argv, name);
        return list_commands(name, stdout) > 0 ? CLI_OK : refuse(argc, argv);
    }
    puts("posthaste: webhook delivery across regions\n");
    list_commands(NULL, stdout);
    puts("\nposthaste COMMAND --help tells a command's options; man posthaste all of it.");
    return CLI_OK;
}

/* The command whose name is nearest to `name`; NULL when none is near. */
static const char *nearest_command(const char *name)
{
    struct command_walk walk = { 0 };
    const struct command *c;
    const char *nearest = NULL;
    size_t best = NEAR_ENOUGH + 1;

    while ((c = commands_next(&walk))) {
        size_t distance = nearest_distance(name, c->path);

        if (distance < best) {
            best = distance;
            nearest = c->path;
        }
    }
    return nearest;
}

/* "app --help create" as "help app create": `words` of it stand before the option. */
static int help_inside(int argc, char **argv, int words)
{
    memmove(argv + 1, argv, (size_t)words * sizeof *argv);
    return help(argc - 1, argv + 1);
}

/* There is no such command: say which may have been meant. */
static int refuse(int argc, char **argv)
{
    char name[NAME_LEN];
    int words = join_words(argc, argv, name);
    const char *nearest = nearest_command(name);

    if (list_commands(name, NULL) > 0) {
        if (words < argc && is_help_option(argv[words]))
            return help_inside(argc, argv, words);
        say("'%s' is half a command; one of these:", name);
        list_commands(name, stderr);
        return CLI_USAGE;
    }
    if (nearest)
        say("'%s' is no command; did you mean '%s'?", name, nearest);
    else
        say("'%s' is no command (see posthaste help)", name);
    list_commands(argv[0], stderr);
    return CLI_USAGE;
}

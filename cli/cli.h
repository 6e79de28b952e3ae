/* Cli: the `posthaste` command. `serve` is the daemon, `lab` runs several on one machine; every
 * other command is a client.
 *
 * stdout is data, stderr is diagnostics. Nothing prompts. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

struct config_sources;
struct lab_order;

/* What lives above the command line, each told what it said; the exit status. */
struct cli_programs {
    int (*serve)(const struct config_sources *sources);
    int (*lab)(const struct lab_order *order);
};

/* The exit status of every command. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1, /* the thing asked for failed */
    CLI_USAGE = 2,  /* the command line or the configuration is wrong */
    CLI_NOT_FOUND = 3,
    CLI_DENIED = 4,      /* not authorised */
    CLI_UNREACHABLE = 5, /* no answer from the server */
};

/* Run the command that `argv` names. */
int cli_main(int argc, char **argv, const struct cli_programs *programs);

#endif

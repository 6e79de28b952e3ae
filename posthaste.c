/* The one executable: `posthaste serve` is the daemon, every other command is a client of it. */
#include "cli/cli.h"
#include "daemon/daemon.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv, daemon_serve);
}

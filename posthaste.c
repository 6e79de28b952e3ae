/* The one executable: `posthaste serve` is the daemon, `posthaste lab` runs several of them, every
 * other command is a client. */
#include "cli/cli.h"
#include "daemon/daemon.h"
#include "lab/lab.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv, &(struct cli_programs){ daemon_serve, lab_run });
}

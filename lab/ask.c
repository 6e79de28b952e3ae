#include "lab/ask.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/say.h"
#include "lab/control.h"
#include "lab/folder.h"

static int dial(const char *folder)
{
    struct sockaddr_un where = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(where.sun_path, sizeof where.sun_path, "%s/" CONTROL_NAME, folder);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&where, sizeof where) == 0)
        return fd;
    say("%s: no lab runs there; start one with posthaste lab", folder);
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool send_order(int fd, const char *verb, const char *region)
{
    char line[CONTROL_LINE_MAX];
    int len =
        snprintf(line, sizeof line, "%s%s%s\n", verb, region ? " " : "", region ? region : "");

    return len < (int)sizeof line && send(fd, line, (size_t)len, MSG_NOSIGNAL) == len;
}

static enum err read_answer(int fd, struct buf *out)
{
    char part[512];
    enum err err = ERR_OK;
    ssize_t len;

    do {
        len = recv(fd, part, sizeof part, 0);
        if (len > 0)
            err = buf_append(out, part, (size_t)len);
    } while (!err && (len > 0 || (len < 0 && errno == EINTR)));
    return err;
}

/* What went well goes to stdout. */
static int print_answer(const struct buf *answer)
{
    const char *text = buf_text(answer);
    int exit = text[0] - '0';

    if (answer->len < 2 || exit < CLI_OK || exit > CLI_UNREACHABLE) {
        say("the lab ended");
        return CLI_UNREACHABLE;
    }
    if (exit == CLI_OK)
        fputs(text + 1, stdout);
    else
        say("%.*s", (int)strcspn(text + 1, "\n"), text + 1);
    return exit;
}

int ask(const char *folder, const char *verb, const char *region)
{
    struct buf answer = BUF_INIT(CONTROL_ANSWER_MAX);
    int fd = dial(folder), exit;

    if (fd < 0)
        return CLI_UNREACHABLE;
    if (!send_order(fd, verb, region)) {
        say("'%s' isn't a region's name", region ? region : "");
        exit = CLI_USAGE;
    } else if (read_answer(fd, &answer) != ERR_OK) {
        say("the lab's answer is too long");
        exit = CLI_FAILED;
    } else {
        exit = print_answer(&answer);
    }
    buf_fini(&answer);
    close(fd);
    return exit;
}

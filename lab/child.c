#include "lab/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_STARTED 127 /* the exit status of one that couldn't become its program */

static void on_signal(uv_signal_t *signal, int number);

void nursery_open(struct nursery *nursery, uv_loop_t *loop)
{
    list_init(&nursery->children);
    uv_signal_init(loop, &nursery->signal);
    nursery->signal.data = nursery;
    uv_signal_start(&nursery->signal, on_signal, SIGCHLD);
}

void nursery_close(struct nursery *nursery)
{
    uv_close((uv_handle_t *)&nursery->signal, NULL);
}

/* In the new process. */
static void become(const struct child_options *options, pid_t parent)
{
    int nothing = open("/dev/null", O_RDONLY);

    setpgid(0, 0);
    /* The parent may have ended before this was said. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(NOT_STARTED);
    signal(SIGPIPE, SIG_DFL);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
        dup2(options->output, STDOUT_FILENO) < 0 || dup2(options->output, STDERR_FILENO) < 0 ||
        chdir(options->dir) != 0)
        _exit(NOT_STARTED);
    for (const char *const *s = options->settings; s && *s; s++)
        putenv((char *)*s);
    execvp(options->argv[0], (char *const *)options->argv);
    _exit(NOT_STARTED);
}

static pid_t spawn(const struct child_options *options)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid == 0)
        become(options, parent);
    return pid;
}

bool child_start(struct nursery *nursery, struct child *child,
                 const struct child_options *options)
{
    pid_t pid = spawn(options);

    if (pid < 0)
        return false;
    setpgid(pid, pid); /* both do it: whoever signals the group may be quicker than the child */
    child->pid = pid;
    list_init(&child->link);
    list_append(&nursery->children, &child->link);
    return true;
}

void child_signal(const struct child *child, int number)
{
    if (child->pid != 0)
        kill(-child->pid, number);
}

bool child_run(const struct child_options *options)
{
    pid_t pid = spawn(options);
    int status = 0;

    if (pid < 0)
        return false;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* One signal may stand for several ends. */
static void on_signal(uv_signal_t *signal, int number)
{
    struct nursery *nursery = signal->data;
    struct list *next;

    (void)number;
    for (struct list *l = nursery->children.next; l != &nursery->children; l = next) {
        struct child *child = container_of(l, struct child, link);
        int status;

        next = l->next;
        if (waitpid(child->pid, &status, WNOHANG) != child->pid)
            continue;
        child->pid = 0;
        list_remove(&child->link);
        child->ended(child, status);
    }
    if (list_is_empty(&nursery->children))
        nursery->emptied(nursery);
}

#include "lab/shell.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGNAL_EXIT 128 /* and the signal's number: what a shell says of one that was killed */

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *out);
static void on_output(uv_stream_t *stream, ssize_t len, const uv_buf_t *room);
static void on_read(uv_handle_t *handle);
static void on_ended(struct child *child, int status);

void shell_init(struct shell *shell, uv_loop_t *loop, struct nursery *nursery, const char *dir)
{
    *shell = (struct shell){ .loop = loop, .nursery = nursery, .dir = dir };
    shell->output = BUF_INIT(SHELL_OUTPUT_MAX);
}

void shell_fini(struct shell *shell)
{
    buf_fini(&shell->output);
}

static bool start(struct shell *shell, const char *command, int output)
{
    const char *argv[] = { "sh", "-c", command, NULL };

    shell->child.ended = on_ended;
    return child_start(
        shell->nursery, &shell->child,
        &(struct child_options){ .argv = argv, .dir = shell->dir, .output = output });
}

bool shell_start(struct shell *shell, const char *command)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0)
        return false;
    bool started = start(shell, command, fds[1]);
    close(fds[1]);
    if (!started) {
        close(fds[0]);
        return false;
    }
    buf_clear(&shell->output);
    shell->is_running = true;
    shell->is_read = false;
    uv_pipe_init(shell->loop, &shell->pipe, 0);
    shell->pipe.data = shell;
    if (uv_pipe_open(&shell->pipe, fds[0]) != 0 ||
        uv_read_start((uv_stream_t *)&shell->pipe, on_room, on_output) != 0)
        abort();
    return true;
}

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *out)
{
    struct shell *shell = handle->data;

    (void)hint;
    *out = uv_buf_init(shell->room, sizeof shell->room);
}

static void on_output(uv_stream_t *stream, ssize_t len, const uv_buf_t *room)
{
    struct shell *shell = stream->data;

    if (len < 0)
        uv_close((uv_handle_t *)stream, on_read);
    else if (buf_append(&shell->output, room->base, (size_t)len) != ERR_OK)
        shell->output.limit = shell->output.len;
}

/* It has ended and all it printed is here. */
static void finish(struct shell *shell)
{
    if (!shell->is_read || shell->child.pid != 0)
        return;
    shell->is_running = false;
    shell->output.limit = SHELL_OUTPUT_MAX;
    shell->done(shell, shell->exit);
}

static void on_read(uv_handle_t *handle)
{
    struct shell *shell = handle->data;

    shell->is_read = true;
    finish(shell);
}

static void on_ended(struct child *child, int status)
{
    struct shell *shell = container_of(child, struct shell, child);

    shell->exit = WIFEXITED(status) ? WEXITSTATUS(status) : SIGNAL_EXIT + WTERMSIG(status);
    finish(shell);
}

void shell_kill(struct shell *shell)
{
    child_signal(&shell->child, SIGKILL);
}

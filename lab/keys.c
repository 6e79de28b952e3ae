#include "lab/keys.h"

#include <errno.h>
#include <unistd.h>

static void on_input(uv_poll_t *poll, int status, int events);

/* Ctrl-C stays what it is. */
static void take_single_keys(struct keys *keys)
{
    struct termios now;

    if (tcgetattr(STDIN_FILENO, &keys->before) != 0)
        return;
    now = keys->before;
    now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    keys->is_terminal = tcsetattr(STDIN_FILENO, TCSANOW, &now) == 0;
}

bool keys_open(struct keys *keys, uv_loop_t *loop)
{
    /* A file or /dev/null can't be waited for. */
    if (uv_poll_init(loop, &keys->poll, STDIN_FILENO) != 0)
        return false;
    keys->poll.data = keys;
    keys->is_open = true;
    take_single_keys(keys);
    uv_poll_start(&keys->poll, UV_READABLE, on_input);
    return true;
}

/* A burst, such as an arrow key's, is one press. At the end of input there are no more. */
static void on_input(uv_poll_t *poll, int status, int events)
{
    struct keys *keys = poll->data;
    char input[64];

    (void)events;
    ssize_t len = status == 0 ? read(STDIN_FILENO, input, sizeof input) : 0;
    if (len > 0)
        keys->pressed(keys);
    else if (len == 0 || (errno != EAGAIN && errno != EINTR))
        uv_poll_stop(poll);
}

void keys_close(struct keys *keys)
{
    if (!keys->is_open)
        return;
    keys->is_open = false;
    uv_close((uv_handle_t *)&keys->poll, NULL);
    if (keys->is_terminal)
        tcsetattr(STDIN_FILENO, TCSANOW, &keys->before);
}

#include "lab/control.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "lab/folder.h"

#define BACKLOG 16

static void on_caller(uv_stream_t *listener, int status);
static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *out);
static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *room);
static void on_written(uv_write_t *write, int status);
static void on_hung_up(uv_handle_t *handle);

enum err control_open(struct control *control, uv_loop_t *loop, const char *folder)
{
    char path[FOLDER_PATH_MAX + sizeof CONTROL_NAME];

    list_init(&control->callers);
    control->count = 0;
    control->pipe.data = control;
    snprintf(path, sizeof path, "%s/" CONTROL_NAME, folder);
    if (uv_pipe_init(loop, &control->pipe, 0) != 0)
        return ERR_IO;
    if (uv_pipe_bind(&control->pipe, path) == 0 &&
        uv_listen((uv_stream_t *)&control->pipe, BACKLOG, on_caller) == 0)
        return ERR_OK;
    uv_close((uv_handle_t *)&control->pipe, NULL);
    return ERR_IO;
}

static void hang_up(struct caller *caller)
{
    if (!uv_is_closing((uv_handle_t *)&caller->pipe))
        uv_close((uv_handle_t *)&caller->pipe, on_hung_up);
}

static void on_hung_up(uv_handle_t *handle)
{
    struct caller *caller = handle->data;

    list_remove(&caller->link);
    caller->control->count--;
    buf_fini(&caller->answer);
    free(caller);
}

void control_close(struct control *control)
{
    uv_close((uv_handle_t *)&control->pipe, NULL);
    for (struct list *l = control->callers.next; l != &control->callers; l = l->next)
        hang_up(container_of(l, struct caller, link));
}

static void on_caller(uv_stream_t *listener, int status)
{
    struct control *control = listener->data;
    struct caller *caller;

    if (status != 0)
        return;
    caller = xcalloc(1, sizeof *caller);
    caller->control = control;
    caller->answer = BUF_INIT(CONTROL_ANSWER_MAX);
    caller->pipe.data = caller->write.data = caller;
    list_init(&caller->link);
    list_append(&control->callers, &caller->link);
    uv_pipe_init(listener->loop, &caller->pipe, 0);
    if (uv_accept(listener, (uv_stream_t *)&caller->pipe) != 0 ||
        ++control->count > CONTROL_CALLERS_MAX ||
        uv_read_start((uv_stream_t *)&caller->pipe, on_room, on_read) != 0)
        hang_up(caller);
}

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *out)
{
    struct caller *caller = handle->data;

    (void)hint;
    *out = uv_buf_init(caller->line + caller->len,
                       (unsigned)(sizeof caller->line - 1 - caller->len));
}

/* The digit of the exit status stands before the text. */
static void reply(struct caller *caller, int exit, const char *text)
{
    struct buf *answer = &caller->answer;

    caller->waits_for = NULL;
    if (uv_is_closing((const uv_handle_t *)&caller->pipe))
        return;
    if (buf_printf(answer, "%d%s\n", exit, text) != ERR_OK) {
        hang_up(caller);
        return;
    }
    uv_buf_t bytes = uv_buf_init((char *)answer->bytes, (unsigned)answer->len);
    if (uv_write(&caller->write, (uv_stream_t *)&caller->pipe, &bytes, 1, on_written) != 0)
        hang_up(caller);
}

static void on_written(uv_write_t *write, int status)
{
    struct caller *caller = write->data;

    (void)status;
    hang_up(caller);
}

static void obey(struct caller *caller)
{
    struct control *control = caller->control;
    struct buf text = BUF_INIT(CONTROL_ANSWER_MAX - 8);
    char *region = strchr(caller->line, ' ');

    if (region)
        *region++ = '\0';
    int exit = control->order(control->ctx, caller->line, region, &text, &caller->waits_for);
    if (!caller->waits_for)
        reply(caller, exit, buf_text(&text));
    buf_fini(&text);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *room)
{
    struct caller *caller = stream->data;
    char *end;

    (void)room;
    if (len < 0) {
        hang_up(caller);
        return;
    }
    caller->len += (size_t)len;
    caller->line[caller->len] = '\0';
    end = strchr(caller->line, '\n');
    if (!end && caller->len < sizeof caller->line - 1)
        return;
    uv_read_stop(stream);
    if (end) {
        *end = '\0';
        obey(caller);
    } else {
        hang_up(caller);
    }
}

void control_settle(struct control *control, const void *waits_for, int exit, const char *text)
{
    for (struct list *l = control->callers.next; l != &control->callers; l = l->next) {
        struct caller *caller = container_of(l, struct caller, link);

        if (caller->waits_for == waits_for)
            reply(caller, exit, text);
    }
}

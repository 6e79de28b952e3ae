#include "lab/passage.h"

#include <unistd.h>

#include "core/mem.h"

static void on_time(uv_timer_t *timer);
static void on_connected(uv_connect_t *connect, int status);
static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *out);
static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *room);
static void on_written(uv_write_t *write, int status);
static void on_shut(uv_shutdown_t *shutdown, int status);
static void on_closed(uv_handle_t *handle);

static void open_way(struct way *way, struct passage *p, uv_tcp_t *from, uv_tcp_t *to)
{
    way->passage = p;
    way->from = from;
    way->to = to;
    delay_line_init(&way->line);
    from->data = way;
}

void passage_start(struct cable *cable, int fd)
{
    struct passage *p = xcalloc(1, sizeof *p);

    p->cable = cable;
    p->opened_ms = uv_now(cable->loop);
    uv_tcp_init(cable->loop, &p->near);
    uv_tcp_init(cable->loop, &p->far);
    uv_timer_init(cable->loop, &p->timer);
    p->open_handles = 3;
    p->timer.data = p->connect.data = p;
    open_way(&p->forth, p, &p->near, &p->far);
    open_way(&p->back, p, &p->far, &p->near);
    list_init(&p->link);
    list_append(&cable->passages, &p->link);
    cable->count++;
    if (uv_tcp_open(&p->near, fd) != 0) {
        close(fd);
        passage_end(p);
        return;
    }
    passage_poke(p);
}

/* When what comes now comes out. The first bytes wait for the connection's own round trip too. The
 * millisecond that has begun isn't counted, so nothing comes out early. */
static uint64_t due_ms(const struct passage *p)
{
    uint64_t now_ms = uv_now(p->cable->loop), open_ms = p->opened_ms + p->cable->rtt_ms;

    return (now_ms > open_ms ? now_ms : open_ms) + p->cable->rtt_ms / 2 + 1;
}

static void connect_far(struct passage *p)
{
    p->state = PASSAGE_CONNECTING;
    uv_tcp_nodelay(&p->far, 1);
    if (uv_tcp_connect(&p->connect, &p->far, (const struct sockaddr *)&p->cable->to,
                       on_connected) != 0)
        passage_end(p);
}

/* Refused: that has to go all the way back. */
static void on_connected(uv_connect_t *connect, int status)
{
    struct passage *p = connect->data;

    if (p->state == PASSAGE_ENDED)
        return;
    p->state = PASSAGE_OPEN;
    if (status != 0) {
        delay_line_put(&p->back.line, PIECE_RESET, NULL, 0, due_ms(p));
        p->back.is_read = true;
    }
    passage_poke(p);
}

static void read_more(struct way *way)
{
    bool wanted = !way->is_read && delay_line_has_room(&way->line);

    if (wanted == way->is_reading)
        return;
    way->is_reading = wanted;
    if (!wanted)
        uv_read_stop((uv_stream_t *)way->from);
    else if (uv_read_start((uv_stream_t *)way->from, on_room, on_read) != 0)
        passage_end(way->passage);
}

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *out)
{
    const struct way *way = handle->data;

    (void)hint;
    *out = uv_buf_init(way->passage->cable->room, CABLE_READ_MAX);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *room)
{
    struct way *way = stream->data;
    struct passage *p = way->passage;

    if (len > 0) {
        delay_line_put(&way->line, PIECE_BYTES, room->base, (size_t)len, due_ms(p));
    } else if (len < 0) {
        delay_line_put(&way->line, len == UV_EOF ? PIECE_END : PIECE_RESET, NULL, 0, due_ms(p));
        way->is_read = true;
    }
    read_more(way); /* while the cable is cut nothing else does */
    passage_poke(p);
}

static void write_piece(struct way *way, struct piece *piece)
{
    uv_buf_t bytes = uv_buf_init(piece->bytes, (unsigned)piece->len);

    way->under_way = piece;
    way->write.data = way->shutdown.data = way;
    if (piece->kind == PIECE_RESET ||
        (piece->kind == PIECE_END &&
         uv_shutdown(&way->shutdown, (uv_stream_t *)way->to, on_shut) != 0) ||
        (piece->kind == PIECE_BYTES &&
         uv_write(&way->write, (uv_stream_t *)way->to, &bytes, 1, on_written) != 0))
        passage_end(way->passage);
}

static void poke_way(struct way *way)
{
    struct piece *piece;

    if (!way->under_way && !way->is_ended &&
        (piece = delay_line_take(&way->line, uv_now(way->passage->cable->loop))))
        write_piece(way, piece);
    if (way->passage->state != PASSAGE_ENDED)
        read_more(way);
}

/* A piece under way pokes when it is written. */
static uint64_t way_due_ms(const struct way *way)
{
    return way->under_way ? UINT64_MAX : delay_line_due_ms(&way->line);
}

static void arm(struct passage *p)
{
    uint64_t now_ms = uv_now(p->cable->loop), at_ms = p->opened_ms + p->cable->rtt_ms / 2;

    if (p->state == PASSAGE_CONNECTING)
        return;
    if (p->state == PASSAGE_OPEN) {
        uint64_t forth_ms = way_due_ms(&p->forth), back_ms = way_due_ms(&p->back);

        at_ms = forth_ms < back_ms ? forth_ms : back_ms;
    }
    if (at_ms != UINT64_MAX)
        uv_timer_start(&p->timer, on_time, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

void passage_poke(struct passage *p)
{
    if (p->state == PASSAGE_ENDED)
        return;
    uv_timer_stop(&p->timer);
    if (p->cable->is_cut)
        return;
    if (p->state == PASSAGE_OPENING &&
        uv_now(p->cable->loop) >= p->opened_ms + p->cable->rtt_ms / 2)
        connect_far(p);
    if (p->state == PASSAGE_OPEN)
        poke_way(&p->forth);
    if (p->state == PASSAGE_OPEN)
        poke_way(&p->back);
    if (p->forth.is_ended && p->back.is_ended)
        passage_end(p);
    if (p->state != PASSAGE_ENDED)
        arm(p);
}

static void on_time(uv_timer_t *timer)
{
    passage_poke(timer->data);
}

static void finish_piece(struct way *way, int status, bool is_end)
{
    struct passage *p = way->passage;

    free(way->under_way);
    way->under_way = NULL;
    way->is_ended = is_end;
    if (p->state == PASSAGE_ENDED)
        return;
    if (status != 0)
        passage_end(p);
    else
        passage_poke(p);
}

static void on_written(uv_write_t *write, int status)
{
    finish_piece(write->data, status, false);
}

static void on_shut(uv_shutdown_t *shutdown, int status)
{
    finish_piece(shutdown->data, status, true);
}

void passage_end(struct passage *p)
{
    if (p->state == PASSAGE_ENDED)
        return;
    p->state = PASSAGE_ENDED;
    list_remove(&p->link);
    p->near.data = p->far.data = p->timer.data = p;
    uv_close((uv_handle_t *)&p->near, on_closed);
    uv_close((uv_handle_t *)&p->far, on_closed);
    uv_close((uv_handle_t *)&p->timer, on_closed);
}

/* What was under way has been called back before the last one. */
static void on_closed(uv_handle_t *handle)
{
    struct passage *p = handle->data;
    struct cable *cable = p->cable;

    if (--p->open_handles > 0)
        return;
    free(p->forth.under_way);
    free(p->back.under_way);
    delay_line_fini(&p->forth.line);
    delay_line_fini(&p->back.line);
    if (cable->count-- >= CABLE_PASSAGES_MAX && !cable->is_closed)
        listener_resume(&cable->listener);
    free(p);
}

#include "lab/delay_line.h"

#include "core/mem.h"

void delay_line_init(struct delay_line *line)
{
    list_init(&line->pieces);
    line->len = 0;
}

void delay_line_fini(struct delay_line *line)
{
    struct list *l;

    while ((l = list_pop(&line->pieces)))
        free(container_of(l, struct piece, link));
    line->len = 0;
}

void delay_line_put(struct delay_line *line, enum piece_kind kind, const char *bytes,
                    size_t len, uint64_t due_ms)
{
    struct piece *piece = xcalloc(1, sizeof *piece + len);

    piece->kind = kind;
    piece->len = len;
    piece->due_ms = due_ms;
    if (len > 0)
        memcpy(piece->bytes, bytes, len);
    if (!list_is_empty(&line->pieces)) {
        const struct piece *last = container_of(line->pieces.prev, struct piece, link);

        if (piece->due_ms < last->due_ms)
            piece->due_ms = last->due_ms;
    }
    list_append(&line->pieces, &piece->link);
    line->len += sizeof *piece + len;
}

struct piece *delay_line_take(struct delay_line *line, uint64_t now_ms)
{
    if (delay_line_due_ms(line) > now_ms)
        return NULL;
    struct piece *piece = container_of(list_pop(&line->pieces), struct piece, link);
    line->len -= sizeof *piece + piece->len;
    return piece;
}

uint64_t delay_line_due_ms(const struct delay_line *line)
{
    if (list_is_empty(&line->pieces))
        return UINT64_MAX;
    return container_of(line->pieces.next, struct piece, link)->due_ms;
}

bool delay_line_has_room(const struct delay_line *line)
{
    return line->len < DELAY_LINE_MAX;
}

/* Delay line: what is on its way in one direction of a connection, in order, each piece until its
 * time has come. Bounded: when it has no room, whoever fills it stops reading. Pure. */
#ifndef LAB_DELAY_LINE_H
#define LAB_DELAY_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/list.h"

#define DELAY_LINE_MAX (512u << 10) /* bytes after which it has no room */

enum piece_kind {
    PIECE_BYTES,
    PIECE_END,   /* no more bytes come */
    PIECE_RESET, /* the connection broke */
};

struct piece {
    struct list link;
    enum piece_kind kind;
    uint64_t due_ms; /* on the loop's clock */
    size_t len;
    char bytes[];
};

struct delay_line {
    struct list pieces;
    size_t len; /* bytes of memory */
};

void delay_line_init(struct delay_line *line);
void delay_line_fini(struct delay_line *line);

/* Copied. It leaves at `due_ms`, but not before what was put there earlier. */
void delay_line_put(struct delay_line *line, enum piece_kind kind, const char *bytes,
                    size_t len, uint64_t due_ms);

/* The first piece, if its time has come: free() it. */
struct piece *delay_line_take(struct delay_line *line, uint64_t now_ms);

/* When the first piece may leave; UINT64_MAX: there is none. */
uint64_t delay_line_due_ms(const struct delay_line *line);

bool delay_line_has_room(const struct delay_line *line);

#endif

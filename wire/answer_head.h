/* Answer head: the status line and the header of an answer, as text. Pure. */
#ifndef WIRE_ANSWER_HEAD_H
#define WIRE_ANSWER_HEAD_H

#include <time.h>

#include "core/buf.h"

enum answer_connection {
    ANSWER_STAYS, /* as HTTP/1.1 expects: nothing is said */
    ANSWER_KEEPS, /* so that a client of HTTP/1.0 knows */
    ANSWER_CLOSES,
};

struct answer_head {
    unsigned status;
    const char *date;  /* see answer_date() */
    const char *lines; /* further ones, each with its CR LF */
    size_t body_len;
    const char *type; /* of the body; NULL = JSON */
    enum answer_connection connection;
};

void answer_head_write(const struct answer_head *head, struct buf *out);

/* "Tue, 24 Nov 2026 09:18:00 GMT" (RFC 9110, section 5.6.7). */
#define ANSWER_DATE_MAX 64
void answer_date(time_t wall_s, char out[ANSWER_DATE_MAX]);

#endif

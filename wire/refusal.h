/* Refusal: what the server answers by itself, in the contract's words. */
#ifndef WIRE_REFUSAL_H
#define WIRE_REFUSAL_H

#include "core/buf.h"

struct refusal {
    unsigned status;
    const char *code, *detail;
};

/* The request can't be told from another one, or from noise: the connection can't go on. */
extern const struct refusal refusal_line, refusal_version, refusal_target, refusal_target_size,
    refusal_field, refusal_header_size, refusal_host, refusal_length, refusal_coding,
    refusal_coding_unknown, refusal_chunk;

/* It is understood, but not now or not this much. */
extern const struct refusal refusal_size, refusal_overload, refusal_slow, refusal_stopping;

/* The answer's body, at most REFUSAL_TEXT_MAX bytes. */
#define REFUSAL_TEXT_MAX 256
void refusal_write(const struct refusal *refusal, struct buf *out);

#endif

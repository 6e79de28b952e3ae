/* Receipt: what a receiver says of a delivery. */
#ifndef CLI_RECEIPT_H
#define CLI_RECEIPT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/err.h"
#include "signer/signer.h"
#include "wire/server.h"

struct receipt {
    uint64_t at_ms;             /* wall clock */
    const char *id, *timestamp; /* headers; NULL if absent */
    const void *body;
    size_t body_len;  /* bytes */
    bool checked;     /* against a secret; then: */
    enum err verdict; /* of signer_verify() */
    unsigned status;  /* that we answered */
};

/* What `x` brings and is answered with, checked against `secret` unless that is NULL. Borrows from `x`
 * until it is answered. */
void receipt_take(const struct exchange *x, unsigned status, struct signer *signer,
                  const struct secret *secret, struct receipt *out);

/* A line of facts and the body, or one line of JSON. */
void receipt_print(const struct receipt *receipt, bool json, FILE *to);

#endif

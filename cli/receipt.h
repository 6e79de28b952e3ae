/* Receipt: what `posthaste listen` prints for a delivery. */
#ifndef CLI_RECEIPT_H
#define CLI_RECEIPT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/err.h"

struct receipt {
    uint64_t at_ms;             /* wall clock */
    const char *id, *timestamp; /* headers; NULL if absent */
    const void *body;
    size_t body_len;  /* bytes */
    bool checked;     /* against a secret; then: */
    enum err verdict; /* of signer_verify() */
    unsigned status;  /* that we answered */
};

/* A line of facts and the body, or one line of JSON. */
void receipt_print(const struct receipt *receipt, bool json, FILE *to);

#endif

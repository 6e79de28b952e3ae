/* Sealed: which key a value that is sealed at rest names.
 *
 *     2 | the key's id (4 bytes, big-endian) | text of signer/sealer.h
 *     1 | …                                     of the first version: it names none
 *
 * Pure. */
#ifndef CORE_SEALED_H
#define CORE_SEALED_H

#include "core/model.h"

#define SEALED_NAMED    2 /* the first byte */
#define SEALED_KEY_LEN  4
#define SEALED_HEAD_LEN (1 + SEALED_KEY_LEN)

/* The id of its master key; 0: it doesn't say. */
uint32_t sealed_key(const struct bytes *sealed);

/* That of all sealed values of the endpoint; 0: one doesn't say, or they differ. False: it has
 * none. */
bool sealed_key_of(const struct endpoint *endpoint, uint32_t *out_key);

/* Take them out of it. */
void sealed_drop(struct endpoint *endpoint);

#endif

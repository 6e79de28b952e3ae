/* Mac: HMAC-SHA256 (RFC 2104) over pieces, with the algorithm looked up once.
 *
 * Thread: one. */
#ifndef SIGNER_MAC_H
#define SIGNER_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAC_LEN 32

struct mac;

struct mac *mac_new(void);
void mac_free(struct mac *mac); /* wipes its key; NULL does nothing */

void mac_start(struct mac *mac, const uint8_t *key, size_t key_len);
void mac_add(struct mac *mac, const void *bytes, size_t len);
void mac_finish(struct mac *mac, uint8_t out[MAC_LEN]);

/* Takes as long, however much of it is the same. */
bool mac_equal(const uint8_t *a, const uint8_t *b, size_t len);

#endif

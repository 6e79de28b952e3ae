/* Revocation: which of an application's tokens are void although they haven't ended.
 *
 * A rule says: tokens that were minted before an instant are void from another one on, all of them
 * or those of one name, which is a session's or a token's own. An application keeps its rules as a
 * list of texts, "BEFORE FROM UNTIL NAME": instants in decimal, the name in hex or "*" for all. A
 * text that is none, which a newer version may have written, voids nothing.
 *
 * Pure. Thread: any. */
#ifndef CORE_REVOCATION_H
#define CORE_REVOCATION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/model.h"

#define REVOCATIONS_MAX     64 /* rules of one application */
#define REVOCATION_NAME_LEN 16 /* bytes */
#define REVOCATION_TEXT_MAX 100
#define REVOCATION_FOR_EVER UINT64_MAX

struct revocation {
    uint64_t before_ms; /* tokens minted before it */
    uint64_t from_ms;   /* are void from then on */
    uint64_t until_ms;  /* by then they have all ended, and the rule goes */
    bool is_for_all;
    uint8_t name[REVOCATION_NAME_LEN]; /* unless it is for all */
};

/* A token, by what rules ask of it. */
struct revocable {
    uint64_t minted_at_ms;
    uint8_t session[REVOCATION_NAME_LEN]; /* zeros: none */
    uint8_t id[REVOCATION_NAME_LEN];
};

bool revocation_voids(const struct text_list *rules, const struct revocable *token,
                      uint64_t now_ms);

/* Add a rule; those that it makes needless, and those that are over, go. ERR_LIMIT: there would
 * be more than REVOCATIONS_MAX; the list may be shorter even so, and says the same. */
MUST_USE enum err revocation_add(struct text_list *rules, const struct revocation *rule,
                                 uint64_t now_ms);

/* The first instant before which no rule looks: a token minted then is good, whatever the clock. */
uint64_t revocation_last_ms(const struct text_list *rules);

#endif

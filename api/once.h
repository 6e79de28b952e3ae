/* Once: a POST that is sent again with its Idempotency-Key does nothing again and gets the first answer.
 *
 *   once_begin ─► handler ─► once_write ─► [store] ─► `done` ─► once_reply
 *                    │                        └─► (done before) the first answer
 *                    └─► any other answer ─► once_holds ─► [store] ─► that answer
 *                                                             └─► (done before) the first one
 *
 * A handler that writes begins its answer before: the store keeps it in the same transaction. What
 * is answered otherwise waits until the store has said that there is no earlier answer: be it an
 * error, for the body may be another and what it names gone; be it a 2xx, which is kept then,
 * though in a transaction of its own. So a handler that knows nothing of keys honours them, but for
 * a crash between its write and that, and requests at once.
 *
 * A key is known by its token, its own words, the path and the query; not by the body. Answers are
 * kept sealed, see signer/envelope.h. 5xx is never looked up, and other errors aren't kept.
 *
 * Thread: the api's loop. */
#ifndef API_ONCE_H
#define API_ONCE_H

#include "api/request.h"

/* A longer answer is kept by the write it tells of, or not at all; in bytes. */
#define ONCE_KEPT_MAX (1u << 20)

/* Before the handler: take the key, if there is one. */
void once_begin(struct request *r);
void once_fini(struct once *once);

/* In a handler that writes nothing: asked again it looks again. */
void once_needless(struct request *r);

/* How the write `op` comes back whose answer, if all goes well, has this status and what r->writer
 * has written as its body; 204 has none. `done` sends it by once_reply(). In a request that has no
 * key, or isn't a POST, it is sent that way as well. */
struct store_req once_write(struct request *r, unsigned status, store_done *done);
void once_reply(struct request *r);

/* Of a write that has the hash in itself; NULL: there is no key. And that it was made. */
const uint8_t *once_hash(const struct request *r);
void once_settle(struct request *r);

/* Whether this answer waits for the store; it comes back to reply_written(). */
MUST_USE bool once_holds(struct request *r, unsigned status, const struct buf *body);

#endif

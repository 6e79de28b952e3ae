/* Expunge: what was sent and answered is to be gone, from the files too.
 *
 * The space is overwritten in the same commit, and the write-ahead log, which has what was there
 * before, starts again from nothing right behind it: at once, or with the next commit that no reader
 * stands in the way of.
 *
 * Requests as in store.h. */
#ifndef STORE_EXPUNGE_H
#define STORE_EXPUNGE_H

#include "store/store.h"

/* What stands for a response from then on. */
#define EXPUNGED_RESPONSE "EXPUNGED"

/* Drop a message's payload, and end what is pending of it: there is nothing left to send. An attempt
 * that is under way is finished. ERR_NOT_FOUND. */
struct store_expunge_message {
    struct store_req req;
    struct id application, message; /* in */
};
void store_expunge_message(struct store *s, struct store_expunge_message *op);

/* Drop what was answered to an attempt. ERR_NOT_FOUND. */
struct store_expunge_attempt {
    struct store_req req;
    struct id message, attempt; /* in; the message is known to be the application's */
};
void store_expunge_attempt(struct store *s, struct store_expunge_attempt *op);

#endif

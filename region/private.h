/* What the files of the link share; nobody outside region/ includes it.
 *
 *   link.c     its life, its turn, health
 *   caller.c   what we ask one peer: hello and ping
 *   puller.c   the peer's journal, into the store
 *   adopter.c  its snapshots
 *   answers.c  what peers ask us
 *   carry.c    clients' requests to where they belong */
#ifndef REGION_PRIVATE_H
#define REGION_PRIVATE_H

#include "api/elsewhere.h"
#include "region/backoff.h"
#include "region/link.h"
#include "region/peer.h"
#include "region/reseal.h"
#include "region/words.h"
#include "signer/pair.h"
#include "wire/courier.h"
#include "wire/egress.h"
#include "wire/server.h"
#include "wire/tls.h"

enum pull_state {
    PULL_LEARNING, /* where we are: the store is asked */
    PULL_IDLE,     /* until `next_mono_ms` */
    PULL_FETCHING,
    PULL_APPLYING,
    PULL_HALTED, /* its history forked: an operator has to look */
};

/* One peer's journal, on its way here. */
struct puller {
    enum pull_state state;
    uint64_t next_mono_ms;
    uint64_t asked_mono_ms;
    struct backoff backoff;
    struct journal_position at; /* applied: number and chain */
    bool adopting;              /* snapshots, not entries */
    int64_t adopt_after;        /* the key of the last that was adopted */
    bool adopt_begun;
    struct journal_position adopt_end; /* from where the journal goes on afterwards */
    struct call call;
    struct target *target;           /* of the call */
    struct changes_words words;      /* being applied */
    struct bytes *codes;             /* being adopted */
    char trouble[REGION_REASON_MAX]; /* what an operator should know; "" = nothing */
    union {
        struct store_positions positions;
        struct store_apply apply;
        struct store_adopt adopt;
    } op;
};

/* One peer, as we ask it. */
struct caller {
    struct link *link;
    const struct region *region;
    size_t index; /* of the region */
    struct tls_pins *pins;
    struct courier_identity identity;
    struct pair *pair;
    /* Of its own: it is to take this peer's certificate only. NULL: the peer isn't reached. */
    struct courier *courier;
    struct target *hello, *ping;
    struct call call; /* of either */
    bool calling;
    bool greeted; /* its hello was good, and it hasn't been lost since */
    uint64_t next_mono_ms;
    struct backoff backoff;
    uint64_t sent_us;
    struct peer_health health;
    struct puller puller;
};

struct link {
    const struct topology *topology;
    struct store *store;
    const struct keyring *keyring;
    char *certificate, *key;

    struct inbox inbox;
    struct catalog *catalog;
    struct store_follower follower;
    struct task left; /* the follower has */
    struct egress *egress;
    uv_timer_t timer;

    size_t caller_count;
    struct caller callers[REGIONS_MAX];
    struct health_board *board;
    struct region_condition conditions[REGIONS_MAX]; /* that were posted last */

    struct tls_context *tls;
    struct server *server; /* NULL: it doesn't listen */
    struct list readings;  /* answers.c: that are with the store */
    struct list waiting;   /* and that wait for an entry to come */
    size_t reading_count;  /* of both */
    uint64_t own_seq;      /* the end of our journal, as far as it was heard of */

    struct peers_api api;
    struct elsewhere elsewhere;
    struct list carriages; /* carry.c */
    size_t carriage_count, carried_bytes;

    bool closing, server_closed, leaving;
    unsigned open_couriers;
    unsigned open_parts; /* inbox and timer */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* caller.c */
enum err caller_open(struct caller *caller, struct link *link, uv_loop_t *loop,
                     const struct region *region);
void caller_poke(struct caller *caller, struct now now);
void caller_close(struct caller *caller, void (*closed)(void *ctx), void *ctx);
void caller_free(struct caller *caller);
bool caller_is_heard(const struct caller *caller);

/* A target at the peer; `query` may be "", `headers` NULL. NULL: they make none. */
struct target *caller_target(const struct caller *caller, const char *method, const char *path,
                             const char *query, const struct text_list *headers);

/* puller.c */
void puller_open(struct caller *caller);
void puller_resume(struct caller *caller); /* the peer is heard again: no more waiting */
void puller_poke(struct caller *caller, struct now now);
void puller_free(struct caller *caller);
bool puller_is_idle(const struct caller *caller); /* nothing of it is under way */

struct store_req puller_ask(struct caller *caller, store_done *done);
void puller_rest(struct caller *caller, uint64_t ms); /* and then fetch */
void puller_trouble(struct caller *caller, const char *what);
void puller_not_stored(struct caller *caller, enum err err);
void puller_wait_for_clock(struct caller *caller);

/* adopter.c */
int64_t adopter_after(const struct puller *p); /* the page to fetch */

/* What is wrong with the page that came, NULL: nothing. Pages go on behind one another, up to the
 * last. */
const char *adopter_fault(const struct puller *p);
void adopter_take(struct caller *caller);

/* answers.c */
void answers_open(struct link *link);
void answers_on_request(struct exchange *x, void *ctx);
void answers_grown(struct link *link); /* our journal has; or whoever waits for it is to go */
void answers_poke(struct link *link, struct now now); /* time has passed */

/* carry.c */
void carry_open(struct link *link);
bool carry_is_idle(const struct link *link);
void carry_give_up(struct link *link, const struct region *region); /* it is dead */

/* link.c */
void link_settle(struct link *link); /* a caller's health may be another, or it is done */

#endif

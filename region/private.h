/* What the files of the link share; nobody outside region/ includes it.
 *
 *   link.c     its life, its turn, health
 *   caller.c   what we ask one peer: hello and ping
 *   puller.c   the peer's journal, into the store
 *   adopter.c  its snapshots
 *   auditor.c  whether what is here of it is what it has
 *   answers.c  what peers ask us
 *   carry.c    clients' requests to where they belong
 *   forwards.c attempts that a peer makes for us: their leases
 *   posts.c    they go to the peer
 *   outcomes.c what came of them is fetched
 *   stand_in.c attempts that we make for a peer
 *   probes.c   how far receivers are */
#ifndef REGION_PRIVATE_H
#define REGION_PRIVATE_H

#include "api/elsewhere.h"
#include "dispatcher/forward.h"
#include "region/backoff.h"
#include "region/expiry.h"
#include "region/forward_words.h"
#include "region/link.h"
#include "region/peer.h"
#include "region/probes.h"
#include "region/reseal.h"
#include "region/words.h"
#include "signer/pair.h"
#include "wire/courier.h"
#include "wire/egress.h"
#include "wire/prober.h"
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

/* What is here of one peer against what it has. */
struct auditor {
    uint64_t next_mono_ms;
    uint32_t every_ms;
    struct backoff backoff;
    struct call call;
    struct target *target;
    struct digest_words theirs; /* what it said last */
    struct store_digest here;
    uint64_t compared_at_ms; /* 0 = never */
    unsigned differing;      /* sums, when they were compared */
    struct exchange *asker;  /* the peer, of what we have; NULL: it doesn't */
    uint64_t tell_mono_ms;   /* it isn't told before */
    struct store_digest own;
};

enum lease_state {
    LEASE_QUEUED, /* in `queue` */
    LEASE_POSTED, /* in a post */
    LEASE_AWAY,   /* the peer has it */
};

/* One attempt that a peer is to make, until its outcome is here or its time is over. */
struct lease {
    struct list link; /* all of the peer's, by seq */
    struct list turn; /* in the queue, or in a post */
    enum lease_state state;
    bool posted_once;
    uint64_t seq;
    uint64_t begun_mono_ms, ends_mono_ms;
    struct forward *forward;
};

/* What a peer sends for us. */
struct forwards {
    struct list leases; /* by seq */
    struct list queue;  /* of them: to be posted */
    size_t lease_count;
    uint64_t byte_count;  /* of their bodies */
    uint64_t rows, bytes; /* that the peer takes */
    uint64_t last_seq;
    unsigned posts;        /* under way */
    uint64_t post_mono_ms; /* no post before */
    struct task flush;
    bool flushing; /* it is posted */

    char peer[INCARNATION_TEXT_MAX]; /* "": not known */
    uint64_t heard;                  /* outcomes up to here */
    bool polling;
    uint64_t poll_mono_ms; /* no poll before */
    struct call poll;
    struct target *poll_target;
};

/* What we send for a peer, by its own word. */
struct stand_in {
    char home[INCARNATION_TEXT_MAX]; /* of its process; "": not known */
    uint64_t seen;                   /* the highest seq that came */
    uint64_t floor;                  /* up to here it needs no more */
    struct list sending;
    size_t row_count;     /* of them */
    size_t byte_count;    /* of their bodies */
    struct list outcomes; /* that it hasn't fetched, by number */
    size_t outcome_count;
    uint64_t last;            /* the newest outcome's number */
    struct exchange *waiting; /* for an outcome */
    uint64_t until_mono_ms;
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
    struct auditor auditor;
    struct forwards forwards;
    struct stand_in stand_in;
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
    struct expiry expiry;
    struct region_condition conditions[REGIONS_MAX]; /* that were posted last */

    struct tls_context *tls;
    struct server *server; /* NULL: it doesn't listen */
    struct list readings;  /* answers.c: that are with the store */
    struct list waiting;   /* and that wait for an entry to come */
    size_t reading_count;  /* of both */
    uint64_t own_seq;      /* the end of our journal, as far as it was heard of */
    uint32_t audit_ms;

    struct peers_api api;
    struct elsewhere elsewhere;
    struct list carriages; /* carry.c */
    size_t carriage_count, carried_bytes;

    char run[INCARNATION_TEXT_MAX]; /* of this process, for what isn't on disk */
    struct forwarder forwarder;
    size_t late_count;     /* outcomes being recorded */
    struct courier *away;  /* to receivers, for peers; NULL once it is closed */
    struct prober *prober; /* likewise */
    size_t probe_count;    /* under way */

    bool retiring, closing, server_closed, leaving;
    uint64_t close_mono_ms; /* with `closed`: to begin closing at the latest */
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

struct caller *caller_to(struct link *link, uint8_t ordinal); /* NULL: no such peer */

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

/* auditor.c */
void auditor_open(struct caller *caller);
void auditor_fini(struct auditor *a);
void auditor_hurry(struct auditor *a); /* there is something to compare */
void auditor_poke(struct caller *caller, struct now now);
bool auditor_is_idle(const struct auditor *a);
void auditor_tell(struct caller *peer, struct exchange *x);
void auditor_condition(const struct auditor *a,
                       struct region_condition *out); /* its part of it */

/* answers.c */
void answers_reply(struct exchange *x, enum err err, struct buf *body); /* if it was written */
void answers_refuse(struct exchange *x, unsigned status, const char *code, const char *detail);
/* What stands in the query behind the name, up to '&' or the end; NULL: it isn't there. */
const char *answers_query(const struct exchange *x, const char *name);
/* A whole number in the query; false: it isn't there, or isn't one. */
bool answers_query_number(const struct exchange *x, const char *name, int64_t *out);
void answers_open(struct link *link);
void answers_on_request(struct exchange *x, void *ctx);
void answers_grown(struct link *link); /* our journal has; or whoever waits for it is to go */
void answers_poke(struct link *link, struct now now); /* time has passed */

/* carry.c */
void carry_open(struct link *link);
bool carry_is_idle(const struct link *link);
void carry_give_up(struct link *link, const struct caller *caller); /* it doesn't answer */

/* forwards.c */
void forwards_open(struct link *link);
void forwards_init(struct forwards *f);
void forwards_poke(struct caller *caller, struct now now);
void forwards_give_up(struct link *link, const struct region *region); /* it is dead */
bool forwards_are_idle(const struct forwards *f);

void forwards_end(struct forwards *f, struct lease *lease, enum forward_fate fate);
struct lease *forwards_find(struct forwards *f, uint64_t seq); /* NULL: none of this number */

/* The peer's process says who it is. True: it isn't the one that it was, if it was one; what that one
 * had is lost. */
bool forwards_meet(struct forwards *f, const char *incarnation);

/* posts.c */
void posts_start(struct caller *caller, struct now now); /* what may go out goes */

/* outcomes.c */
void outcomes_poll(struct caller *caller);

/* stand_in.c */
MUST_USE enum err stand_in_open(struct link *link, const struct link_options *options);
void stand_in_init(struct stand_in *s);
void stand_in_fini(struct stand_in *s); /* nothing is being sent */
void stand_in_take(struct caller *home, struct exchange *x);
void stand_in_tell(struct caller *home, struct exchange *x);
void stand_in_poke(struct caller *home, struct now now);
bool stand_in_is_idle(const struct stand_in *s);
bool stand_in_has_told(const struct stand_in *s); /* its home has all outcomes */

/* probes.c */
void probes_answer(struct link *link, struct exchange *x);

/* link.c */
/* Whether data of the application may be in the region of this index. */
bool link_permits(const struct link *link, const struct id *application, size_t region);
void link_settle(struct link *link); /* a caller's health may be another, or it is done */

#endif

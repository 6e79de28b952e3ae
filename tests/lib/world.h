/* World: a whole region in virtual time, on one loop.
 *
 * The store is the real one on a disk in memory, and so are the scheduler, its lanes and attempts;
 * clock, chance, subscribers and the disk's being full are fakes. Nothing sleeps: be_quiet() runs what
 * can run at this instant, run_until() moves the clock to the next instant at which something
 * happens. There is one world at a time. */
#ifndef TESTS_LIB_WORLD_H
#define TESTS_LIB_WORLD_H

#include "dispatcher/scheduler.h"
#include "store/backend.h"
#include "tests/lib/subscribers.h"
#include "tests/lib/temp.h"

struct world {
    uv_loop_t loop;
    char dir[TEMP_PATH_MAX];
    struct id_source ids;
    struct backend_ops backend;
    struct store *store;
    struct inbox inbox;
    struct catalog *catalog;
    struct store_follower follower;
    struct store_watcher watcher;
    struct scheduler *scheduler;
    struct scheduler_options options;
    struct subscribers subscribers;
    struct id application, manager;
    size_t messages;          /* sent; also the next payload */
    unsigned chatter_percent; /* chance of another message at each turn of the loop */
    unsigned asked;           /* requests of the test that the store has */
    enum err err;             /* of the last object put */
    unsigned pokes;           /* of the scheduler */
    uint64_t next_mono_ms;    /* when the scheduler wants to be poked */
};

/* Chance, time and the disk of the world there is. */
struct fate {
    struct now now;
    struct dice dice;
    bool disk_full;
};
extern struct fate fate;

/* Generous limits, to be narrowed before world_open(). */
struct world *world_new(uint64_t seed);
void world_open(struct world *w); /* with an application */
void world_free(struct world *w); /* stops what runs */

/* Until nothing more happens at this instant. */
void be_quiet(struct world *w);

/* Let time pass. */
void run_until(struct world *w, uint64_t mono_ms);
void run_for(struct world *w, uint64_t ms);

/* Stop and start everything on the same files. A crash loses what was under way. */
void world_restart(struct world *w, bool crash);

/* What clients do. */

struct subscriber *make_endpoint(struct world *w, uint32_t throttle_rate);
/* An operational endpoint that is disabled: what it is told stays in the outbox. */
void make_operational(struct world *w);
void set_disabled(struct world *w, struct subscriber *r, bool disabled);
void delete_endpoint(struct world *w, struct subscriber *r);

/* Of the application; 0 = none. */
void set_application_rate(struct world *w, uint32_t throttle_rate);

void send_messages(struct world *w, uint64_t count);

/* How often something of this type was told; the body of the last one into `last`, "" = none. */
#define TOLD_MAX 1024
size_t ask_told(struct world *w, const char *type, char last[TOLD_MAX]);

/* Deliveries that the outbox has pending. */
uint64_t ask_pending(struct world *w);

#endif

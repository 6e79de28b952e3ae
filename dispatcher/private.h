/* What the files of the scheduler share; nobody else includes it.
 *
 *   scheduler.c  where lanes stand, and what changes that; poke
 *   backlog.c    what is read from the outbox, and ended in it
 *   sending.c    attempts, from their start to their record
 *   tenants.c    whose turn it is among the lanes of an application that has a rate */
#ifndef DISPATCHER_PRIVATE_H
#define DISPATCHER_PRIVATE_H

#include "dispatcher/scheduler.h"
#include "dispatcher/survey.h"

/* The first word of a comment says which file writes a group of fields; all may read. */
struct scheduler {
    struct scheduler_options options;
    struct roster roster;
    size_t owed; /* all: attempts and store requests under way */

    /* scheduler.c: being in a list is a lane's state; the two others take lanes out */
    struct list ready;    /* may send; round robin */
    struct list wanting;  /* wait for a read */
    struct list doomed;   /* their endpoint is gone */
    struct agenda agenda; /* lanes that time will change */

    /* tenants.c: lanes that wait for others of their application are in its lists instead */
    struct tenant *tenants;
    struct agenda turns; /* tenants whose rate will allow the next */

    /* scheduler.c */
    uint64_t wall_ahead_ms; /* wall minus monotonic clock; wraps */
    bool stopping, canceled;

    /* backlog.c; scheduler.c asks for a survey */
    struct survey survey;
    uint64_t survey_mono_ms;   /* when to start the next */
    uint64_t surveyed_mono_ms; /* when the last was started */
    bool backlog_known;        /* one survey was complete */
    bool hints_lost;           /* since the last survey was started */
    unsigned refills;          /* under way */
    uint64_t store_mono_ms;    /* no reads before */
    struct store_end_lane end;
    struct lane *ending; /* NULL: `end` isn't under way */

    /* sending.c */
    struct attempt_desk desk;
    struct list flying;     /* attempts with the transport */
    struct list unrecorded; /* attempts that the store refused to record for now */
    size_t unrecorded_count;
    struct list spare;       /* attempts */
    unsigned in_flight;      /* length of `flying` */
    unsigned slots;          /* that in_flight may ever take */
    size_t recording;        /* attempts that were answered and aren't on disk yet */
    bool stalled;            /* records fail: start nothing */
    uint64_t record_mono_ms; /* when to ask for them again */
    uint64_t notice_mono_ms; /* no shortage is logged before */
    uint64_t sealed_mono_ms; /* nor an endpoint whose key isn't here */
};

/* The one place that decides where a lane stands. It may be freed. */
void scheduler_settle(struct scheduler *s, struct lane *lane, struct now now);

/* The endpoint's lane, made if need be. */
struct lane *scheduler_lane(struct scheduler *s, int64_t endpoint_key);

/* tenants.c. `lane` is of the application that `endpoint`, NULL when it is gone, belongs to, if that has a
 * rate. */
void tenants_join(struct scheduler *s, struct lane *lane, const struct endpoint *endpoint);

/* The application was edited. True: its lanes are to join anew, and then tenants_drop(). */
bool tenants_change_rate(struct scheduler *s, const struct application *application,
                         struct now now);
void tenants_drop(struct scheduler *s, const struct application *application);

/* Where a lane stands that may send, or may not; and that wants to read, or doesn't. */
void tenants_place(struct scheduler *s, struct lane *lane, bool may_send, struct now now);
void tenants_place_wanting(struct scheduler *s, struct lane *lane, bool wants);

/* Give turns to those that wait. */
void tenants_wake(struct scheduler *s, struct now now);

/* Whether a lane that is ready may send still; it was sent. */
bool tenants_allow(const struct lane *lane, struct now now);
void tenants_sent(struct scheduler *s, struct lane *lane, struct now now);
void tenants_fini(struct scheduler *s);

/* Start the reads that may start, and say when the next may. */
void backlog_init(struct scheduler *s);
void backlog_poke(struct scheduler *s, struct now now);
uint64_t backlog_next(const struct scheduler *s, struct now now);

/* The same for attempts. */
void sending_init(struct scheduler *s);
void sending_poke(struct scheduler *s, struct now now);
uint64_t sending_next(const struct scheduler *s);

/* Whether the lane has its share of what may be in flight. */
bool sending_is_sated(const struct scheduler *s, const struct lane *lane);

/* Ask once more for the records that the store refused. */
void sending_record_again(struct scheduler *s);

/* Frees what isn't in use. */
void sending_fini(struct scheduler *s);

static inline uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

#endif

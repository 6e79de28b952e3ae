/* What the files of the daemon share; nobody outside daemon/ includes it.
 *
 *   daemon.c        its life: loops, signals, start and end
 *   modules.c       what a region consists of, opened in order
 *   rekey.c         the master keys, and new ones while it runs
 *   missing_keys.c  those that stored values need and no file has
 *   stopping.c      and closed in reverse */
#ifndef DAEMON_PRIVATE_H
#define DAEMON_PRIVATE_H

#include "api/api.h"
#include "core/loop.h"
#include "daemon/daemon.h"
#include "daemon/settings.h"
#include "dispatcher/dispatcher.h"
#include "region/explainer.h"
#include "region/link.h"
#include "region/router.h"
#include "store/sealing.h"
#include "wire/server.h"

#define REKEY_STEPS 4 /* loops that have a keyring */

/* How far new master keys have come; the main loop's, but `task` and what is handed over are with
 * whoever has the task. */
struct rekey {
    struct rekeyer rekeyer;       /* for the api */
    struct list asked, served;    /* rekeyings: that wait for the next start, or for its end */
    bool busy, wanted;            /* files are being taken; and are to be read once more */
    bool stops;                   /* the daemon is to stop then */
    struct keyring *next;         /* what was read; NULL = nothing is on its way */
    struct keyring *both;         /* that and the one in use */
    const struct keyring *handed; /* one of the two */
    size_t step;
    struct task task;
    struct store_count_sealed count;
};

struct daemon {
    struct settings settings;
    struct id_source ids;
    struct server_limits limits;
    struct loop main, writer, reader, dispatch, api_loop, link_loop;
    struct health_board health;
    struct store *store;          /* each NULL until it is open */
    struct region_router *router; /* NULL in a region that is alone */
    struct region_explainer *explainer;
    struct dispatcher *dispatcher;
    struct api *api;
    struct link *link; /* both NULL in a region without peers */
    struct api *peers; /* for what they carry here */

    /* main loop */
    uv_signal_t term, interrupt, hangup;
    uv_timer_t deadline; /* of stopping */
    bool stopping;
    uint64_t stop_mono_ms; /* when that began */
    enum daemon_exit exit;
    struct rekey rekey;
    struct store_count_sealed sealed; /* once, at the start */
    struct task retire;               /* to the link */
    struct task step;                 /* to the module that closes next, and back */
};

/* modules.c: before the loops run. What was opened is to be closed even when it says no. */
enum daemon_exit modules_open(struct daemon *d);

/* rekey.c. What the store writes is sealed by this one; on the writer's loop, or before it runs. */
void rekey_store(struct store *store, const struct keyring *keyring);
void rekey_open(struct daemon *d);

/* From the main loop: read the files of the keys anew. */
void rekey_begin(struct daemon *d);

/* True: keys are handed round, and whoever wants to stop will be once they are. */
bool rekey_puts_off_stopping(struct daemon *d);

/* missing_keys.c, from the main loop: say which, now that all is open; and of what was counted. */
void missing_keys_look(struct daemon *d);
void missing_keys_tell(const struct store_count_sealed *count, const struct keyring *keyring);

/* stopping.c: from the main loop, which ends once all are closed. */
void stopping_begin(struct daemon *d);

#endif

/* What the files of the daemon share; nobody outside daemon/ includes it.
 *
 *   daemon.c    its life: loops, signals, start and end
 *   modules.c   what a region consists of, opened in order
 *   stopping.c  and closed in reverse */
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
#include "store/store.h"
#include "wire/server.h"

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
    uv_signal_t term, interrupt;
    uv_timer_t deadline; /* of stopping */
    bool stopping;
    uint64_t stop_mono_ms; /* when that began */
    enum daemon_exit exit;
    struct task retire; /* to the link */
    struct task step;   /* to the module that closes next, and back */
};

/* modules.c: before the loops run. What was opened is to be closed even when it says no. */
enum daemon_exit modules_open(struct daemon *d);

/* stopping.c: from the main loop, which ends once all are closed. */
void stopping_begin(struct daemon *d);

#endif

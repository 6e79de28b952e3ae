/* Usage: /api/v1/stats/usage, what applications of an organization use, counted in the background. */
#include "api/background.h"

#include <stdlib.h>
#include <string.h>

#include "api/reply.h"
#include "api/routes.h"
#include "core/mem.h"

static void resolve(struct request *r);
static bool take_all(struct request *r, bool here_alone);

void usage_drop(struct usage *usage)
{
    for (size_t i = 0; i < usage->count; i++)
        object_unref(&usage->applications[i]->base);
    free(usage->applications);
    text_list_fini(&usage->ids);
    text_list_fini(&usage->unresolved);
}

void usage_count_destinations(struct request *r)
{
    struct faults faults = { .count = 0 };

    if (!request_read_body(r, true))
        return;
    r->background.kind = BACKGROUND_STATS;
    read_usage(r->body, r->now.wall_ms, &r->background, &r->usage.ids, &faults);
    if (faults.count > 0) {
        reply_faults(r, &faults);
        return;
    }
    if (r->usage.ids.count > 0)
        resolve(r);
    else if (!take_all(r, true))
        return;
    if (r->usage.ids.count > 0 && r->usage.count == 0) {
        faults_add(&faults, FAULT_VALUE, "body/appIds", "there is none of them here");
        reply_faults(r, &faults);
        return;
    }
    background_begin(r);
}

void usage_list_event_types(struct request *r)
{
    r->background.kind = BACKGROUND_EVENT_TYPES;
    r->background.until_ms = r->now.wall_ms;
    if (take_all(r, false))
        background_begin(r);
}

/* Messages are where the application's home is. */
static bool is_home(const struct request *r, const struct application *application)
{
    const struct region *self = topology_self(r->services->topology);
    uint8_t home = application->residency.home;

    return !self || home == 0 || home == self->ordinal;
}

static void take(struct request *r, struct application *application)
{
    object_ref(&application->base);
    r->usage.applications[r->usage.count++] = application;
}

static bool is_taken(const struct request *r, const struct application *application)
{
    for (size_t i = 0; i < r->usage.count; i++)
        if (id_equal(&r->usage.applications[i]->base.id, &application->base.id))
            return true;
    return false;
}

/* One may be named by its id and its uid. */
static void resolve(struct request *r)
{
    const struct text_list *ids = &r->usage.ids;

    r->usage.applications = xcalloc(ids->count, sizeof(struct application *));
    for (size_t i = 0; i < ids->count; i++) {
        struct application *application = request_application_named(r, ids->items[i]);
        if (!application || !is_home(r, application))
            text_list_add(&r->usage.unresolved, ids->items[i], strlen(ids->items[i]));
        else if (!is_taken(r, application))
            take(r, application);
    }
}

struct taking {
    struct request *request;
    bool here_alone;
    bool is_over; /* there are more than a task may be about */
};

static void take_one(struct object *object, void *ctx)
{
    struct taking *taking = ctx;
    struct request *r = taking->request;

    if (object->kind != OBJECT_APPLICATION ||
        !id_equal(&object->organization, &r->token.organization) ||
        (taking->here_alone && !is_home(r, as_application(object))))
        return;
    if (r->usage.count < USAGE_APPLICATIONS_MAX)
        take(r, as_application(object));
    else
        taking->is_over = true;
}

/* All of the organization. False: answered, there are too many. */
static bool take_all(struct request *r, bool here_alone)
{
    struct taking taking = { .request = r, .here_alone = here_alone };

    r->usage.applications = xcalloc(USAGE_APPLICATIONS_MAX, sizeof(struct application *));
    catalog_each(r->services->catalog, take_one, &taking);
    if (taking.is_over)
        reply_error(r, 400, "limit_reached", "There are more than 10000 applications");
    return !taking.is_over;
}

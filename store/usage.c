/* Usage: a bite of a background task that looks at which event types an application's endpoints ask
 * for. That is in the writer's catalog, and asks for no SQL but to keep what was found. */
#include "store/private.h"

#include <string.h>

#define APPLICATIONS_LOOKED_AT 50 /* in one bite */

static void look_at_endpoint(struct endpoint *endpoint, void *ctx)
{
    struct background_usage *usage = ctx;
    const struct text_list *types = &endpoint->event_types;

    if (types->count == 0)
        usage->has_catch_all = true;
    for (size_t i = 0; i < types->count && usage->event_types.count < USAGE_EVENT_TYPES_MAX;
         i++)
        if (!text_list_has(&usage->event_types, types->items[i]))
            text_list_add(&usage->event_types, types->items[i], strlen(types->items[i]));
}

enum err usage_bite(struct store *s, struct background_task *task)
{
    enum err err = ERR_OK;

    for (unsigned i = 0; !err && i < APPLICATIONS_LOOKED_AT; i++) {
        struct background_usage usage;
        err = s->ops->next_usage(s->backend, task, &usage);
        if (err)
            break;
        usage.is_done = true;
        catalog_each_endpoint(s->catalog, &usage.application, look_at_endpoint, &usage);
        err = s->ops->keep_usage(s->backend, task, &usage);
        background_usage_fini(&usage);
        task->done++;
    }
    if (err == ERR_NOT_FOUND) {
        task->status = BACKGROUND_FINISHED;
        err = ERR_OK;
    }
    return err;
}

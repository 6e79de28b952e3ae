#include "core/background_task.h"

#include <stdlib.h>
#include <string.h>

bool background_sends(enum background_kind kind)
{
    return kind == BACKGROUND_RECOVER || kind == BACKGROUND_REPLAY_MISSING ||
           kind == BACKGROUND_BULK_REPLAY;
}

bool background_counts(enum background_kind kind)
{
    return kind == BACKGROUND_STATS || kind == BACKGROUND_EVENT_TYPES;
}

const char *background_kind_text(enum background_kind kind)
{
    static const char *const TEXTS[BACKGROUND_KINDS] = {
        [BACKGROUND_RECOVER] = "endpoint.recover",
        [BACKGROUND_REPLAY_MISSING] = "endpoint.replay",
        [BACKGROUND_BULK_REPLAY] = "endpoint.bulk-replay",
        [BACKGROUND_PURGE] = "application.purge_content",
        [BACKGROUND_STATS] = "application.stats",
        [BACKGROUND_EVENT_TYPES] = "event-type.aggregate",
    };

    return TEXTS[kind];
}

const char *background_status_text(enum background_status status)
{
    static const char *const TEXTS[BACKGROUND_STATUSES] = {
        [BACKGROUND_RUNNING] = "running",
        [BACKGROUND_FINISHED] = "finished",
        [BACKGROUND_FAILED] = "failed",
    };

    return TEXTS[status];
}

enum err background_kind_parse(const char *text, enum background_kind *out)
{
    for (enum background_kind kind = 0; kind < BACKGROUND_KINDS; kind++)
        if (strcmp(background_kind_text(kind), text) == 0) {
            *out = kind;
            return ERR_OK;
        }
    return ERR_INVALID;
}

enum err background_status_parse(const char *text, enum background_status *out)
{
    for (enum background_status status = 0; status < BACKGROUND_STATUSES; status++)
        if (strcmp(background_status_text(status), text) == 0) {
            *out = status;
            return ERR_OK;
        }
    return ERR_INVALID;
}

int64_t background_above(const struct background_task *task)
{
    int64_t from = id_key_at(task->since_ms) - 1;

    return task->reached_key > from ? task->reached_key : from;
}

int64_t background_below(const struct background_task *task)
{
    return id_key_at(task->until_ms + ID_TICK_MS);
}

void background_task_begin(struct background_task *task, struct id_source *ids, uint64_t now_ms)
{
    task->id = id_new(ids, now_ms);
    task->status = BACKGROUND_RUNNING;
    task->created_at_ms = task->updated_at_ms = id_instant_ms(&task->id, now_ms);
}

void background_task_fini(struct background_task *task)
{
    text_list_fini(&task->event_types);
    free(task->channel);
    free(task->tag);
}

void background_usage_fini(struct background_usage *usage)
{
    free(usage->uid);
    text_list_fini(&usage->event_types);
}

void background_usages_fini(struct background_usage *usages, size_t count)
{
    for (size_t i = 0; i < count; i++)
        background_usage_fini(&usages[i]);
    free(usages);
}

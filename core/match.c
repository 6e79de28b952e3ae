#include "core/match.h"

#include <string.h>

static bool share_one(const struct text_list *a, const struct text_list *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (text_list_has(b, a->items[i]))
            return true;
    return false;
}

bool match_wants(const struct endpoint *endpoint, const char *event_type,
                 const struct text_list *channels)
{
    if (endpoint->base.deleted)
        return false;
    if (endpoint->event_types.count > 0 && !text_list_has(&endpoint->event_types, event_type))
        return false;
    return endpoint->channels.count == 0 || share_one(&endpoint->channels, channels);
}

static bool has_flag(const char *flags, const char *flag)
{
    size_t len = strlen(flag);

    for (const char *at = flags; *at; at += strcspn(at + 1, "\n") + 1)
        if (strncmp(at + 1, flag, len) == 0 && at[1 + len] == '\n')
            return true;
    return false;
}

bool match_shows(const struct event_type *type, const char *flags)
{
    const struct text_list *wanted = &type->feature_flags;

    for (size_t i = 0; i < wanted->count; i++)
        if (has_flag(flags, wanted->items[i]))
            return true;
    return wanted->count == 0;
}

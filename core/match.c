#include "core/match.h"

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

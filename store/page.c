#include "store/page.h"

#include <assert.h>
#include <string.h>

#define ITEM_SIZE_MAX 256

/* What the cursor leaves of a walk. */
static void walk_from_cursor(struct walk *walk, const struct page *page)
{
    int64_t cursor = id_key(&page->cursor);

    if (!page->has_cursor)
        return;
    if (walk->ascending && cursor > walk->above)
        walk->above = cursor;
    if (!walk->ascending && cursor < walk->below)
        walk->below = cursor;
}

struct walk walk_page(const struct page *page)
{
    struct walk walk = {
        .above = INT64_MIN,
        .below = INT64_MAX,
        .ascending = page->ascending != page->before,
        .reversed = page->before,
    };

    assert(page->limit >= 1 && page->limit <= PAGE_LIMIT_MAX);
    walk_from_cursor(&walk, page);
    return walk;
}

struct walk walk_filtered(const struct page *page, const struct message_filter *filter)
{
    bool oldest = filter->after_ms > 0 && filter->before_ms == 0 && !page->has_cursor;
    struct walk walk = walk_page(page);

    if (oldest && !walk.ascending) {
        walk.ascending = true;
        walk.reversed = !walk.reversed;
    }
    if (filter->after_ms > 0)
        walk.above = id_key_at(filter->after_ms) - 1;
    if (filter->before_ms > 0)
        walk.below = id_key_at(filter->before_ms + ID_TICK_MS);
    walk_from_cursor(&walk, page);
    return walk;
}

bool filter_takes_time(const struct message_filter *filter, uint64_t at_ms)
{
    return (filter->after_ms == 0 || at_ms > filter->after_ms) &&
           (filter->before_ms == 0 || at_ms < filter->before_ms);
}

struct page_span span_of(const struct walk *walk, const struct id *first, const struct id *last,
                         const struct id *reached)
{
    struct page_span span = { 0 };

    if (first)
        span = (struct page_span){ *first, *last };
    if (!id_is_zero(reached))
        *(walk->reversed ? &span.first : &span.last) = *reached;
    return span;
}

void page_reverse(void *items, size_t count, size_t size)
{
    unsigned char spare[ITEM_SIZE_MAX];

    assert(size <= sizeof spare);
    for (size_t i = 0; i < count / 2; i++) {
        unsigned char *head = (unsigned char *)items + i * size;
        unsigned char *tail = (unsigned char *)items + (count - 1 - i) * size;
        memcpy(spare, head, size);
        memcpy(head, tail, size);
        memcpy(tail, spare, size);
    }
}

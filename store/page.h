/* Page: which part of an ordered list a page is, and in which direction to read it. Pure. */
#ifndef STORE_PAGE_H
#define STORE_PAGE_H

#include "store/store.h"

/* A page of messages holds no more payload: the reader's thread is shared. */
#define PAGE_BYTES_MAX (16u * 1024 * 1024)

/* Read rows with above < key < below, ascending or not, then turn them round if `reversed`. */
struct walk {
    int64_t above, below;
    bool ascending;
    bool reversed;
};

/* By id, everything. */
struct walk walk_page(const struct page *page);

/* By id and time. The bounds hold every row whose time passes the filter, and a few others: ids
 * count in steps of 4 ms. With `after_ms` alone the oldest rows are read. */
struct walk walk_filtered(const struct page *page, const struct message_filter *filter);

/* Whether an instant passes the filter. */
bool filter_takes_time(const struct message_filter *filter, uint64_t at_ms);

/* The span of a page that was read by `walk` and has been turned round if it says so: what it
 * holds (NULL: nothing), and how far it looked when that ended it (zero: something else did). */
struct page_span span_of(const struct walk *walk, const struct id *first, const struct id *last,
                         const struct id *reached);

/* Turn `count` items of `size` bytes round. */
void page_reverse(void *items, size_t count, size_t size);

#endif

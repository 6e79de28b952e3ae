/* Bytes from a peer as what regions say to each other.
 *
 * Holds: what is understood can be said again, and is then understood as the same. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "region/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void try_hello(const uint8_t *data, size_t size)
{
    struct hello_words words, again;
    struct buf text = BUF_INIT(4096);

    if (hello_read(data, size, &words) != ERR_OK)
        return;
    must(hello_write(&words, &text) == ERR_OK);
    must(hello_read(text.bytes, text.len, &again) == ERR_OK);
    must(again.ordinal == words.ordinal && strcmp(again.region, words.region) == 0);
    buf_fini(&text);
}

static void try_ping(const uint8_t *data, size_t size)
{
    struct ping_words words, again;
    struct buf text = BUF_INIT(4096);

    if (ping_read(data, size, &words) != ERR_OK)
        return;
    must(ping_write(&words, &text) == ERR_OK);
    must(ping_read(text.bytes, text.len, &again) == ERR_OK);
    must(memcmp(&again, &words, sizeof words) == 0);
    buf_fini(&text);
}

static void try_changes(const uint8_t *data, size_t size)
{
    struct changes_words words, again;
    struct buf text = BUF_INIT(WORDS_LEN_MAX);

    if (changes_read(data, size, &words) != ERR_OK)
        return;
    must(changes_write(&words, &text) == ERR_OK);
    must(changes_read(text.bytes, text.len, &again) == ERR_OK);
    must(again.count == words.count && again.last == words.last);
    journal_entries_free(words.entries, words.count);
    journal_entries_free(again.entries, again.count);
    buf_fini(&text);
}

static void try_digest(const uint8_t *data, size_t size)
{
    struct digest_words words, again;
    struct buf text = BUF_INIT(16384);

    if (digest_read(data, size, &words) != ERR_OK)
        return;
    must(digest_write(&words, &text) == ERR_OK);
    must(digest_read(text.bytes, text.len, &again) == ERR_OK);
    must(again.seq == words.seq && again.count == words.count);
    must(memcmp(again.sums, words.sums, sizeof words.sums) == 0);
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_hello(data, size);
    try_ping(data, size);
    try_changes(data, size);
    try_digest(data, size);
    return 0;
}

/* Bytes from a stranger as a bookmark, and behind a MAC of ours.
 *
 * Holds: what nobody signed is refused; what is taken is written as it was read. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/bookmark.h"
#include "core/mem.h"

static struct bookmark_signer *signer;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void start(void)
{
    char key[MASTER_KEY_TEXT_MAX];
    struct keyring *keyring;

    keyring_generate(key);
    if (keyring_new(key, &keyring) != ERR_OK)
        abort();
    signer = bookmark_signer_new(keyring);
    keyring_free(keyring);
}

/* Any marks, as the bytes come. */
static void write_and_read(const uint8_t *data, size_t size)
{
    struct bookmark written = { .count = 0 }, read;
    char text[BOOKMARK_TEXT_MAX], again[BOOKMARK_TEXT_MAX];

    while (size >= 2 && written.count < REGIONS_MAX) {
        struct bookmark_mark mark = { .origin = data[0], .seq = data[1] };
        memcpy(mark.incarnation, data, size < 4 ? size : 4);
        bookmark_add(&written, &mark);
        data += 2;
        size -= 2;
    }
    bookmark_write(signer, &written, text);
    enum err err = bookmark_read(signer, text, &read);
    assert(err == ERR_OK);
    bookmark_write(signer, &read, again);
    assert(strcmp(text, again) == 0);
    assert(!bookmark_missing(&read, &written));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bookmark read;

    if (!signer)
        start();

    char *text = xmemdup(data, size);
    enum err err = bookmark_read(signer, text, &read);
    assert(err == ERR_INVALID || err == ERR_DENIED);
    free(text);
    write_and_read(data, size);
    return 0;
}

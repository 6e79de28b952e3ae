#include "api/bookmark.h"

#include <assert.h>
#include <string.h>

#include "core/big_endian.h"
#include "core/mem.h"
#include "signer/mac.h"

#define VERSION   1
#define KEY_LABEL "posthaste bookmark 1"
#define SEQ_LEN   8

struct bookmark_signer {
    struct mac *mac;
    uint8_t key[MAC_LEN]; /* that signs */
    size_t count;
    uint8_t (*keys)[MAC_LEN]; /* that may have signed: one for each key for tokens */
};

const struct bookmark_mark *bookmark_find(const struct bookmark *bookmark, uint8_t origin)
{
    for (size_t i = 0; i < bookmark->count; i++)
        if (bookmark->marks[i].origin == origin)
            return &bookmark->marks[i];
    return NULL;
}

static bool is_same_life(const struct bookmark_mark *a, const struct bookmark_mark *b)
{
    return memcmp(a->incarnation, b->incarnation, BOOKMARK_INCARNATION_LEN) == 0;
}

void bookmark_add(struct bookmark *bookmark, const struct bookmark_mark *mark)
{
    struct bookmark_mark *marks = bookmark->marks;
    size_t at = 0;

    while (at < bookmark->count && marks[at].origin < mark->origin)
        at++;
    if (at < bookmark->count && marks[at].origin == mark->origin) {
        if (!is_same_life(&marks[at], mark) || marks[at].seq < mark->seq)
            marks[at] = *mark;
        return;
    }
    if (bookmark->count == REGIONS_MAX)
        return;
    memmove(&marks[at + 1], &marks[at], (bookmark->count - at) * sizeof *marks);
    marks[at] = *mark;
    bookmark->count++;
}

void bookmark_add_all(struct bookmark *bookmark, const struct bookmark *from)
{
    for (size_t i = 0; i < from->count; i++)
        bookmark_add(bookmark, &from->marks[i]);
}

const struct bookmark_mark *bookmark_missing(const struct bookmark *wanted,
                                             const struct bookmark *here)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const struct bookmark_mark *mark = &wanted->marks[i];
        const struct bookmark_mark *reached = bookmark_find(here, mark->origin);
        if (!reached || !is_same_life(reached, mark) || reached->seq < mark->seq)
            return mark;
    }
    return NULL;
}

/* Signing. */

static void make_key(struct bookmark_signer *signer, const uint8_t token_key[TOKEN_KEY_LEN],
                     uint8_t out[MAC_LEN])
{
    mac_start(signer->mac, token_key, TOKEN_KEY_LEN);
    mac_add(signer->mac, KEY_LABEL, strlen(KEY_LABEL));
    mac_finish(signer->mac, out);
}

struct bookmark_signer *bookmark_signer_new(const struct keyring *keyring)
{
    struct bookmark_signer *signer = xcalloc(1, sizeof *signer);

    signer->mac = mac_new();
    signer->count = keyring_token_key_count(keyring);
    signer->keys = xcalloc(signer->count, sizeof *signer->keys);
    for (size_t i = 0; i < signer->count; i++)
        make_key(signer, keyring_token_key_at(keyring, i), signer->keys[i]);
    make_key(signer, keyring_token_key(keyring), signer->key);
    return signer;
}

void bookmark_signer_free(struct bookmark_signer *signer)
{
    if (!signer)
        return;
    mac_free(signer->mac);
    free(signer->keys);
    free(signer);
}

static void sign(struct bookmark_signer *signer, const uint8_t key[MAC_LEN],
                 const uint8_t *bytes, size_t len, uint8_t out[MAC_LEN])
{
    mac_start(signer->mac, key, MAC_LEN);
    mac_add(signer->mac, bytes, len);
    mac_finish(signer->mac, out);
}

static bool is_signed(struct bookmark_signer *signer, const uint8_t *bytes, size_t len)
{
    uint8_t mac[MAC_LEN];
    bool is_ours = false;

    for (size_t i = 0; i < signer->count && !is_ours; i++) {
        sign(signer, signer->keys[i], bytes, len, mac);
        is_ours = mac_equal(mac, bytes + len, BOOKMARK_MAC_LEN);
    }
    return is_ours;
}

void bookmark_write(struct bookmark_signer *signer, const struct bookmark *bookmark,
                    char out[BOOKMARK_TEXT_MAX])
{
    uint8_t bytes[BOOKMARK_BYTES_MAX], *end = bytes, mac[MAC_LEN];

    assert(bookmark->count <= REGIONS_MAX);
    *end++ = VERSION;
    for (size_t i = 0; i < bookmark->count; i++) {
        const struct bookmark_mark *mark = &bookmark->marks[i];
        *end++ = mark->origin;
        memcpy(end, mark->incarnation, BOOKMARK_INCARNATION_LEN);
        end += BOOKMARK_INCARNATION_LEN;
        big_endian_put(end, mark->seq, SEQ_LEN);
        end += SEQ_LEN;
    }
    sign(signer, signer->key, bytes, (size_t)(end - bytes), mac);
    memcpy(end, mac, BOOKMARK_MAC_LEN);
    end += BOOKMARK_MAC_LEN;
    base64url_encode(bytes, (size_t)(end - bytes), out);
}

static struct bookmark_mark read_mark(const uint8_t *bytes)
{
    struct bookmark_mark mark = { .origin = *bytes++ };

    memcpy(mark.incarnation, bytes, BOOKMARK_INCARNATION_LEN);
    bytes += BOOKMARK_INCARNATION_LEN;
    mark.seq = big_endian_get(bytes, SEQ_LEN);
    return mark;
}

enum err bookmark_read(struct bookmark_signer *signer, const char *text, struct bookmark *out)
{
    uint8_t bytes[BOOKMARK_BYTES_MAX];
    struct bookmark read = { .count = 0 };
    size_t len;

    if (base64url_decode(text, strlen(text), bytes, sizeof bytes, &len) != ERR_OK ||
        len < 1 + BOOKMARK_MAC_LEN || bytes[0] != VERSION ||
        (len - 1 - BOOKMARK_MAC_LEN) % BOOKMARK_MARK_LEN != 0)
        return ERR_INVALID;
    len -= BOOKMARK_MAC_LEN;
    if (!is_signed(signer, bytes, len))
        return ERR_DENIED;
    for (size_t at = 1; at < len; at += BOOKMARK_MARK_LEN)
        read.marks[read.count++] = read_mark(bytes + at);
    *out = read;
    return ERR_OK;
}

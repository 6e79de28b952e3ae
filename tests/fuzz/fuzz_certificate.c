/* Bytes from a stranger as a peer's certificate: triples of an offset and a byte to put there,
 * over a good one; after a first byte of 0 they are the whole of it.
 *
 * Holds: what is refused is explained; what is accepted names a region, and makes a pair or is
 * refused for a reason, too. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base64.h"
#include "signer/certificate.h"
#include "signer/pair.h"

#define DER_MAX   4096
#define LINE_LEN  64 /* of PEM */
#define PEM_BEGIN "-----BEGIN CERTIFICATE-----\n"
#define PEM_END   "-----END CERTIFICATE-----\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct der {
    uint8_t bytes[DER_MAX];
    size_t len;
};

static struct buf own, own_key;
static struct der good;

static void make_certificate(const char *region, struct buf *out, struct buf *out_key)
{
    *out = BUF_INIT(CERTIFICATE_PEM_MAX);
    *out_key = BUF_INIT(CERTIFICATE_PEM_MAX);
    if (certificate_create(region, (uint64_t)time(NULL), 1, out, out_key) != ERR_OK)
        abort();
}

static void make_good(void)
{
    struct buf pem, key;
    char text[CERTIFICATE_PEM_MAX];
    size_t len = 0;

    make_certificate("iad", &pem, &key);
    const char *end = strstr(buf_text(&pem), PEM_END);
    for (const char *p = buf_text(&pem) + strlen(PEM_BEGIN); p < end; p++)
        if (*p != '\n')
            text[len++] = *p;
    if (base64_decode(text, len, good.bytes, DER_MAX, &good.len) != ERR_OK)
        abort();
    buf_fini(&pem);
    buf_fini(&key);
}

static struct der damage(const uint8_t *data, size_t size)
{
    struct der der = good;

    for (size_t i = 0; i + 3 <= size; i += 3)
        der.bytes[((size_t)data[i] << 8 | data[i + 1]) % der.len] = data[i + 2];
    return der;
}

static void write_pem(const struct der *der, struct buf *out)
{
    char text[BASE64_LEN(DER_MAX) + 1];
    enum err err = buf_append_text(out, PEM_BEGIN);

    base64_encode(der->bytes, der->len, text);
    for (size_t at = 0; !err && at < strlen(text); at += LINE_LEN)
        err = buf_printf(out, "%.*s\n", LINE_LEN, text + at);
    if (err || buf_append_text(out, PEM_END) != ERR_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf pem = BUF_INIT(2 * CERTIFICATE_PEM_MAX);
    struct der der = { .len = 0 };
    struct certificate certificate;
    struct pair *pair = NULL;
    const char *why = NULL;

    if (size == 0 || size > DER_MAX)
        return 0;
    if (own.len == 0) {
        make_certificate("fra", &own, &own_key);
        make_good();
    }
    if (data[0] == 0) {
        der.len = size - 1;
        memcpy(der.bytes, data + 1, der.len);
    } else {
        der = damage(data + 1, size - 1);
    }
    write_pem(&der, &pem);

    if (certificate_read(buf_text(&pem), &certificate, &why) != ERR_OK) {
        assert(why && *why);
    } else {
        assert(region_name_is_valid(certificate.name));
        if (pair_new(buf_text(&own), buf_text(&own_key), buf_text(&pem), &pair, &why) != ERR_OK)
            assert(why && *why);
        pair_free(pair);
    }
    buf_fini(&pem);
    return 0;
}

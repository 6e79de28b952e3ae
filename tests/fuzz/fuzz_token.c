/* Bytes from a stranger as a token, and as the header and claims of one that we signed.
 *
 * Holds: what nobody signed lets nobody in; what is let in says who it is. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/mem.h"
#include "signer/mac.h"
#include "signer/token.h"

#define NOW_S UINT64_C(1764000000)

static struct keyring *keyring;
static struct token_checker *checker;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void start(void)
{
    char key[MASTER_KEY_TEXT_MAX];

    keyring_generate(key);
    if (keyring_new(key, &keyring) != ERR_OK)
        abort();
    checker = token_checker_new(keyring);
}

static char *append_base64url(char *end, const uint8_t *bytes, size_t len)
{
    base64url_encode(bytes, len, end);
    return end + BASE64URL_LEN(len);
}

/* The first NUL parts header from claims. */
static char *sign(const uint8_t *data, size_t size)
{
    size_t header_len = strnlen((const char *)data, size);
    size_t claims_at = header_len < size ? header_len + 1 : size;
    char *text = xcalloc(2 * size + 128, 1);
    uint8_t signature[MAC_LEN];
    struct mac *mac = mac_new();

    char *end = append_base64url(text, data, header_len);
    *end++ = '.';
    end = append_base64url(end, data + claims_at, size - claims_at);
    mac_start(mac, keyring_token_key(keyring), TOKEN_KEY_LEN);
    mac_add(mac, text, (size_t)(end - text));
    mac_finish(mac, signature);
    mac_free(mac);
    *end++ = '.';
    append_base64url(end, signature, MAC_LEN);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct token token;

    if (!checker)
        start();

    char *text = xmemdup(data, size);
    enum err err = token_check(checker, text, NOW_S, &token);
    assert(err == ERR_DENIED);
    free(text);

    text = sign(data, size);
    err = token_check(checker, text, NOW_S, &token);
    if (!err)
        assert(token.expires_at_s == 0 || token.expires_at_s > NOW_S);
    free(text);
    return 0;
}

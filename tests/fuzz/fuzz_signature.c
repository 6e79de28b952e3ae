/* Bytes from a stranger as a signature header and as a secret.
 *
 * Holds: a forged header never fits, and a secret that was read is written back as it was. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "signer/signer.h"

#define AT_S UINT64_C(1614265330)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_header(const char *header)
{
    static struct signer *signer;
    static struct secret secrets[2];
    const struct signed_text text = {
        .id = "msg_1", .at_s = AT_S, .body = "{}", .body_len = 2
    };

    if (!signer) {
        signer = signer_new();
        secret_generate(&secrets[0]);
        secret_generate(&secrets[1]);
    }
    enum err err =
        signer_verify(signer, secrets, 2, &text, header, AT_S, SIGNATURE_TOLERANCE_S);
    assert(err == ERR_DENIED || err == ERR_INVALID);
    (void)err;
}

static void check_secret(const char *text)
{
    struct secret secret;
    char again[SECRET_TEXT_MAX];

    if (secret_parse(text, &secret) != ERR_OK)
        return;
    assert(secret.len >= SECRET_LEN_MIN && secret.len <= SECRET_LEN_MAX);
    secret_format(&secret, again);
    assert(strcmp(again, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xmemdup(data, size);

    check_header(text);
    check_secret(text);
    free(text);
    return 0;
}

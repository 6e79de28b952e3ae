#include "signer/pair.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "core/mem.h"
#include "core/require.h"
#include "signer/certificate.h"
#include "signer/pem.h"
#include "signer/sealer.h"

#define SECRET_LEN 32 /* of ECDH on P-256 */

struct pair {
    struct sealer *to_peer;
    struct sealer *from_peer;
};

/* ECDH. False: the peer's key is no point of our curve. */
static bool agree(const char *key_pem, const char *peer_pem, uint8_t out[SECRET_LEN])
{
    size_t len = SECRET_LEN;
    EVP_PKEY *key = pem_key(key_pem);
    X509 *peer = pem_certificate(peer_pem);

    require(key != NULL && peer != NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    require(ctx != NULL && EVP_PKEY_derive_init(ctx) == 1);
    bool good = EVP_PKEY_derive_set_peer(ctx, X509_get0_pubkey(peer)) == 1 &&
                EVP_PKEY_derive(ctx, out, &len) == 1 && len == SECRET_LEN;
    EVP_PKEY_CTX_free(ctx);
    X509_free(peer);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}

/* For what the one with the first certificate seals for the one with the second. */
static struct sealer *make_sealer(const uint8_t secret[SECRET_LEN],
                                  const struct certificate *from, const struct certificate *to)
{
    uint8_t context[2 * REGION_DIGEST_LEN];

    memcpy(context, from->sha256, REGION_DIGEST_LEN);
    memcpy(context + REGION_DIGEST_LEN, to->sha256, REGION_DIGEST_LEN);
    return sealer_new(secret, SECRET_LEN, context, sizeof context);
}

enum err pair_new(const char *certificate, const char *key, const char *peer, struct pair **out,
                  const char **out_why)
{
    struct certificate own, other;
    uint8_t secret[SECRET_LEN];

    if (certificate_read(certificate, &own, out_why) != ERR_OK ||
        certificate_read(peer, &other, out_why) != ERR_OK)
        return ERR_INVALID;
    if (!certificate_has_key(certificate, key)) {
        *out_why = "the key isn't the certificate's";
        return ERR_CONFLICT;
    }
    if (memcmp(own.sha256, other.sha256, REGION_DIGEST_LEN) == 0) {
        *out_why = "the peer's certificate is our own";
        return ERR_CONFLICT;
    }
    if (!agree(key, peer, secret)) {
        *out_why = "the peer's certificate has a key that goes with none";
        return ERR_INVALID;
    }
    struct pair *pair = xcalloc(1, sizeof *pair);
    pair->to_peer = make_sealer(secret, &own, &other);
    pair->from_peer = make_sealer(secret, &other, &own);
    OPENSSL_cleanse(secret, sizeof secret);
    *out = pair;
    return ERR_OK;
}

void pair_free(struct pair *pair)
{
    if (!pair)
        return;
    sealer_free(pair->to_peer);
    sealer_free(pair->from_peer);
    free(pair);
}

enum err pair_seal(const struct pair *pair, const struct keyring *keyring, enum seal_use use,
                   const struct id *application, const struct id *endpoint,
                   const struct bytes *sealed, struct bytes *out)
{
    struct bytes plain;
    enum err err = keyring_unseal(keyring, use, application, endpoint, sealed, &plain);

    if (err)
        return err;
    sealer_seal(pair->to_peer, use, application, endpoint, plain.data, plain.len, out);
    keyring_wipe(&plain);
    return ERR_OK;
}

enum err pair_unseal(const struct pair *pair, const struct keyring *keyring, enum seal_use use,
                     const struct id *application, const struct id *endpoint,
                     const struct bytes *sealed, struct bytes *out)
{
    struct bytes plain;
    enum err err = sealer_unseal(pair->from_peer, use, application, endpoint, sealed, &plain);

    if (err)
        return err;
    keyring_seal(keyring, use, application, endpoint, plain.data, plain.len, out);
    keyring_wipe(&plain);
    return ERR_OK;
}

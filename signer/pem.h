/* PEM: certificates and keys as text, to OpenSSL's objects: private to certificate and pair.
 *
 * Thread: any. */
#ifndef SIGNER_PEM_H
#define SIGNER_PEM_H

#include <openssl/evp.h>
#include <openssl/x509.h>

/* NULL unless the text is one certificate and nothing else. X509_free() it. */
X509 *pem_certificate(const char *text);

/* NULL unless the text begins with a private key that needs no password. EVP_PKEY_free() it. */
EVP_PKEY *pem_key(const char *text);

#endif

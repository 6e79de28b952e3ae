#include "wire/tls_authorities.h"

#include <stdbool.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "core/file.h"
#include "core/require.h"

#define AUTHORITIES_LEN_MAX (16 * 1024 * 1024) /* bytes; the system's has some 250,000 */

/* As libcurl has OpenSSL read it: revocation lists may be among them. */
static bool has_certificate(const struct buf *pem)
{
    BIO *text = BIO_new_mem_buf(buf_text(pem), (int)pem->len);
    bool found = false;

    require(text != NULL);
    STACK_OF(X509_INFO) *items = PEM_X509_INFO_read_bio(text, NULL, NULL, NULL);
    for (int i = 0; i < sk_X509_INFO_num(items); i++)
        found = found || sk_X509_INFO_value(items, i)->x509 != NULL;
    sk_X509_INFO_pop_free(items, X509_INFO_free);
    BIO_free(text);
    ERR_clear_error();
    return found;
}

enum err tls_authorities_check(const char *path, const char **out_why)
{
    struct buf pem = BUF_INIT(AUTHORITIES_LEN_MAX);
    enum err err = file_read_all(path, &pem, NULL);

    if (err) {
        *out_why = err == ERR_LIMIT ? "is too large" : err_text(err);
    } else if (!has_certificate(&pem)) {
        err = ERR_INVALID;
        *out_why = "holds no certificate in PEM that can be read";
    }
    buf_fini(&pem);
    return err;
}

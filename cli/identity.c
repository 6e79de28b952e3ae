#include "cli/identity.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "signer/certificate.h"

struct identity identity_new(const char *region)
{
    struct identity identity = { BUF_INIT(CERTIFICATE_PEM_MAX), BUF_INIT(CERTIFICATE_PEM_MAX) };

    if (certificate_create(region, clock_now().wall_ms / 1000, CERTIFICATE_DAYS,
                           &identity.certificate, &identity.key) != ERR_OK)
        abort(); /* a limit of ours that is too low */
    return identity;
}

void identity_fini(struct identity *identity)
{
    if (identity->key.len > 0)
        explicit_bzero(identity->key.bytes, identity->key.len);
    buf_fini(&identity->key);
    buf_fini(&identity->certificate);
}

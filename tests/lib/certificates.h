/* Certificates of any kind, good or bad, self-signed. */
#ifndef TESTS_LIB_CERTIFICATES_H
#define TESTS_LIB_CERTIFICATES_H

#include "core/buf.h"

struct certificate_kind {
    const char *names; /* alternative ones, "URI:region:fra,DNS:…"; NULL = none */
    const char *curve; /* of its key; NULL = P-256; "RSA" = none */
    long from_s, to_s; /* when it is valid, from now; both 0: for an hour around it */
};

struct made_certificate {
    struct buf certificate, key; /* PEM */
};

struct made_certificate make_certificate(const struct certificate_kind *kind);

/* As `posthaste region certificate create` makes it. */
struct made_certificate make_region_certificate(const char *region);

void made_certificate_fini(struct made_certificate *made);

#endif

/* Authorities: a file of the certificates that receivers are trusted by. libcurl reads it with the
 * first delivery over TLS, and keeps it for a day; here it is read before, so that a wrong one is
 * noticed at the start.
 *
 * Blocks; for start-up and for commands. */
#ifndef WIRE_TLS_AUTHORITIES_H
#define WIRE_TLS_AUTHORITIES_H

#include "core/err.h"

/* Errors of file_read_all(); ERR_INVALID: it isn't PEM from end to end, or holds no certificate.
 * `*out_why` is then a fixed text. */
MUST_USE enum err tls_authorities_check(const char *path, const char **out_why);

#endif

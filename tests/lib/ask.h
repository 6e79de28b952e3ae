/* Ask: a request whose answer must have a status, in a test of one `site`. */
#ifndef TESTS_LIB_ASK_H
#define TESTS_LIB_ASK_H

#include "tests/lib/site.h"

/* As site_ask() to `site`, a variable where this stands, and leave the answer as `a`, which the test
 * finishes. A macro, so that a failure names the test's own line. */
#define ASK(want_status, ...)                                                                  \
    struct answer a = site_ask(&site, __VA_ARGS__);                                            \
    if (a.status != (unsigned)(want_status))                                                   \
    fail_msg("want %u, got %u %s", (unsigned)(want_status), a.status, a.body)

#endif

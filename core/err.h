/* Errors: one enum for the whole program, one fixed text per value.
 *
 * A function that can fail returns `enum err`; ERR_OK is 0. Results leave through
 * `out_` parameters, which are written only on ERR_OK. Codes of a library are translated
 * where they enter and travel no further. */
#ifndef CORE_ERR_H
#define CORE_ERR_H

/* clang-format off */
#define ERR_LIST(X)                                               \
    X(OK,          "ok")                                          \
    X(INVALID,     "invalid input")                               \
    X(DENIED,      "not allowed")                                 \
    X(NOT_FOUND,   "not found")                                   \
    X(CONFLICT,    "conflicts with the current state")            \
    X(STALE,       "changed by someone else in the meantime")     \
    X(LIMIT,       "limit reached")                               \
    X(BUSY,        "too much work is waiting")                    \
    X(TIMEOUT,     "timed out")                                   \
    X(CANCELED,    "canceled")                                    \
    X(UNAVAILABLE, "resource unavailable")                        \
    X(IN_USE,      "in use by another process")                   \
    X(FOREIGN,     "not an address of this machine")              \
    X(FULL,        "disk full")                                   \
    X(IO,          "i/o error")                                   \
    X(FOLDER,      "is a directory")                              \
    X(CORRUPT,     "stored data is corrupt")                      \
    X(SEALED,      "sealed by a key that isn't here")             \
    X(VERSION,     "written by a newer version of the program")
/* clang-format on */

enum err {
#define X(name, text) ERR_##name,
    ERR_LIST(X)
#undef X
};

#define MUST_USE __attribute__((warn_unused_result))

/* A short English phrase for `e`; never NULL, never freed. */
const char *err_text(enum err e);

#endif

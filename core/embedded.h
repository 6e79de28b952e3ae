/* Files compiled into the executable: see cmake/Embed.cmake, which writes the tables.
 *
 * A table named `embedded_<folder>` is sorted by path, files that the build made last, and ends
 * with a NULL path. The bytes of a file are followed by a NUL that isn't part of it. */
#ifndef CORE_EMBEDDED_H
#define CORE_EMBEDDED_H

struct embedded_file {
    const char *path; /* relative to the embedded folder */
    const char *begin, *end;
};

extern const struct embedded_file embedded_migrations_sqlite[];
extern const struct embedded_file embedded_cli_completion[];
extern const struct embedded_file embedded_api_docs[]; /* with the bundled openapi.json */

/* NULL if there is none. */
const struct embedded_file *embedded_find(const struct embedded_file *table, const char *path);

#endif

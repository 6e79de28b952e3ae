/* Store files: what is in the files of a store, as whoever has the disk sees it. */
#ifndef TESTS_LIB_STORE_FILES_H
#define TESTS_LIB_STORE_FILES_H

#include "tests/lib/store_fixture.h"

/* How often a text is in a file; one that isn't there has nothing. */
size_t store_files_count_in(const struct store_fixture *f, const char *name, const char *text);

/* The same in the regional file and its log. */
size_t store_files_count(const struct store_fixture *f, const char *text);

/* Rows of the regional file: `what` follows FROM. */
int64_t store_files_rows(const struct store_fixture *f, const char *what);

/* Run a statement on a file that no store has open; the first column of the last row. */
int64_t store_files_run(const struct store_fixture *f, const char *name, const char *sql);

/* Each message is in its application's list, and each attempt in its endpoint's, unless it is one of those that
 * are yet to be listed; and the lists have nothing else. */
void store_files_assert_listed(const struct store_fixture *f);

#endif

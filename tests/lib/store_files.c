#include "tests/lib/store_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

size_t store_files_count_in(const struct store_fixture *f, const char *name, const char *text)
{
    FILE *file = fopen(store_fixture_path(f, name), "rb");
    size_t len = strlen(text), found = 0, matched = 0;
    int c;

    if (!file)
        return 0;
    while ((c = getc(file)) != EOF) {
        matched = c == text[matched] ? matched + 1 : c == text[0];
        if (matched == len) {
            found++;
            matched = 0;
        }
    }
    fclose(file);
    return found;
}

size_t store_files_count(const struct store_fixture *f, const char *text)
{
    return store_files_count_in(f, "regional.db", text) +
           store_files_count_in(f, "regional.db-wal", text);
}

int64_t store_files_rows(const struct store_fixture *f, const char *what)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    const char *path = store_fixture_path(f, "regional.db");
    char *sql = sqlite3_mprintf("SELECT count(*) FROM %s", what);

    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, "unix"), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t rows = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    sqlite3_close(db);
    sqlite3_free(sql);
    return rows;
}

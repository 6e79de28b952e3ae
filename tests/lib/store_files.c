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

int64_t store_files_run(const struct store_fixture *f, const char *name, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    int64_t value = 0;

    assert_int_equal(sqlite3_open(store_fixture_path(f, name), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    sqlite3_close(db);
    return value;
}

static void assert_list(const struct store_fixture *f, const char *table, const char *owner)
{
    char *missing = sqlite3_mprintf("%s AS r, totals AS t"
                                    " WHERE r.key <= t.%s_listed_to"
                                    "   AND NOT EXISTS (SELECT 1 FROM %s_listed AS l"
                                    "                    WHERE l.%s = r.%s AND l.key = r.key)",
                                    table, table, table, owner, owner);
    char *others = sqlite3_mprintf("%s_listed AS l, totals AS t"
                                   " WHERE l.key > t.%s_listed_to"
                                   "    OR NOT EXISTS (SELECT 1 FROM %s AS r"
                                   "                    WHERE r.%s = l.%s AND r.key = l.key)",
                                   table, table, table, owner, owner);

    assert_int_equal(store_files_rows(f, missing), 0);
    assert_int_equal(store_files_rows(f, others), 0);
    sqlite3_free(missing);
    sqlite3_free(others);
}

void store_files_assert_listed(const struct store_fixture *f)
{
    assert_list(f, "messages", "application_key");
    assert_list(f, "attempts", "endpoint_key");
}

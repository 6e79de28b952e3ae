/* SQLite alone: the rows that a delivered message leaves behind, in the outbox's own schema, and
 * nothing else: no threads, no HTTP, no delivery.
 *
 *   sqlite_ceiling DIR MESSAGES GROUP [TENANTS [INDEX]]
 *
 * Each transaction writes GROUP messages of 1 KiB with a delivery each, and the attempts and the
 * final states of the GROUP before; every LIST_ROWS messages, with their attempts, are listed by
 * their owners. TENANTS (1) applications with one endpoint each take turns; INDEX, or the list of
 * that name, is left out, to see what it costs. Prints one JSON object. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include "core/embedded.h"

#define PAYLOAD_LEN 1024
#define LIST_ROWS   2048 /* as store/sqlite_listing.c has it */

enum statement {
    INSERT_MESSAGE,
    INSERT_DELIVERY,
    INSERT_ATTEMPT,
    MARK_DELIVERED,
    LIST_MESSAGES,
    LIST_ATTEMPTS,
    STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
    [INSERT_MESSAGE] =
        "INSERT INTO messages (key, tail, application_key, application_tail, event_type,"
        "                      created_at_ms, expires_at_ms, payload)"
        " VALUES (?1, zeroblob(12), ?2, zeroblob(12), 'order.paid', 0, 0, ?3)",
    [INSERT_DELIVERY] =
        "INSERT INTO deliveries (message_key, endpoint_key, state, attempts, due_at_ms)"
        " VALUES (?1, ?2, 0, 0, ?1)",
    [INSERT_ATTEMPT] =
        "INSERT INTO attempts (key, tail, message_key, endpoint_key, endpoint_tail, number,"
        "                      status, trigger, response_status, duration_ms, started_at_ms,"
        "                      next_attempt_at_ms, url)"
        " VALUES (?1, zeroblob(12), ?1, ?2, zeroblob(12), 1, 0, 0, 204, 1, 0, 0,"
        "         'http://127.0.0.1:8080/hook')",
    [MARK_DELIVERED] = "UPDATE deliveries SET state = 1, attempts = 1"
                       " WHERE message_key = ?1 AND endpoint_key = ?2 AND state = 0",
    [LIST_MESSAGES] = "INSERT INTO messages_listed (application_key, key)"
                      " SELECT application_key, key FROM messages WHERE key > ?1 AND key <= ?2"
                      " ORDER BY application_key, key",
    [LIST_ATTEMPTS] = "INSERT INTO attempts_listed (endpoint_key, key)"
                      " SELECT endpoint_key, key FROM attempts WHERE key > ?1 AND key <= ?2"
                      " ORDER BY endpoint_key, key",
};

struct load {
    int64_t messages, group, tenants;
    int64_t listed;
    const char *without; /* NULL = with all */
};

static uint8_t payload[PAYLOAD_LEN];

static void check(sqlite3 *db, int code, int wanted)
{
    if (code == wanted)
        return;
    fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static void run(sqlite3 *db, const char *text)
{
    check(db, sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
}

/* A tenant's number stands for its application and its endpoint. */
static void step(sqlite3 *db, sqlite3_stmt *statement, int64_t first, int64_t second)
{
    check(db, sqlite3_bind_int64(statement, 1, first), SQLITE_OK);
    check(db, sqlite3_bind_int64(statement, 2, second), SQLITE_OK);
    check(db, sqlite3_step(statement), SQLITE_DONE);
    sqlite3_reset(statement);
}

static void create_schema(sqlite3 *db)
{
    run(db, "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 1000");
    for (const struct embedded_file *file = embedded_migrations_sqlite; file->path; file++)
        if (strncmp(file->path, "regional/", strlen("regional/")) == 0)
            run(db, file->begin);
}

static bool is_list(const char *name)
{
    return strcmp(name, "messages_listed") == 0 || strcmp(name, "attempts_listed") == 0;
}

static void drop_index(sqlite3 *db, const char *name)
{
    char text[128];

    snprintf(text, sizeof text, "DROP INDEX %s", name);
    run(db, text);
}

static bool has(const struct load *load, const char *list)
{
    return !load->without || strcmp(load->without, list) != 0;
}

/* What has come up to a key. */
static void write_lists(sqlite3 *db, sqlite3_stmt **statements, int64_t to, struct load *load)
{
    if (to - load->listed < LIST_ROWS)
        return;
    if (has(load, "messages_listed"))
        step(db, statements[LIST_MESSAGES], load->listed, to);
    if (has(load, "attempts_listed"))
        step(db, statements[LIST_ATTEMPTS], load->listed, to);
    load->listed = to;
}

static void write_group(sqlite3 *db, sqlite3_stmt **statements, int64_t first,
                        struct load *load)
{
    run(db, "BEGIN IMMEDIATE");
    for (int64_t key = first; key < first + load->group && key <= load->messages; key++) {
        check(db,
              sqlite3_bind_blob(statements[INSERT_MESSAGE], 3, payload, PAYLOAD_LEN,
                                SQLITE_STATIC),
              SQLITE_OK);
        step(db, statements[INSERT_MESSAGE], key, key % load->tenants);
        step(db, statements[INSERT_DELIVERY], key, key % load->tenants);
    }
    for (int64_t key = first - load->group; key < first; key++) {
        if (key < 1)
            continue;
        step(db, statements[INSERT_ATTEMPT], key, key % load->tenants);
        step(db, statements[MARK_DELIVERED], key, key % load->tenants);
    }
    write_lists(db, statements, first - 1, load);
    run(db, "COMMIT");
}

static double seconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 6) {
        fputs("usage: sqlite_ceiling DIR MESSAGES GROUP [TENANTS [INDEX]]\n", stderr);
        return 2;
    }
    struct load load = { .messages = strtoll(argv[2], NULL, 10),
                         .group = strtoll(argv[3], NULL, 10),
                         .tenants = argc > 4 ? strtoll(argv[4], NULL, 10) : 1,
                         .without = argc > 5 ? argv[5] : NULL };
    char path[512];
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];

    snprintf(path, sizeof path, "%s/ceiling.db", argv[1]);
    if (sqlite3_open(path, &db) != SQLITE_OK) {
        fprintf(stderr, "sqlite: %s: %s\n", path, sqlite3_errmsg(db));
        return 1;
    }
    create_schema(db);
    if (load.without && !is_list(load.without))
        drop_index(db, load.without);
    for (int i = 0; i < STATEMENTS; i++)
        check(db, sqlite3_prepare_v2(db, sql[i], -1, &statements[i], NULL), SQLITE_OK);
    memset(payload, 'x', sizeof payload);

    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int64_t first = 1; first <= load.messages + load.group; first += load.group)
        write_group(db, statements, first, &load);
    wall = seconds(CLOCK_MONOTONIC) - wall;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;

    printf("{\"messages\":%lld,\"group\":%lld,\"seconds\":%.3f,\"cpu_us_per_message\":%.2f}\n",
           (long long)load.messages, (long long)load.group, wall,
           cpu * 1e6 / (double)load.messages);
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(statements[i]);
    sqlite3_close(db);
    return 0;
}

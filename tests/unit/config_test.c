#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/config.h"
#include "core/mem.h"
#include "tests/lib/temp.h"

#define FILE_NAME "posthaste.yaml"
#define KEY_TEXT  "phmk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"

struct fixture {
    char dir[TEMP_PATH_MAX];
    char path[TEMP_PATH_MAX + sizeof FILE_NAME];
    char why[CONFIG_WHY_MAX];
};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    temp_make(f->dir);
    snprintf(f->path, sizeof f->path, "%s/" FILE_NAME, f->dir);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    temp_remove(f->dir);
    free(f);
    return 0;
}

static void write_file(const char *path, const void *bytes, size_t len, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static enum err load_text(struct fixture *f, const char *text, char *const *environment,
                          const struct config_flag *flags, size_t flag_count,
                          struct config **out)
{
    const struct config_sources sources = { f->path, environment, flags, flag_count };

    write_file(f->path, text, strlen(text), 0600);
    f->why[0] = '\0';
    return config_load(&sources, out, f->why);
}

static struct config *load_good(struct fixture *f, const char *text)
{
    struct config *config = NULL;
    enum err err = load_text(f, text, NULL, NULL, 0, &config);

    if (err)
        print_error("%s\n", f->why);
    assert_int_equal(err, ERR_OK);
    return config;
}

/* Errors name the file by its path, which is another one in each run. */
static void assert_why(const struct fixture *f, const char *expected)
{
    const char *why = f->why;
    size_t dir_len = strlen(f->dir);

    if (strncmp(why, f->dir, dir_len) == 0)
        why += dir_len + 1;
    assert_string_equal(why, expected);
}

struct wanted {
    const char *key;
    char value[512], source[512];
};

static void on_each(const char *key, const char *value, const char *source, void *ctx)
{
    struct wanted *wanted = ctx;

    if (strcmp(key, wanted->key) != 0)
        return;
    snprintf(wanted->value, sizeof wanted->value, "%s", value);
    snprintf(wanted->source, sizeof wanted->source, "%s", source);
}

static struct wanted shown(const struct config *config, const char *key)
{
    struct wanted wanted = { .key = key };

    config_each(config, on_each, &wanted);
    return wanted;
}

static void assert_defaults(const struct config *config)
{
    static const uint32_t schedule[] = { 5, 300, 1800, 7200, 18000, 36000, 36000 };

    assert_string_equal(config->listen.text, "127.0.0.1:8071");
    assert_string_equal(config->listen.address, "127.0.0.1");
    assert_int_equal(config->listen.port, 8071);
    assert_int_equal(config->log.format, LOG_TEXT);
    assert_int_equal(config->log.level, LOG_INFO);
    assert_int_equal(config->delivery.timeout_s, 30);
    assert_int_equal(config->delivery.retry_count, 7);
    assert_memory_equal(config->delivery.retry_s, schedule, sizeof schedule);
    assert_int_equal(config->delivery.disable_after_h, 120);
    assert_int_equal(config->delivery.in_flight, 1024);
    assert_int_equal(config->delivery.in_flight_per_endpoint, 64);
    assert_int_equal(config->retention.messages_d, 90);
    assert_int_equal(config->retention.attempts_d, 90);
    assert_int_equal(config->limits.body_len, 2097152);
    assert_int_equal(config->limits.connections, 4096);
    assert_int_equal(config->limits.connections_per_address, 1024);
    assert_int_equal(config->limits.waiting_requests, 8192);
}

static void an_empty_file_gives_the_defaults(void **state)
{
    static const char *const rows[] = { "",      "\n",   "# nothing\n",
                                        "---\n", "{}\n", "delivery:\nlimits: ~\nlog: null\n" };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config *config = load_good(f, rows[i]);
        assert_defaults(config);
        assert_int_equal(config->delivery.allow_subnets.count, 0);
        assert_null(config->delivery.ca_file);
        assert_null(config->delivery.name_servers);
        assert_string_equal(shown(config, "delivery.timeout").source, "default");
        config_free(config);
    }
}

static void a_file_sets_everything(void **state)
{
    struct fixture *f = *state;
    struct config *config = load_good(f, "listen: \"[::1]:9000\"\n"
                                         "data: /var/lib/posthaste\n"
                                         "log: {format: json, level: debug}\n"
                                         "delivery:\n"
                                         "  timeout: 10\n"
                                         "  retry_schedule: [1, 0, 604800]\n"
                                         "  in_flight: 2\n"
                                         "  in_flight_per_endpoint: 1\n"
                                         "  allow_subnets:\n"
                                         "    - 10.0.0.0/8\n"
                                         "    - \"fd00::/8\"\n"
                                         "  ca_file: ca.pem\n"
                                         "  name_servers: 127.0.0.1:5353\n"
                                         "limits:\n"
                                         "  body: 1024\n"
                                         "  connections: 3\n"
                                         "  connections_per_address: 2\n"
                                         "  waiting_requests: 1\n");
    char ca_file[TEMP_PATH_MAX + 16];

    snprintf(ca_file, sizeof ca_file, "%s/ca.pem", f->dir);
    assert_string_equal(config->listen.address, "::1");
    assert_int_equal(config->listen.port, 9000);
    assert_string_equal(config->data, "/var/lib/posthaste");
    assert_int_equal(config->log.format, LOG_JSON);
    assert_int_equal(config->log.level, LOG_DEBUG);
    assert_int_equal(config->delivery.timeout_s, 10);
    assert_int_equal(config->delivery.retry_count, 3);
    assert_int_equal(config->delivery.retry_s[2], 604800);
    assert_int_equal(config->delivery.in_flight, 2);
    assert_int_equal(config->delivery.in_flight_per_endpoint, 1);
    assert_int_equal(config->delivery.allow_subnets.count, 2);
    assert_string_equal(config->delivery.allow_subnets.items[1], "fd00::/8");
    assert_string_equal(config->delivery.ca_file, ca_file);
    assert_string_equal(config->delivery.name_servers, "127.0.0.1:5353");
    assert_int_equal(config->limits.body_len, 1024);
    assert_int_equal(config->limits.connections, 3);
    assert_int_equal(config->limits.connections_per_address, 2);
    assert_int_equal(config->limits.waiting_requests, 1);
    config_free(config);
}

struct wrong {
    const char *text, *why;
};

static void assert_wrong(struct fixture *f, const struct wrong *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct config *config;
        assert_int_not_equal(load_text(f, rows[i].text, NULL, NULL, 0, &config), ERR_OK);
        assert_why(f, rows[i].why);
    }
}

static void a_wrong_setting_is_named_with_line_and_key(void **state)
{
    static const struct wrong rows[] = {
        { "lisen: 1\n", "posthaste.yaml:1: lisen: unknown key" },
        { "delivery:\n  tiemout: 1\n", "posthaste.yaml:2: delivery.tiemout: unknown key" },
        { "\n\nretries:\n  max: 3\n", "posthaste.yaml:4: retries.max: unknown key" },
        { "retries:\n", "posthaste.yaml:1: retries: unknown key" },
        { "delivery:\n  timeout: fast\n",
          "posthaste.yaml:2: delivery.timeout: expected a whole number from 1 to 30, not "
          "\"fast\"" },
        { "delivery:\n  timeout: 31\n",
          "posthaste.yaml:2: delivery.timeout: expected a whole number from 1 to 30, not "
          "\"31\"" },
        { "delivery: {timeout: 0}\n",
          "posthaste.yaml:1: delivery.timeout: expected a whole number from 1 to 30, not "
          "\"0\"" },
        { "retention:\n  messages: 3651\n",
          "posthaste.yaml:2: retention.messages: expected a whole number from 0 to 3650, not "
          "\"3651\"" },
        { "retention:\n  attempts: 90d\n",
          "posthaste.yaml:2: retention.attempts: expected a whole number from 0 to 3650, not "
          "\"90d\"" },
        { "limits:\n  body: 99999999999999999999999\n",
          "posthaste.yaml:2: limits.body: expected a whole number from 1024 to 67108864, not "
          "\"99999999999999999999999\"" },
        { "delivery:\n  timeout: 0x10\n",
          "posthaste.yaml:2: delivery.timeout: expected a whole number from 1 to 30, not "
          "\"0x10\"" },
        { "delivery:\n  timeout: -1\n",
          "posthaste.yaml:2: delivery.timeout: expected a whole number from 1 to 30, not "
          "\"-1\"" },
        { "delivery:\n  timeout: 1.5\n",
          "posthaste.yaml:2: delivery.timeout: expected a whole number from 1 to 30, not "
          "\"1.5\"" },
        { "delivery:\n  timeout:\n", "posthaste.yaml:2: delivery.timeout: has no value" },
        { "delivery:\n  timeout: \"\"\n", "posthaste.yaml:2: delivery.timeout: is empty" },
        { "delivery:\n  timeout: [1]\n",
          "posthaste.yaml:2: delivery.timeout: expected one value, not a list" },
        { "delivery:\n  timeout: {s: 1}\n",
          "posthaste.yaml:2: delivery.timeout.s: unknown key" },
        { "delivery:\n  timeout: 1\n  timeout: 2\n",
          "posthaste.yaml:3: delivery.timeout: is given twice" },
        { "delivery:\n  retry_schedule: 5\n",
          "posthaste.yaml:2: delivery.retry_schedule: expected a list such as [a, b]" },
        { "delivery:\n  retry_schedule: [1, 604801]\n",
          "posthaste.yaml:2: delivery.retry_schedule: expected a whole number from 0 to "
          "604800, "
          "not \"604801\"" },
        { "delivery:\n  retry_schedule: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
          "1,1,1,1,1,1,1]\n",
          "posthaste.yaml:2: delivery.retry_schedule: expected at most 32 steps" },
        { "delivery:\n  allow_subnets: [\"\"]\n",
          "posthaste.yaml:2: delivery.allow_subnets: is empty" },
        { "delivery: 5\n",
          "posthaste.yaml:1: delivery: expected settings below it, each on a line of its own" },
        { "delivery: [timeout]\n",
          "posthaste.yaml:1: delivery: expected settings below it, each on a line of its own" },
        { "log:\n  format: xml\n",
          "posthaste.yaml:2: log.format: expected text, json; not \"xml\"" },
        { "log:\n  level: 3\n",
          "posthaste.yaml:2: log.level: expected debug, info, warn, error; not \"3\"" },
        { "listen: 8071\n", "posthaste.yaml:1: listen: expected ADDRESS:PORT such as "
                            "127.0.0.1:8071 or [::1]:8071, not \"8071\"" },
        { "listen: localhost:80\n", "posthaste.yaml:1: listen: expected ADDRESS:PORT such as "
                                    "127.0.0.1:8071 or [::1]:8071, not \"localhost:80\"" },
        { "listen: 127.0.0.1:65536\n",
          "posthaste.yaml:1: listen: expected ADDRESS:PORT such as "
          "127.0.0.1:8071 or [::1]:8071, not \"127.0.0.1:65536\"" },
        { "listen: ::1:80\n", "posthaste.yaml:1: listen: expected ADDRESS:PORT such as "
                              "127.0.0.1:8071 or [::1]:8071, not \"::1:80\"" },
        { "data: \"a\\nb\"\n", "posthaste.yaml:1: data: contains a control character" },
        { "\"a\\nb\": 1\n", "posthaste.yaml:1: a?b: unknown key" },
        { "a: &x 1\nb: *x\n", "posthaste.yaml:1: a: unknown key" },
    };

    assert_wrong(*state, rows, sizeof rows / sizeof *rows);
}

static void what_is_no_document_of_settings_is_named_with_its_line(void **state)
{
    static const struct wrong rows[] = {
        { "delivery:\n  retry_schedule: [[1]]\n",
          "posthaste.yaml:2: a list holds plain values only" },
        { "data: \"a\\0b\"\n", "posthaste.yaml:1: a value contains a NUL character" },
        { "- listen\n", "posthaste.yaml:1: expected \"key: value\"" },
        { "hello\n", "posthaste.yaml:1: expected \"key: value\"" },
        { "[a]: b\n", "posthaste.yaml:1: a key must be a name" },
        { "data: &x 1\nlisten: *x\n", "posthaste.yaml:2: aliases aren't supported" },
        { "a: {b: {c: {d: {e: 1}}}}\n", "posthaste.yaml:1: nested too deeply" },
        { "data: a\n---\ndata: b\n", "posthaste.yaml:2: a second document begins" },
        { "data: [a\n", "posthaste.yaml:2: isn't YAML: while parsing a flow sequence, did not "
                        "find expected ',' or ']'" },
        { "data: a\n b: c\n",
          "posthaste.yaml:2: isn't YAML: mapping values are not allowed in this context" },
        { "data: a\nlisten: \xff\n",
          "posthaste.yaml:2: isn't YAML: invalid leading UTF-8 octet" },
        { "\tdata: a\n", "posthaste.yaml:1: isn't YAML: while scanning for the next token, "
                         "found character that cannot start any token" },
    };

    assert_wrong(*state, rows, sizeof rows / sizeof *rows);
}

static void a_file_that_is_missing_a_directory_or_too_large_is_named(void **state)
{
    struct fixture *f = *state;
    const struct config_sources sources = { .path = f->path };
    const struct config_sources folder = { .path = f->dir };
    struct config *config;

    assert_int_equal(config_load(&sources, &config, f->why), ERR_NOT_FOUND);
    assert_why(f, "posthaste.yaml: can't be read: not found");
    assert_int_equal(config_load(&folder, &config, f->why), ERR_FOLDER);
    assert_non_null(strstr(f->why, ": can't be read: is a directory"));

    char *text = xcalloc(CONFIG_FILE_MAX + 2, 1);
    memset(text, '#', CONFIG_FILE_MAX + 1);
    assert_int_equal(load_text(f, text, NULL, NULL, 0, &config), ERR_LIMIT);
    assert_why(f, "posthaste.yaml: is larger than 262144 bytes");
    text[CONFIG_FILE_MAX] = '\0';
    config_free(load_good(f, text));
    free(text);
}

static void flags_win_over_variables_over_the_file_over_defaults(void **state)
{
    static char variable[] = "POSTHASTE_LISTEN=127.0.0.1:3";
    static char *const environment[] = { variable, NULL };
    static const struct config_flag flag = { "--listen", "127.0.0.1:4" };
    static const struct {
        const char *text;
        char *const *environment;
        size_t flag_count;
        const char *listen, *source;
    } rows[] = {
        { "", NULL, 0, "127.0.0.1:8071", "default" },
        { "listen: 127.0.0.1:2", NULL, 0, "127.0.0.1:2", "posthaste.yaml:1" },
        { "listen: 127.0.0.1:2", environment, 0, "127.0.0.1:3", "POSTHASTE_LISTEN" },
        { "listen: 127.0.0.1:2", environment, 1, "127.0.0.1:4", "--listen" },
        { "", environment, 0, "127.0.0.1:3", "POSTHASTE_LISTEN" },
        { "", NULL, 1, "127.0.0.1:4", "--listen" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config *config;
        assert_int_equal(
            load_text(f, rows[i].text, rows[i].environment, &flag, rows[i].flag_count, &config),
            ERR_OK);
        struct wanted listen = shown(config, "listen");
        size_t skip = strncmp(listen.source, f->dir, strlen(f->dir)) ? 0 : strlen(f->dir) + 1;
        assert_string_equal(listen.value, rows[i].listen);
        assert_string_equal(listen.source + skip, rows[i].source);
        assert_string_equal(config->listen.text, rows[i].listen);
        config_free(config);
    }
}

static void variables_and_flags_are_checked_like_the_file(void **state)
{
    static const struct {
        const char *variable, *flag, *value, *why;
    } rows[] = {
        { "POSTHASTE_DELIVERY_TIMEOUT=x", NULL, NULL,
          "POSTHASTE_DELIVERY_TIMEOUT: expected a whole number from 1 to 30, not \"x\"" },
        { "POSTHASTE_DATA=", NULL, NULL, "POSTHASTE_DATA: is empty" },
        { "POSTHASTE_DELIVERY_ALLOW_SUBNETS=10.0.0.0/8,,", NULL, NULL,
          "POSTHASTE_DELIVERY_ALLOW_SUBNETS: is empty" },
        { NULL, "--retry-schedule", "1,two",
          "--retry-schedule: expected a whole number from 0 to 604800, not \"two\"" },
        { NULL, "--log-level", "loud",
          "--log-level: expected debug, info, warn, error; not \"loud\"" },
        { "POSTHASTE_LISTEN=a\nb", "--listen", "127.0.0.1:1",
          "POSTHASTE_LISTEN: contains a control character" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *variable = xstrdup(rows[i].variable);
        char *const environment[] = { variable, NULL };
        const struct config_flag flag = { rows[i].flag, rows[i].value };
        struct config *config;

        assert_int_equal(load_text(f, "", environment, &flag, rows[i].flag ? 1 : 0, &config),
                         ERR_INVALID);
        assert_why(f, rows[i].why);
        free(variable);
    }
}

static void lists_outside_the_file_have_commas_and_flags_add_up(void **state)
{
    char subnets[] = "POSTHASTE_DELIVERY_ALLOW_SUBNETS=10.0.0.0/8, fd00::/8";
    char schedule[] = "POSTHASTE_DELIVERY_RETRY_SCHEDULE=";
    char *const environment[] = { subnets, schedule, NULL };
    static const struct config_flag flags[] = {
        { "--allow-subnet", "127.0.0.0/8" },
        { "--allow-subnet", "192.168.0.0/16" },
        { "--retry-schedule", "1,1" },
    };
    static const char text[] = "delivery: {allow_subnets: [1.1.1.1/32]}";
    struct fixture *f = *state;
    struct config *config;

    assert_int_equal(load_text(f, text, environment, NULL, 0, &config), ERR_OK);
    assert_string_equal(shown(config, "delivery.allow_subnets").value, "10.0.0.0/8,fd00::/8");
    assert_int_equal(config->delivery.retry_count, 0);
    config_free(config);

    assert_int_equal(load_text(f, text, environment, flags, 3, &config), ERR_OK);
    assert_string_equal(shown(config, "delivery.allow_subnets").value,
                        "127.0.0.0/8,192.168.0.0/16");
    assert_string_equal(shown(config, "delivery.retry_schedule").value, "1,1");
    config_free(config);
}

static void paths_are_below_the_file_or_the_working_directory(void **state)
{
    char variable[] = "POSTHASTE_DATA=elsewhere";
    char *const environment[] = { variable, NULL };
    char expected[TEMP_PATH_MAX + 16];
    struct fixture *f = *state;
    struct config *config = load_good(f, "data: here\n");

    snprintf(expected, sizeof expected, "%s/here", f->dir);
    assert_string_equal(config->data, expected);
    snprintf(expected, sizeof expected, "%s/master.key", f->dir);
    assert_string_equal(config->master_key_file, expected);
    config_free(config);

    assert_int_equal(load_text(f, "data: here\n", environment, NULL, 0, &config), ERR_OK);
    assert_string_equal(config->data, "elsewhere");
    config_free(config);

    assert_int_equal(config_load(&(struct config_sources){ .path = NULL }, &config, f->why),
                     ERR_OK);
    assert_string_equal(config->data, "data");
    config_free(config);
}

static void the_master_key_is_read_from_its_file(void **state)
{
    struct fixture *f = *state;
    struct config *config = load_good(f, "");
    struct buf key = BUF_INIT(128);

    write_file(config->master_key_file, KEY_TEXT, strlen(KEY_TEXT), 0600);
    assert_int_equal(config_read_master_key(config, &key, f->why), ERR_OK);
    assert_string_equal(buf_text(&key), KEY_TEXT);
    buf_fini(&key);
    config_free(config);
}

static void a_key_file_that_is_missing_or_open_to_others_is_refused(void **state)
{
    static const struct {
        mode_t mode; /* 0: no such file */
        enum err err;
        const char *why;
    } rows[] = {
        { 0, ERR_NOT_FOUND, "not found" },
        { 0644, ERR_DENIED, "others than its owner have access; chmod 600 it" },
        { 0640, ERR_DENIED, "others than its owner have access; chmod 600 it" },
        { 0604, ERR_DENIED, "others than its owner have access; chmod 600 it" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config *config = load_good(f, "log:\nmaster_key_file: my.key\n");
        struct buf key = BUF_INIT(128);
        char why[CONFIG_WHY_MAX];

        if (rows[i].mode)
            write_file(config->master_key_file, KEY_TEXT, strlen(KEY_TEXT), rows[i].mode);
        assert_int_equal(config_read_master_key(config, &key, f->why), rows[i].err);
        snprintf(why, sizeof why, "posthaste.yaml:2: master_key_file: %s/my.key: %s", f->dir,
                 rows[i].why);
        assert_why(f, why);
        assert_int_equal(key.len, 0);
        config_free(config);
    }
}

static void a_key_file_that_is_a_directory_is_refused(void **state)
{
    struct fixture *f = *state;
    struct config *config = load_good(f, "master_key_file: .\n");
    struct buf key = BUF_INIT(128);

    assert_int_equal(config_read_master_key(config, &key, f->why), ERR_FOLDER);
    assert_non_null(strstr(f->why, "posthaste.yaml:1: master_key_file: "));
    assert_non_null(strstr(f->why, ": is a directory"));
    config_free(config);
}

static void newer_master_keys_stand_beside_the_first(void **state)
{
    struct fixture *f = *state;
    struct config *config = load_good(f, "");
    struct text_list paths = { 0 };
    char path[PATH_MAX], other[PATH_MAX];

    assert_int_equal(config_next_master_key(config, path, f->why), ERR_OK);
    snprintf(other, sizeof other, "%.500s.2", config->master_key_file);
    assert_string_equal(path, other);
    write_file(path, KEY_TEXT, strlen(KEY_TEXT), 0600);
    snprintf(other, sizeof other, "%.500s.10", config->master_key_file);
    write_file(other, KEY_TEXT, strlen(KEY_TEXT), 0600);

    config_newer_master_keys(config, &paths);
    assert_int_equal(paths.count, 2);
    assert_string_equal(paths.items[0], path);
    assert_string_equal(paths.items[1], other);
    assert_int_equal(config_next_master_key(config, path, f->why), ERR_OK);
    snprintf(other, sizeof other, "%.500s.11", config->master_key_file);
    assert_string_equal(path, other);
    text_list_fini(&paths);

    snprintf(other, sizeof other, "%.500s.99", config->master_key_file);
    write_file(other, KEY_TEXT, strlen(KEY_TEXT), 0600);
    assert_int_equal(config_next_master_key(config, path, f->why), ERR_LIMIT);
    config_free(config);
}

static void nothing_stands_beside_a_master_key_in_a_variable(void **state)
{
    char variable[] = "POSTHASTE_MASTER_KEY=phmk_secret", path[PATH_MAX];
    char *const environment[] = { variable, NULL };
    struct fixture *f = *state;
    struct config *config;

    assert_int_equal(load_text(f, "", environment, NULL, 0, &config), ERR_OK);
    assert_int_equal(config_next_master_key(config, path, f->why), ERR_DENIED);
    assert_string_equal(f->why, "POSTHASTE_MASTER_KEY: nothing can be put beside a master key "
                                "that is given this way");
    config_free(config);
}

static void the_master_key_may_come_from_the_environment(void **state)
{
    char variable[] = "POSTHASTE_MASTER_KEY=phmk_secret";
    char *const environment[] = { variable, NULL };
    struct fixture *f = *state;
    struct buf key = BUF_INIT(128);
    struct config *config;

    assert_int_equal(load_text(f, "", environment, NULL, 0, &config), ERR_OK);
    assert_int_equal(config_read_master_key(config, &key, f->why), ERR_OK);
    assert_string_equal(buf_text(&key), "phmk_secret");
    assert_string_equal(shown(config, "master_key").value, "(redacted)");
    assert_string_equal(shown(config, "master_key").source, "POSTHASTE_MASTER_KEY");
    buf_fini(&key);
    config_free(config);
}

static void a_master_key_that_is_too_long_is_explained(void **state)
{
    char variable[] = "POSTHASTE_MASTER_KEY=phmk_secret";
    char *const environment[] = { variable, NULL };
    struct fixture *f = *state;
    struct buf key = BUF_INIT(8);
    struct config *config;

    memset(f->why, 'x', sizeof f->why);
    assert_int_equal(load_text(f, "", environment, NULL, 0, &config), ERR_OK);
    assert_int_equal(config_read_master_key(config, &key, f->why), ERR_LIMIT);
    assert_string_equal(f->why, "POSTHASTE_MASTER_KEY: limit reached");
    buf_fini(&key);
    config_free(config);
}

static void a_token_key_is_read_like_the_master_key(void **state)
{
    static const char token_key[] = "phtk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    struct fixture *f = *state;
    struct config *config = load_good(f, "token_key_file: token.key\n");
    struct buf key = BUF_INIT(128);
    char why[CONFIG_WHY_MAX];

    assert_int_equal(config_read_token_key(config, &key, f->why), ERR_NOT_FOUND);
    snprintf(why, sizeof why, "posthaste.yaml:1: token_key_file: %s/token.key: not found",
             f->dir);
    assert_why(f, why);
    write_file(config->token_key_file, token_key, strlen(token_key), 0640);
    assert_int_equal(config_read_token_key(config, &key, f->why), ERR_DENIED);
    write_file(config->token_key_file, token_key, strlen(token_key), 0600);
    assert_int_equal(config_read_token_key(config, &key, f->why), ERR_OK);
    assert_string_equal(buf_text(&key), token_key);
    buf_fini(&key);
    config_free(config);
}

static void a_systemd_credential_is_the_default_key_file(void **state)
{
    static const struct {
        const char *key, *name;
        size_t offset; /* in struct config */
        enum err (*read)(const struct config *config, struct buf *out, char why[]);
    } rows[] = {
        { "master_key_file", "master.key", offsetof(struct config, master_key_file),
          config_read_master_key },
        { "token_key_file", "token.key", offsetof(struct config, token_key_file),
          config_read_token_key },
    };
    char variable[TEMP_PATH_MAX + 32], path[TEMP_PATH_MAX + 16], set[64];
    char *const environment[] = { variable, NULL };
    struct fixture *f = *state;
    struct config *config;

    snprintf(variable, sizeof variable, "CREDENTIALS_DIRECTORY=%s/cred", f->dir);
    snprintf(path, sizeof path, "%s/cred", f->dir);
    assert_int_equal(mkdir(path, 0700), 0);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf key = BUF_INIT(128);

        assert_int_equal(load_text(f, "", environment, NULL, 0, &config), ERR_OK);
        assert_string_equal(shown(config, rows[i].key).source, "default");
        config_free(config);

        snprintf(path, sizeof path, "%s/cred/%s", f->dir, rows[i].name);
        write_file(path, KEY_TEXT, strlen(KEY_TEXT), 0440);
        assert_int_equal(load_text(f, "", environment, NULL, 0, &config), ERR_OK);
        assert_string_equal(*(char **)(void *)((char *)config + rows[i].offset), path);
        assert_string_equal(shown(config, rows[i].key).source, "CREDENTIALS_DIRECTORY");
        assert_int_equal(rows[i].read(config, &key, f->why), ERR_OK);
        config_free(config);

        snprintf(set, sizeof set, "%s: /k\n", rows[i].key);
        assert_int_equal(load_text(f, set, environment, NULL, 0, &config), ERR_OK);
        assert_string_equal(*(char **)(void *)((char *)config + rows[i].offset), "/k");
        config_free(config);
        buf_fini(&key);
    }
}

/* Uncomment the settings of a template: "#key: value", where a remark is "# remark". */
static char *uncommented(const char *text)
{
    char *copy = xstrdup(text), *to = copy;

    for (const char *c = text; *c; c++)
        if (*c != '#' || c[1] == ' ' || c[1] == '\n')
            *to++ = *c;
    *to = '\0';
    return copy;
}

static void the_template_holds_every_setting_at_its_default(void **state)
{
    struct fixture *f = *state;
    struct buf text = BUF_INIT(65536);

    assert_int_equal(config_template(NULL, 0, &text), ERR_OK);
    struct config *config = load_good(f, buf_text(&text));
    assert_defaults(config);
    config_free(config);

    char *active = uncommented(buf_text(&text));
    config = load_good(f, active);
    assert_defaults(config);
    assert_int_equal(config->delivery.allow_subnets.count, 2);
    for (const char *const *key =
             (const char *const[]){ "listen", "log.level", "delivery.name_servers",
                                    "limits.waiting_requests", NULL };
         *key; key++)
        assert_memory_equal(shown(config, *key).source, f->path, strlen(f->path));
    config_free(config);
    free(active);
    buf_fini(&text);
}

#define CONFIG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(an_empty_file_gives_the_defaults),
        CONFIG_TEST(a_file_sets_everything),
        CONFIG_TEST(a_wrong_setting_is_named_with_line_and_key),
        CONFIG_TEST(what_is_no_document_of_settings_is_named_with_its_line),
        CONFIG_TEST(a_file_that_is_missing_a_directory_or_too_large_is_named),
        CONFIG_TEST(flags_win_over_variables_over_the_file_over_defaults),
        CONFIG_TEST(variables_and_flags_are_checked_like_the_file),
        CONFIG_TEST(lists_outside_the_file_have_commas_and_flags_add_up),
        CONFIG_TEST(paths_are_below_the_file_or_the_working_directory),
        CONFIG_TEST(the_master_key_is_read_from_its_file),
        CONFIG_TEST(a_key_file_that_is_missing_or_open_to_others_is_refused),
        CONFIG_TEST(a_key_file_that_is_a_directory_is_refused),
        CONFIG_TEST(newer_master_keys_stand_beside_the_first),
        CONFIG_TEST(nothing_stands_beside_a_master_key_in_a_variable),
        CONFIG_TEST(the_master_key_may_come_from_the_environment),
        CONFIG_TEST(a_master_key_that_is_too_long_is_explained),
        CONFIG_TEST(a_token_key_is_read_like_the_master_key),
        CONFIG_TEST(a_systemd_credential_is_the_default_key_file),
        CONFIG_TEST(the_template_holds_every_setting_at_its_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/certificates.h"
#include "tests/lib/temp.h"
#include "wire/config_check.h"

#define LINE_MAX_LEN 256

struct fixture {
    char dir[TEMP_PATH_MAX];
    char why[CONFIG_WHY_MAX];
};

static void write_file(const struct fixture *f, const char *name, const char *text)
{
    char path[TEMP_PATH_MAX + 32];

    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* cut.pem ends in the middle of its second certificate. */
static void write_certificates(const struct fixture *f)
{
    struct made_certificate made = make_region_certificate("fra");
    const char *pem = buf_text(&made.certificate);
    struct buf cut = BUF_INIT(65536);

    assert_int_equal(buf_printf(&cut, "%s%.*s", pem, (int)made.certificate.len / 2, pem),
                     ERR_OK);
    write_file(f, "good.pem", pem);
    write_file(f, "cut.pem", buf_text(&cut));
    write_file(f, "key.pem", buf_text(&made.key));
    write_file(f, "text.pem", "not a certificate\n");
    write_file(f, "empty.pem", "");
    buf_fini(&cut);
    made_certificate_fini(&made);
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    temp_make(f->dir);
    write_certificates(f);
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

static enum err check(struct fixture *f, const char *section, const char *line)
{
    char text[LINE_MAX_LEN], path[TEMP_PATH_MAX + 32];
    const struct config_sources sources = { .path = path };
    struct config *config;

    snprintf(text, sizeof text, "%s:\n  %s\n", section, line);
    write_file(f, "posthaste.yaml", text);
    snprintf(path, sizeof path, "%s/posthaste.yaml", f->dir);
    assert_int_equal(config_load(&sources, &config, f->why), ERR_OK);
    enum err err = config_check(config, f->why);
    config_free(config);
    return err;
}

static void what_cant_be_used_is_named_with_its_place(void **state)
{
    static const struct {
        const char *section, *line, *says;
    } rows[] = {
        { "portal", "url: ftp://portal.example", "portal.url: " },
        { "portal", "url: 'https://portal.example/#a'", "portal.url: must have no '#'" },
        { "delivery", "name_servers: foo",
          "delivery.name_servers: expected ADDRESS:PORT, several with commas, not \"foo\"" },
        { "delivery", "allow_subnets: [10.0.0.0/8, 300.0.0.0/8]",
          "delivery.allow_subnets: '300.0.0.0/8' is not a subnet such as 10.0.0.0/8" },
        { "delivery", "ca_file: none.pem", "/none.pem: not found" },
        { "delivery", "ca_file: .", ": is a directory" },
        { "delivery", "ca_file: text.pem", "/text.pem: holds no certificate in PEM" },
        { "delivery", "ca_file: empty.pem", "/empty.pem: holds no certificate in PEM" },
        { "delivery", "ca_file: key.pem", "/key.pem: holds no certificate in PEM" },
        { "delivery", "ca_file: cut.pem", "/cut.pem: holds no certificate in PEM" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_not_equal(check(f, rows[i].section, rows[i].line), ERR_OK);
        if (!strstr(f->why, rows[i].says) || !strstr(f->why, "/posthaste.yaml:2: "))
            fail_msg("%s: %s", rows[i].line, f->why);
    }
}

static void what_can_be_used_passes(void **state)
{
    static const struct {
        const char *section, *line;
    } rows[] = {
        { "portal", "url: https://portal.example/login" },
        { "delivery", "name_servers: '127.0.0.1:5353,[::1]:53,10.0.0.1'" },
        { "delivery", "allow_subnets: [10.0.0.0/8, 'fd00::/8']" },
        { "delivery", "ca_file: good.pem" },
        { "log", "level: info" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++)
        if (check(f, rows[i].section, rows[i].line) != ERR_OK)
            fail_msg("%s: %s", rows[i].line, f->why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_cant_be_used_is_named_with_its_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_can_be_used_passes, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

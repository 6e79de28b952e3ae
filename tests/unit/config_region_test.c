#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/config.h"
#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/temp.h"

struct fixture {
    char dir[TEMP_PATH_MAX];
    char path[TEMP_PATH_MAX + 16];
    char why[CONFIG_WHY_MAX];
};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    temp_make(f->dir);
    snprintf(f->path, sizeof f->path, "%s/p.yaml", f->dir);
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

static enum err load(struct fixture *f, const char *text, char *variable, struct config **out)
{
    char *const environment[] = { variable, NULL };
    int fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return config_load(&(struct config_sources){ .path = f->path, .environment = environment },
                       out, f->why);
}

static struct config *load_good(struct fixture *f, const char *text)
{
    struct config *config = NULL;
    enum err err = load(f, text, NULL, &config);

    if (err)
        print_error("%s\n", f->why);
    assert_int_equal(err, ERR_OK);
    return config;
}

#define FRA                                                                                    \
    "region:\n"                                                                                \
    "  name: fra\n"                                                                            \
    "  ordinal: 1\n"                                                                           \
    "  jurisdictions: [eu, gdpr]\n"

static void a_region_is_what_its_section_says(void **state)
{
    struct fixture *f = *state;
    struct config *config = load_good(f, FRA "  latitude: 50.11\n"
                                             "  longitude: -8.68\n"
                                             "  public_url: https://fra.example.com\n"
                                             "  link_listen: \"[::]:8443\"\n"
                                             "  link_url: https://fra.example.com:8443\n"
                                             "  certificate_file: a.crt\n"
                                             "  key_file: /a.key\n"
                                             "peers_dir: others\n");
    struct region region = config_region(config);
    char path[TEMP_PATH_MAX + 16];

    assert_string_equal(region.name, "fra");
    assert_int_equal(region.ordinal, 1);
    assert_int_equal(region.jurisdictions.count, 2);
    assert_string_equal(region.jurisdictions.items[1], "gdpr");
    assert_true(region.has_place);
    assert_true(region.place.latitude == 50.11 && region.place.longitude == -8.68);
    assert_string_equal(region.public_url, "https://fra.example.com");
    assert_string_equal(region.link_url, "https://fra.example.com:8443");
    assert_null(region.certificate_pem);
    assert_string_equal(config->region.link_listen.address, "::");
    assert_int_equal(config->region.link_listen.port, 8443);
    snprintf(path, sizeof path, "%s/a.crt", f->dir);
    assert_string_equal(config->region.certificate_file, path);
    assert_string_equal(config->region.key_file, "/a.key");
    snprintf(path, sizeof path, "%s/others", f->dir);
    assert_string_equal(config->peers_dir, path);
    region_fini(&region);
    config_free(config);
}

static void without_a_name_there_is_no_region(void **state)
{
    struct fixture *f = *state;
    struct config *config = load_good(f, "region:\n");

    assert_null(config->region.name);
    assert_int_equal(config->region.ordinal, 0);
    assert_null(config->region.link_listen.text);
    assert_null(config->token_key_file);
    config_free(config);
}

static void a_place_may_be_left_out(void **state)
{
    struct fixture *f = *state;
    struct config *config = load_good(f, FRA);
    struct region region = config_region(config);

    assert_false(region.has_place);
    region_fini(&region);
    config_free(config);
}

static void what_makes_no_region_is_named(void **state)
{
    static const struct {
        const char *text, *variable, *why;
    } rows[] = {
        { "region:\n  ordinal: 1\n", NULL,
          "p.yaml:2: region.ordinal: without region.name it has no meaning" },
        { "region:\n  key_file: k\n", NULL,
          "p.yaml:2: region.key_file: without region.name it has no meaning" },
        { "", "POSTHASTE_REGION_LATITUDE=1",
          "POSTHASTE_REGION_LATITUDE: region.latitude: without region.name it has no meaning" },
        { "region: {name: Fra}\n", NULL, "p.yaml:1: region.name: " REGION_NAME_WANTED },
        { "region: {name: abcdefghijklmnopq}\n", NULL,
          "p.yaml:1: region.name: " REGION_NAME_WANTED },
        { "region:\n  name: fra\n  jurisdictions: [eu]\n", NULL,
          "p.yaml:2: region.ordinal: expected 1 to 255" },
        { "region:\n  name: fra\n  ordinal: 1\n", NULL,
          "p.yaml:2: region.jurisdictions: names none" },
        { "region:\n  ordinal: 1\n", "POSTHASTE_REGION_NAME=fra",
          "POSTHASTE_REGION_NAME: region.jurisdictions: names none" },
        { FRA, "POSTHASTE_REGION_JURISDICTIONS=eu,E U",
          "POSTHASTE_REGION_JURISDICTIONS: region.jurisdictions: \"E U\" is no jurisdiction's "
          "name" },
        { "region: {ordinal: 256}\n", NULL,
          "p.yaml:1: region.ordinal: expected a whole number from 1 to 255, not \"256\"" },
        { "region: {ordinal: 0}\n", NULL,
          "p.yaml:1: region.ordinal: expected a whole number from 1 to 255, not \"0\"" },
        { FRA "  latitude: 50\n", NULL, "p.yaml:2: region.longitude: is missing" },
        { FRA "  longitude: 50\n", NULL, "p.yaml:2: region.latitude: is missing" },
        { FRA "  latitude: 91\n", NULL,
          "p.yaml:5: region.latitude: expected degrees from -90 to 90, not \"91\"" },
        { FRA "  longitude: east\n", NULL,
          "p.yaml:5: region.longitude: expected degrees from -180 to 180, not \"east\"" },
        { FRA "  link_url: http://fra.example.com\n", NULL,
          "p.yaml:5: region.link_url: expected https://, a host, and no '/' at the end" },
        { FRA "  link_listen: 8443\n", NULL,
          "p.yaml:5: region.link_listen: expected ADDRESS:PORT such as 127.0.0.1:8071 or "
          "[::1]:8071, not \"8443\"" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        char *variable = xstrdup(rows[i].variable);
        struct config *config;
        const char *why = f->why;

        assert_int_equal(load(f, rows[i].text, variable, &config), ERR_INVALID);
        if (strncmp(why, f->dir, strlen(f->dir)) == 0)
            why += strlen(f->dir) + 1;
        assert_string_equal(why, rows[i].why);
        free(variable);
    }
}

static void a_template_says_what_it_is_given(void **state)
{
    static const struct config_value values[] = {
        { "region.name", "no" },
        { "region.ordinal", "3" },
        { "region.jurisdictions", "no,eu" },
        { "region.latitude", "-1.5" },
        { "region.longitude", "8.68" },
        { "region.public_url", "http://[::1]:8071" },
        { "token_key_file", "a \"#\\ b" },
    };
    struct fixture *f = *state;
    struct buf text = BUF_INIT(65536);
    char path[TEMP_PATH_MAX + 16];

    assert_int_equal(config_template(values, COUNT(values), &text), ERR_OK);
    struct config *config = load_good(f, buf_text(&text));
    assert_string_equal(config->region.name, "no");
    assert_int_equal(config->region.ordinal, 3);
    assert_string_equal(config->region.jurisdictions.items[0], "no");
    assert_string_equal(config->region.jurisdictions.items[1], "eu");
    assert_true(config->region.latitude.value == -1.5);
    assert_true(config->region.longitude.value == 8.68);
    assert_string_equal(config->region.public_url, "http://[::1]:8071");
    snprintf(path, sizeof path, "%s/a \"#\\ b", f->dir);
    assert_string_equal(config->token_key_file, path);
    assert_int_equal(config->listen.port, 8071);
    config_free(config);
    buf_fini(&text);
}

#define REGION_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGION_TEST(a_region_is_what_its_section_says),
        REGION_TEST(without_a_name_there_is_no_region),
        REGION_TEST(a_place_may_be_left_out),
        REGION_TEST(what_makes_no_region_is_named),
        REGION_TEST(a_template_says_what_it_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

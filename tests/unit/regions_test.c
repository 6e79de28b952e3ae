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

#include "core/count.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/region_card.h"
#include "signer/certificate.h"
#include "signer/regions.h"
#include "tests/lib/temp.h"

#define IAD "name: iad\nordinal: 2\njurisdictions: [us]\n"
#define SIN "name: sin\nordinal: 3\njurisdictions: [sg]\n"

struct fixture {
    char dir[TEMP_PATH_MAX];
    struct config *config;
    struct topology *topology;
    char why[CONFIG_WHY_MAX];
};

static void write_file(const struct fixture *f, const char *name, const char *text)
{
    char path[TEMP_PATH_MAX + 64];

    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* Append to a card a certificate for the region `name`. */
static void certify(struct buf *card, const char *name)
{
    struct buf pem = BUF_INIT(CERTIFICATE_PEM_MAX), key = BUF_INIT(CERTIFICATE_PEM_MAX);
    char *rest = NULL;

    assert_int_equal(
        certificate_create(name, clock_now().wall_ms / 1000, CERTIFICATE_DAYS, &pem, &key),
        ERR_OK);
    assert_int_equal(buf_append_text(card, "certificate: |\n"), ERR_OK);
    for (char *line = strtok_r((char *)pem.bytes, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest))
        assert_int_equal(buf_printf(card, "  %s\n", line), ERR_OK);
    buf_fini(&pem);
    buf_fini(&key);
}

/* The card that `text` begins, with a certificate for the region that it names. */
static struct buf card_of(const char *text)
{
    struct buf card = BUF_INIT(REGION_CARD_LEN_MAX);
    char name[REGION_NAME_LEN_MAX + 1] = "";

    assert_int_equal(sscanf(strstr(text, "name: "), "name: %16[a-z0-9]", name), 1);
    assert_int_equal(buf_append_text(&card, text), ERR_OK);
    certify(&card, name);
    return card;
}

static void write_card(const struct fixture *f, const char *file, const char *text)
{
    struct buf card = card_of(text);

    write_file(f, file, buf_text(&card));
    buf_fini(&card);
}

static void load_config(struct fixture *f, const char *text)
{
    char path[TEMP_PATH_MAX + 64];

    config_free(f->config);
    snprintf(path, sizeof path, "%s/p.yaml", f->dir);
    write_file(f, "p.yaml", text);
    assert_int_equal(config_load(&(struct config_sources){ .path = path }, &f->config, f->why),
                     ERR_OK);
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    char path[TEMP_PATH_MAX + 64];

    temp_make(f->dir);
    snprintf(path, sizeof path, "%s/peers", f->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    load_config(f, "region: {name: fra, ordinal: 1, jurisdictions: [eu]}\n");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    topology_free(f->topology);
    config_free(f->config);
    temp_remove(f->dir);
    free(f);
    return 0;
}

/* Paths below the fixture's folder, which is another one in each run. */
static void assert_why(const struct fixture *f, const char *expected)
{
    assert_memory_equal(f->why, f->dir, strlen(f->dir));
    assert_string_equal(f->why + strlen(f->dir) + 1, expected);
}

static void the_regions_are_this_one_and_the_cards_in_peers_dir(void **state)
{
    struct fixture *f = *state;

    write_card(f, "peers/sin.yaml", SIN);
    write_card(f, "peers/iad.yaml", IAD);
    write_file(f, "peers/README", "no card");
    write_file(f, "peers/.gru.yaml", "hidden");
    assert_int_equal(regions_load(f->config, &f->topology, f->why), ERR_OK);
    assert_int_equal(f->topology->count, 3);
    assert_string_equal(topology_self(f->topology)->name, "fra");
    assert_non_null(topology_by_name(f->topology, "iad"));
    assert_non_null(topology_by_name(f->topology, "sin"));
}

static void without_a_folder_of_peers_there_are_none(void **state)
{
    struct fixture *f = *state;

    load_config(f, "peers_dir: nowhere\n"
                   "region: {name: fra, ordinal: 1, jurisdictions: [eu]}\n");
    assert_int_equal(regions_load(f->config, &f->topology, f->why), ERR_OK);
    assert_int_equal(f->topology->count, 1);
    assert_false(topology_is_single(f->topology));
}

static void without_a_name_a_region_is_alone_whatever_is_there(void **state)
{
    struct fixture *f = *state;

    write_file(f, "peers/iad.yaml", "nonsense");
    load_config(f, "");
    assert_int_equal(regions_load(f->config, &f->topology, f->why), ERR_OK);
    assert_true(topology_is_single(f->topology));
}

static void a_card_that_does_not_fit_is_named(void **state)
{
    static const struct {
        const char *file, *card, *why;
        enum err err;
    } rows[] = {
        { "peers/iad.yaml", "name: iad\n", "peers/iad.yaml: ordinal: is missing", ERR_INVALID },
        { "peers/iad.yaml", "name: iad\nordinal: 0\n",
          "peers/iad.yaml:2: ordinal: expected a whole number from 1 to 255", ERR_INVALID },
        { "peers/gru.yaml", IAD, "peers/gru.yaml:1: name: isn't what the file is called",
          ERR_INVALID },
        { "peers/fra.yaml", "name: fra\nordinal: 4\njurisdictions: [eu]\n",
          "peers/fra.yaml:1: name: there is a region fra already", ERR_CONFLICT },
        { "peers/gru.yaml", "ordinal: 3\nname: gru\njurisdictions: [br]\n",
          "peers/sin.yaml:2: ordinal: 3 is that of gru already", ERR_CONFLICT },
        { "peers/iad.yaml", "name: iad\nordinal: 1\njurisdictions: [us]\n",
          "peers/iad.yaml:2: ordinal: 1 is that of fra already", ERR_CONFLICT },
    };
    struct fixture *f = *state;
    char path[TEMP_PATH_MAX + 64];

    for (size_t i = 0; i < COUNT(rows); i++) {
        write_card(f, "peers/sin.yaml", SIN);
        write_card(f, rows[i].file, rows[i].card);
        assert_int_equal(regions_load(f->config, &f->topology, f->why), rows[i].err);
        assert_why(f, rows[i].why);
        snprintf(path, sizeof path, "%s/%s", f->dir, rows[i].file);
        unlink(path);
    }
}

static void assert_left_out(const struct fixture *f, const struct text_list *left_out,
                            const char *const *whys, size_t count)
{
    assert_int_equal(left_out->count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(left_out->items[i] + strlen(f->dir) + 1, whys[i]);
}

static void a_daemon_leaves_out_the_cards_that_do_not_fit(void **state)
{
    static const char *const whys[] = {
        "peers/dub.yaml: ordinal: is missing",
        "peers/lhr.yaml:1: name: isn't what the file is called",
        "peers/fra.yaml:1: name: there is a region fra already",
        "peers/lax.yaml:2: ordinal: 1 is that of fra already",
        "peers/sin.yaml:2: ordinal: 2 is that of iad already",
    };
    struct fixture *f = *state;
    struct text_list left_out = { 0 };

    write_card(f, "peers/dub.yaml", "name: dub\n");
    write_card(f, "peers/fra.yaml", "name: fra\nordinal: 9\njurisdictions: [eu]\n");
    write_card(f, "peers/gru.yaml", "name: gru\nordinal: 4\njurisdictions: [br]\n");
    write_card(f, "peers/iad.yaml", IAD);
    write_card(f, "peers/lax.yaml", "name: lax\nordinal: 1\njurisdictions: [us]\n");
    write_card(f, "peers/lhr.yaml", SIN);
    write_card(f, "peers/sin.yaml", "name: sin\nordinal: 2\njurisdictions: [sg]\n");
    assert_int_equal(regions_load_good(f->config, &f->topology, &left_out, f->why), ERR_OK);
    assert_left_out(f, &left_out, whys, COUNT(whys));
    assert_int_equal(f->topology->count, 3);
    assert_non_null(topology_by_name(f->topology, "gru"));
    assert_string_equal(topology_by_ordinal(f->topology, 2)->name, "iad");
    text_list_fini(&left_out);
}

static void a_daemon_does_not_leave_out_itself(void **state)
{
    struct fixture *f = *state;
    struct text_list left_out = { 0 };

    write_file(f, "link.crt", "no certificate");
    assert_int_equal(regions_load_good(f->config, &f->topology, &left_out, f->why),
                     ERR_INVALID);
    assert_why(f, "link.crt: isn't one certificate as PEM");
    assert_int_equal(left_out.count, 0);
}

static void a_folder_that_cannot_be_read_is_named(void **state)
{
    struct fixture *f = *state;
    char path[TEMP_PATH_MAX + 64];

    snprintf(path, sizeof path, "%s/peers/iad.yaml", f->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(regions_load(f->config, &f->topology, f->why), ERR_FOLDER);
    assert_why(f, "peers/iad.yaml: can't be read: is a directory");
}

static void there_may_be_fifteen_peers(void **state)
{
    struct fixture *f = *state;
    char name[TEMP_PATH_MAX + 64], card[64];
    struct text_list left_out = { 0 };

    for (int i = 2; i <= REGIONS_MAX + 1; i++) {
        snprintf(name, sizeof name, "peers/r%d.yaml", i);
        snprintf(card, sizeof card, "name: r%d\nordinal: %d\njurisdictions: [eu]\n", i, i);
        write_card(f, name, card);
    }
    assert_int_equal(regions_load(f->config, &f->topology, f->why), ERR_LIMIT);
    assert_non_null(strstr(f->why, "there are more than 16 regions"));
    assert_int_equal(regions_load_good(f->config, &f->topology, &left_out, f->why), ERR_OK);
    assert_int_equal(f->topology->count, REGIONS_MAX);
    assert_int_equal(left_out.count, 1);
    text_list_fini(&left_out);
    topology_free(f->topology);
    f->topology = NULL;
    snprintf(name, sizeof name, "%s/peers/r2.yaml", f->dir);
    unlink(name);
    assert_int_equal(regions_load(f->config, &f->topology, f->why), ERR_OK);
    assert_int_equal(f->topology->count, REGIONS_MAX);
}

static enum err try_card(struct fixture *f, const char *text)
{
    struct buf card = card_of(text);
    enum err err = regions_try(f->config, "card", &card, &f->topology, f->why);

    buf_fini(&card);
    return err;
}

static void a_card_is_tried_in_place_of_the_one_of_its_name(void **state)
{
    static const char moved[] = "name: iad\nordinal: 9\njurisdictions: [us]\n";
    struct fixture *f = *state;

    write_card(f, "peers/iad.yaml", IAD);
    write_card(f, "peers/sin.yaml", SIN);
    assert_int_equal(try_card(f, moved), ERR_OK);
    assert_int_equal(f->topology->count, 3);
    assert_int_equal(topology_by_name(f->topology, "iad")->ordinal, 9);
}

static void a_certificate_is_the_named_regions_own(void **state)
{
    struct fixture *f = *state;
    struct buf card = BUF_INIT(REGION_CARD_LEN_MAX);
    char path[TEMP_PATH_MAX + 64];

    assert_int_equal(buf_append_text(&card, IAD), ERR_OK);
    certify(&card, "gru");
    write_file(f, "peers/iad.yaml", buf_text(&card));
    assert_int_equal(regions_load(f->config, &f->topology, f->why), ERR_INVALID);
    assert_why(f, "peers/iad.yaml:4: certificate: is that of region gru");
    buf_fini(&card);

    write_card(f, "peers/iad.yaml", IAD);
    write_file(f, "link.crt", "no certificate");
    assert_int_equal(regions_load(f->config, &f->topology, f->why), ERR_INVALID);
    assert_why(f, "link.crt: isn't one certificate as PEM");
    snprintf(path, sizeof path, "%s/link.crt", f->dir);
    unlink(path);

    assert_int_equal(regions_load(f->config, &f->topology, f->why), ERR_OK);
    const struct region *iad = topology_by_name(f->topology, "iad");
    struct certificate certificate;
    const char *why = NULL;
    assert_int_equal(certificate_read(iad->certificate_pem, &certificate, &why), ERR_OK);
    assert_memory_equal(iad->certificate_sha256, certificate.sha256, REGION_DIGEST_LEN);
    assert_null(topology_self(f->topology)->certificate_pem);
}

static void a_card_that_is_tried_takes_the_blame(void **state)
{
    struct fixture *f = *state;

    write_card(f, "peers/sin.yaml", SIN);
    assert_int_equal(try_card(f, "name: iad\nordinal: 3\njurisdictions: [us]\n"), ERR_CONFLICT);
    assert_string_equal(f->why, "card:2: ordinal: 3 is that of sin already");
    assert_int_equal(try_card(f, "name: iad\n"), ERR_INVALID);
    assert_string_equal(f->why, "card: ordinal: is missing");
}

static enum err read_key(struct fixture *f, struct buf *out)
{
    buf_clear(out);
    topology_free(f->topology);
    f->topology = NULL;
    assert_int_equal(regions_load(f->config, &f->topology, f->why), ERR_OK);
    return regions_read_key(f->config, f->topology, out, f->why);
}

static void a_link_needs_a_certificate_and_the_key_to_it(void **state)
{
    struct buf pem = BUF_INIT(CERTIFICATE_PEM_MAX), key = BUF_INIT(CERTIFICATE_PEM_MAX);
    struct buf other = BUF_INIT(CERTIFICATE_PEM_MAX), read = BUF_INIT(CERTIFICATE_PEM_MAX);
    struct fixture *f = *state;
    char path[TEMP_PATH_MAX + 64];

    assert_int_equal(certificate_create("fra", 1764000000, 1, &pem, &other), ERR_OK);
    buf_clear(&pem);
    assert_int_equal(certificate_create("fra", 1764000000, 1, &pem, &key), ERR_OK);
    assert_int_equal(read_key(f, &read), ERR_NOT_FOUND);
    assert_why(f, "link.crt: not found; `posthaste region certificate create` makes it");

    write_file(f, "link.crt", buf_text(&pem));
    assert_int_equal(read_key(f, &read), ERR_NOT_FOUND);
    assert_non_null(strstr(f->why, "region.key_file: "));
    write_file(f, "link.key", buf_text(&other));
    assert_int_equal(read_key(f, &read), ERR_INVALID);
    assert_non_null(strstr(f->why, "link.key: not the key to "));

    write_file(f, "link.key", buf_text(&key));
    assert_int_equal(read_key(f, &read), ERR_OK);
    assert_string_equal(buf_text(&read), buf_text(&key));
    snprintf(path, sizeof path, "%s/link.key", f->dir);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(read_key(f, &read), ERR_DENIED);
    buf_fini(&pem);
    buf_fini(&key);
    buf_fini(&other);
    buf_fini(&read);
}

#define REGIONS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGIONS_TEST(the_regions_are_this_one_and_the_cards_in_peers_dir),
        REGIONS_TEST(without_a_folder_of_peers_there_are_none),
        REGIONS_TEST(without_a_name_a_region_is_alone_whatever_is_there),
        REGIONS_TEST(a_card_that_does_not_fit_is_named),
        REGIONS_TEST(a_daemon_leaves_out_the_cards_that_do_not_fit),
        REGIONS_TEST(a_daemon_does_not_leave_out_itself),
        REGIONS_TEST(a_folder_that_cannot_be_read_is_named),
        REGIONS_TEST(there_may_be_fifteen_peers),
        REGIONS_TEST(a_card_is_tried_in_place_of_the_one_of_its_name),
        REGIONS_TEST(a_card_that_is_tried_takes_the_blame),
        REGIONS_TEST(a_certificate_is_the_named_regions_own),
        REGIONS_TEST(a_link_needs_a_certificate_and_the_key_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/datagram.h"
#include "tests/wan/network.h"

enum { FRA, IAD, SIN };

static int setup(void **state)
{
    static const char *const names[] = { "fra", "iad", "sin" };
    struct network *n = network_new();

    for (size_t i = 0; i < COUNT(names); i++)
        assert_int_equal(network_add(n, names[i]), ERR_OK);
    n->routes[FRA][IAD].path.delay_ns = 46;
    n->routes[FRA][SIN].path.delay_ns = 81;
    *state = n;
    return 0;
}

static int teardown(void **state)
{
    network_free(*state);
    return 0;
}

static void send_to(struct network *n, unsigned site, uint64_t now_ns)
{
    struct datagram d = datagram_tcp(site + 1, 1, 0, "text");

    network_send(n, FRA, d.bytes, d.len, now_ns);
}

static void assert_receives(struct network *n, uint64_t now_ns, size_t to)
{
    struct packet *packet = network_receive(n, now_ns);

    assert_non_null(packet);
    assert_int_equal(packet->to, to);
    free(packet);
}

static void packets_of_several_paths_arrive_as_they_are_due(void **state)
{
    struct network *n = *state;

    assert_int_equal(network_next_ns(n), UINT64_MAX);
    send_to(n, SIN, 0);
    send_to(n, IAD, 10);
    assert_int_equal(network_next_ns(n), 56);
    assert_null(network_receive(n, 55));
    assert_receives(n, 56, IAD);
    assert_null(network_receive(n, 80));
    assert_receives(n, 81, SIN);
    assert_null(network_receive(n, UINT64_MAX - 1));
}

static void what_goes_to_no_other_site_goes_nowhere(void **state)
{
    struct network *n = *state;
    struct datagram d = datagram_tcp(2, 1, 0, "text");

    send_to(n, FRA, 0);
    send_to(n, 3, 0);   /* nobody's */
    send_to(n, 255, 0); /* 198.18.0.1 */
    network_send(n, FRA, d.bytes, 19, 0);
    d.bytes[16] = 10;
    network_send(n, FRA, d.bytes, d.len, 0);
    d = datagram_tcp(2, 1, 0, "text");
    d.bytes[0] = 6 << 4;
    network_send(n, FRA, d.bytes, d.len, 0);
    assert_int_equal(network_next_ns(n), UINT64_MAX);
}

static void a_cut_takes_what_is_on_its_way(void **state)
{
    struct network *n = *state;

    send_to(n, IAD, 0);
    send_to(n, SIN, 0);
    n->routes[FRA][IAD].path.cut = true;
    assert_receives(n, 1000, SIN);
    assert_null(network_receive(n, 1000));
    assert_int_equal(n->routes[FRA][IAD].path.dropped, 1);
}

static void what_finds_no_room_is_dropped(void **state)
{
    struct network *n = *state;

    for (size_t i = 0; i < HOLDING_MAX; i++)
        send_to(n, IAD, 0);
    assert_int_equal(n->routes[FRA][IAD].path.dropped, 0);
    send_to(n, IAD, 0);
    assert_int_equal(n->routes[FRA][IAD].path.dropped, 1);
}

static void what_leaks_counts_on_its_path_even_if_it_is_lost(void **state)
{
    struct network *n = *state;
    size_t index;

    assert_int_equal(leak_watch(n->leak, (const uint8_t *)"text", 4, &index), ERR_OK);
    n->routes[FRA][SIN].path.cut = true;
    send_to(n, SIN, 0);
    assert_int_equal(n->routes[FRA][SIN].hits[index], 1);
    assert_int_equal(n->routes[FRA][IAD].hits[index], 0);
}

static void a_name_is_short_and_taken_once(void **state)
{
    struct network *n = *state;
    static const struct {
        const char *name;
        enum err e;
    } rows[] = { { "", ERR_INVALID },
                 { "s n", ERR_INVALID },
                 { "seventeen-letters", ERR_INVALID },
                 { "fra", ERR_CONFLICT },
                 { "sixteen-letters!", ERR_OK } };
    size_t found;

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(network_add(n, rows[i].name), rows[i].e);
    assert_int_equal(network_find(n, "sixteen-letters!", &found), ERR_OK);
    assert_int_equal(found, SIN + 1);
    assert_int_equal(network_find(n, "gru", &found), ERR_NOT_FOUND);
}

static void so_many_sites_and_no_more(void **state)
{
    struct network *n = *state;
    char name[] = "a";

    for (; n->count < NETWORK_SITES_MAX; name[0]++)
        assert_int_equal(network_add(n, name), ERR_OK);
    assert_int_equal(network_add(n, name), ERR_LIMIT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(packets_of_several_paths_arrive_as_they_are_due),
        TEST(what_goes_to_no_other_site_goes_nowhere),
        TEST(a_cut_takes_what_is_on_its_way),
        TEST(what_finds_no_room_is_dropped),
        TEST(what_leaks_counts_on_its_path_even_if_it_is_lost),
        TEST(a_name_is_short_and_taken_once),
        TEST(so_many_sites_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

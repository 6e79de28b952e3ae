#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "core/count.h"
#include "wire/egress.h"

struct row {
    const char *address;
    bool allowed;
};

static struct sockaddr_storage parse(const char *text)
{
    struct sockaddr_storage s = { 0 };
    struct sockaddr_in *v4 = (void *)&s;
    struct sockaddr_in6 *v6 = (void *)&s;

    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
        v6->sin6_family = AF_INET6;
    }
    return s;
}

static struct egress *egress_of(const char *first, const char *second)
{
    char *items[] = { (char *)first, (char *)second };
    struct text_list subnets = { .items = items };
    struct egress *egress;
    const char *bad;

    while (subnets.count < COUNT(items) && items[subnets.count])
        subnets.count++;
    assert_int_equal(egress_new(&subnets, &egress, &bad), ERR_OK);
    return egress;
}

static void check(const struct egress *egress, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sockaddr_storage s = parse(rows[i].address);
        if (egress_allows(egress, (const struct sockaddr *)&s) != rows[i].allowed)
            fail_msg("%s should be %s", rows[i].address,
                     rows[i].allowed ? "allowed" : "denied");
    }
}

static const struct row public_and_special[] = {
    { "1.1.1.1", true },
    { "8.8.8.8", true },
    { "93.184.216.34", true },
    { "0.0.0.0", false },
    { "0.0.0.1", false },
    { "0.255.255.255", false },
    { "1.0.0.0", true },
    { "9.255.255.255", true },
    { "10.0.0.0", false },
    { "10.255.255.255", false },
    { "11.0.0.0", true },
    { "100.63.255.255", true },
    { "100.64.0.0", false },
    { "100.127.255.255", false },
    { "100.128.0.0", true },
    { "126.255.255.255", true },
    { "127.0.0.1", false },
    { "127.255.255.254", false },
    { "128.0.0.0", true },
    { "169.253.255.255", true },
    { "169.254.0.1", false },
    { "169.254.169.254", false },
    { "169.255.0.0", true },
    { "172.15.255.255", true },
    { "172.16.0.0", false },
    { "172.31.255.255", false },
    { "172.32.0.0", true },
    { "192.0.0.0", false },
    { "192.0.0.9", false },
    { "192.0.0.255", false },
    { "192.0.1.0", true },
    { "192.0.2.1", false },
    { "192.0.3.0", true },
    { "192.88.99.1", false },
    { "192.167.255.255", true },
    { "192.168.0.0", false },
    { "192.168.255.255", false },
    { "192.169.0.0", true },
    { "198.17.255.255", true },
    { "198.18.0.0", false },
    { "198.19.255.255", false },
    { "198.20.0.0", true },
    { "198.51.99.255", true },
    { "198.51.100.7", false },
    { "198.51.101.0", true },
    { "203.0.112.255", true },
    { "203.0.113.7", false },
    { "203.0.114.0", true },
    { "223.255.255.255", true },
    { "224.0.0.1", false },
    { "239.255.255.255", false },
    { "240.0.0.1", false },
    { "255.255.255.254", false },
    { "255.255.255.255", false },

    { "2606:4700:4700::1111", true },
    { "2001:4860:4860::8888", true },
    { "2a00:1450:4001:80b::200e", true },
    { "2001:200::1", true },
    { "::", false },
    { "::1", false },
    { "::2", false },
    { "100::1", false },
    { "100:0:0:1::1", false },
    { "fc00::1", false },
    { "fdff:ffff::1", false },
    { "fe00::1", false },
    { "fe80::1", false },
    { "febf::1", false },
    { "fec0::1", false },
    { "feff::1", false },
    { "ff00::1", false },
    { "ff02::1", false },
    { "ff0e::1", false },
    { "2001:db8::1", false },
    { "2001:db9::1", true },
    { "2001::1", false },
    { "2001:2::1", false },
    { "2001:20::1", false },
    { "2001:1ff:ffff::1", false },
    { "3fff::1", false },
    { "3fff:fff::1", false },
    { "3fff:1000::1", true },
    { "3ffe::1", true },
    { "4000::1", false },
    { "5f00::1", false },
    { "1fff::1", false },
    { "64:ff9a::1.1.1.1", false },
    { "64:ff9b:1::1", false },
    { "64:ff9b:1::1.1.1.1", false },
    { "64:ff9b:0:0:0:1:101:101", false },
};

static void only_public_addresses_are_allowed(void **state)
{
    struct egress *egress = egress_of(NULL, NULL);

    (void)state;
    check(egress, public_and_special, COUNT(public_and_special));
    egress_free(egress);
}

static void an_address_is_judged_by_the_ipv4_address_in_it(void **state)
{
    static const struct row rows[] = {
        { "::ffff:8.8.8.8", true },
        { "::ffff:127.0.0.1", false },
        { "::ffff:10.1.2.3", false },
        { "::ffff:169.254.169.254", false },
        { "::ffff:0.0.0.0", false },
        { "::ffff:255.255.255.255", false },
        { "::fffe:8.8.8.8", false },
        { "::8.8.8.8", false }, /* compatible: deprecated, nobody routes it */
        { "::127.0.0.1", false },
        { "::10.0.0.1", false },
        { "64:ff9b::8.8.8.8", true },
        { "64:ff9b::127.0.0.1", false },
        { "64:ff9b::10.0.0.1", false },
        { "64:ff9b::169.254.169.254", false },
        { "2002:808:808::1", true },
        { "2002:7f00:1::1", false },
        { "2002:a00:1::1", false },
        { "2002:c0a8:101::1", false },
        { "2002:a9fe:a9fe::1", false },
        { "2001:0:808:808::f7f7:f7f7", false }, /* Teredo is never public */
    };
    struct egress *egress = egress_of(NULL, NULL);

    (void)state;
    check(egress, rows, COUNT(rows));
    egress_free(egress);
}

static void a_subnet_is_allowed_exactly(void **state)
{
    static const struct row v4_rows[] = {
        { "10.1.2.128", true },
        { "10.1.2.255", true },
        { "::ffff:10.1.2.130", true },
        { "64:ff9b::10.1.2.130", true },
        { "2002:a01:282::1", true },
        { "10.1.2.127", false },
        { "10.1.3.128", false },
        { "::10.1.2.130", false },
        { "127.0.0.1", true },
        { "127.0.0.2", false },
        { "::1", false },
        { "1.1.1.1", true },
    };
    static const struct row v6_rows[] = {
        { "fd00::1", true },
        { "fd7f:ffff::1", true },
        { "fd80::1", false },
        { "fc00::1", false },
        { "::1", true },
        { "127.0.0.1", false },
        { "2606:4700:4700::1111", true },
    };
    struct egress *egress = egress_of("10.1.2.128/25", "127.0.0.1/32");

    (void)state;
    check(egress, v4_rows, COUNT(v4_rows));
    egress_free(egress);

    egress = egress_of("fd00::/9", "::1/128");
    check(egress, v6_rows, COUNT(v6_rows));
    egress_free(egress);
}

static void a_subnet_of_carriers_does_not_open_what_they_carry(void **state)
{
    static const struct row everything_v6[] = {
        { "fe80::1", true },
        { "::1", true },
        { "::ffff:127.0.0.1", false },
        { "::ffff:8.8.8.8", true },
        { "127.0.0.1", false },
        { "64:ff9b::127.0.0.1", false },
        { "2002:7f00:1::1", false },
        { "::127.0.0.1", false },
        { "::8.8.8.8", true },
        { "2001:0:808:808::f7f7:f7f7", true },
        { "2001:0:7f00:1::f7f7:f7f7", false },  /* the server is 127.0.0.1 */
        { "2001:0:808:808::80ff:fffe", false }, /* the client is 127.0.0.1 */
    };
    static const struct row everything_v4[] = {
        { "127.0.0.1", true },          { "0.0.0.0", true }, { "::ffff:127.0.0.1", true },
        { "64:ff9b::127.0.0.1", true }, { "::1", false },    { "fe80::1", false },
    };
    struct egress *egress = egress_of("::/0", NULL);

    (void)state;
    check(egress, everything_v6, COUNT(everything_v6));
    egress_free(egress);

    egress = egress_of("0.0.0.0/0", NULL);
    check(egress, everything_v4, COUNT(everything_v4));
    egress_free(egress);
}

static void a_mapped_subnet_is_one_of_ipv4(void **state)
{
    static const struct row rows[] = {
        { "10.1.2.3", true },
        { "::ffff:10.1.2.3", true },
        { "11.1.2.3", true },
        { "192.168.0.1", false },
    };
    struct egress *egress = egress_of("::ffff:10.0.0.0/104", NULL);

    (void)state;
    check(egress, rows, COUNT(rows));
    egress_free(egress);
}

static void what_is_not_a_subnet_is_named(void **state)
{
    static const char *const rows[] = {
        "",
        "10.0.0.0",
        "10.0.0.0/",
        "/8",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/08",
        "10.0.0.0/8 ",
        " 10.0.0.0/8",
        "10.0.0/8",
        "10/8",
        "010.0.0.0/8",
        "256.0.0.0/8",
        "10.0.0.0/8/8",
        "fd00::",
        "fd00::/129",
        "fd00::/1000",
        "fd00:::/8",
        "[fd00::]/8",
        "fe80::1%lo/64",
        "localhost/8",
        "10.0.0.0/0x8",
        "10.0.0.0/4294967304",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/8",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *items[] = { "10.0.0.0/8", (char *)rows[i] };
        struct text_list subnets = { .count = 2, .items = items };
        struct egress *egress = NULL;
        const char *bad = NULL;
        if (egress_new(&subnets, &egress, &bad) != ERR_INVALID)
            fail_msg("\"%s\" was taken for a subnet", rows[i]);
        assert_ptr_equal(bad, rows[i]);
        assert_null(egress);
    }
}

static void other_families_are_denied(void **state)
{
    struct sockaddr_un local = { .sun_family = AF_UNIX };
    struct egress *egress = egress_of("0.0.0.0/0", "::/0");

    (void)state;
    assert_false(egress_allows(egress, (const struct sockaddr *)&local));
    egress_free(egress);
}

static void the_open_policy_allows_everything(void **state)
{
    static const struct row rows[] = {
        { "127.0.0.1", true },
        { "10.0.0.1", true },
        { "::1", true },
        { "1.1.1.1", true },
    };
    struct egress *egress = egress_new_open();

    (void)state;
    check(egress, rows, COUNT(rows));
    egress_free(egress);
    egress_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_public_addresses_are_allowed),
        cmocka_unit_test(an_address_is_judged_by_the_ipv4_address_in_it),
        cmocka_unit_test(a_subnet_is_allowed_exactly),
        cmocka_unit_test(a_subnet_of_carriers_does_not_open_what_they_carry),
        cmocka_unit_test(a_mapped_subnet_is_one_of_ipv4),
        cmocka_unit_test(what_is_not_a_subnet_is_named),
        cmocka_unit_test(other_families_are_denied),
        cmocka_unit_test(the_open_policy_allows_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

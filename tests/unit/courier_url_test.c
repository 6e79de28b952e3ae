#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "wire/courier.h"

static void a_url_is_brought_to_its_normal_form(void **state)
{
    static const struct {
        const char *url, *normal;
    } rows[] = {
        { "http://example.com", "http://example.com/" },
        { "https://example.com/hook", "https://example.com/hook" },
        { "HTTP://EXAMPLE.com/Hook", "http://example.com/Hook" },
        { "http://example.com:80/", "http://example.com/" },
        { "https://example.com:443/", "https://example.com/" },
        { "http://example.com:443/", "http://example.com:443/" },
        { "http://example.com:8080", "http://example.com:8080/" },
        { "http://example.com:/x", "http://example.com/x" },
        { "http://example.com?a=b", "http://example.com/?a=b" },
        { "http://example.com/a?b=c@d:e", "http://example.com/a?b=c@d:e" },
        { "http://example.com/a#part", "http://example.com/a" },
        { "http://example.com/a/../b/./c", "http://example.com/b/c" },
        { "http://example.com/%41%20x", "http://example.com/%41%20x" },
        { "http://127.0.0.1:9000/x", "http://127.0.0.1:9000/x" },
        { "http://127.1/", "http://127.0.0.1/" },
        { "http://2130706433/", "http://127.0.0.1/" },
        { "http://0x7f.0.0.1/", "http://127.0.0.1/" },
        { "http://0177.0.0.1/", "http://127.0.0.1/" },
        { "http://[::1]:9000/", "http://[::1]:9000/" },
        { "http://[2001:DB8::1]/", "http://[2001:db8::1]/" },
        { "http://xn--bcher-kva.example/", "http://xn--bcher-kva.example/" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = BUF_INIT(URL_LEN_MAX);
        const char *why = NULL;
        if (courier_url(rows[i].url, &out, &why) != ERR_OK)
            fail_msg("%s: %s", rows[i].url, why);
        assert_string_equal(buf_text(&out), rows[i].normal);
        buf_fini(&out);
    }
}

static void what_is_not_a_url_of_a_receiver_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "example.com",
        "//example.com/",
        "/path",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "http:example.com",
        "http:/example.com",
        "http:///example.com",
        "http://",
        "http:///",
        "http://?x",
        "http://#x",
        "http://:80/",
        "https:https://example.com",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://@example.com/",
        "http://:@example.com/",
        "http://example.com@127.0.0.1/",
        "http://example.com:80@127.0.0.1/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com\\x",
        "http://example.com/\\x",
        " http://example.com/",
        "http://example.com/ ",
        "http://example.com/a b",
        "http://exam ple.com/",
        "http://example.com/\r\nX: y",
        "http://example.com/\tx",
        "http://example.com/\x7f",
        "http://example.com/\x01",
        "http://ex\xc3\xa4mple.com/",
        "http://example.com/\xc3\xa4",
        "http://%31%32%37.0.0.1/",
        "http://example%2ecom/",
        "http://example.com%00/",
        "http://[fe80::1%25eth0]/",
        "http://example.com:0/",
        "http://example.com:00/",
        "http://example.com:65536/",
        "http://example.com:-1/",
        "http://example.com:80x/",
        "http://example.com:80:80/",
        "http://[::1/",
        "http://::1/",
        "http://[::1]x/",
        "http://[1.2.3.4]/",
        "http://[]/",
        "http://exa<mple.com/",
        "http://exa\"mple.com/",
        "http://exa|mple.com/",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = BUF_INIT(URL_LEN_MAX);
        const char *why = NULL;
        if (courier_url(rows[i], &out, &why) != ERR_INVALID)
            fail_msg("\"%s\" became \"%s\"", rows[i], buf_text(&out));
        assert_non_null(why);
        assert_int_equal(out.len, 0);
        buf_fini(&out);
    }
}

static void the_length_of_a_url_is_limited(void **state)
{
    char url[URL_LEN_MAX + 2] = "http://example.com/";
    struct buf out = BUF_INIT(URL_LEN_MAX);
    const char *why = NULL;
    size_t len = strlen(url);

    (void)state;
    memset(url + len, 'x', URL_LEN_MAX - len);
    assert_int_equal(courier_url(url, &out, &why), ERR_OK);
    assert_int_equal(out.len, URL_LEN_MAX);
    url[URL_LEN_MAX] = 'x';
    buf_clear(&out);
    assert_int_equal(courier_url(url, &out, &why), ERR_INVALID);
    assert_int_equal(out.len, 0);
    buf_fini(&out);
}

static void a_host_is_at_most_a_domain_name_long(void **state)
{
    char url[400] = "http://";
    struct buf out = BUF_INIT(URL_LEN_MAX);
    const char *why = NULL;

    (void)state;
    memset(url + 7, 'a', 300);
    assert_int_equal(courier_url(url, &out, &why), ERR_INVALID);
    assert_non_null(why);
    buf_fini(&out);
}

static void a_target_is_checked(void **state)
{
    static const struct {
        const char *method, *url, *header;
        enum err err;
    } rows[] = {
        { "POST", "http://h/", "X-A: b", ERR_OK },
        { "PUT", "http://h/", "X-A:b", ERR_OK },
        { "PATCH", "http://h/", "X-A:", ERR_OK },
        { "GET", "http://h/", "x!#$%&'*+-.^_`|~9: \xc3\xa4", ERR_OK },
        { "DELETE", "http://h/", "X-A: b\tc", ERR_OK },
        { "HEAD", "http://h/", "X-A: b", ERR_INVALID },
        { "post", "http://h/", "X-A: b", ERR_INVALID },
        { "", "http://h/", "X-A: b", ERR_INVALID },
        { "POST", "http://", "X-A: b", ERR_INVALID },
        { "POST", "http://h/", "", ERR_INVALID },
        { "POST", "http://h/", ":", ERR_INVALID },
        { "POST", "http://h/", "X-A", ERR_INVALID },
        { "POST", "http://h/", "X-A;", ERR_INVALID },
        { "POST", "http://h/", "X A: b", ERR_INVALID },
        { "POST", "http://h/", "X-A : b", ERR_INVALID },
        { "POST", "http://h/", " X-A: b", ERR_INVALID },
        { "POST", "http://h/", "X-A: b\r\nX-B: c", ERR_INVALID },
        { "POST", "http://h/", "X-A: b\n", ERR_INVALID },
        { "POST", "http://h/", "X-A: \x01", ERR_INVALID },
        { "POST", "http://h/", "X-A: \x7f", ERR_INVALID },
        { "POST", "http://h/", "X-\xc3\xa4: b", ERR_INVALID },
        { "POST", "http://h/", "Host: other", ERR_INVALID },
        { "POST", "http://h/", "User-Agent: other", ERR_INVALID },
        { "POST", "http://user@h/", "X: y", ERR_INVALID },
        { "POST", "http://h/", "CONTENT-LENGTH: 3", ERR_INVALID },
        { "POST", "http://h/", "transfer-encoding: chunked", ERR_INVALID },
        { "POST", "http://h/", "Connection: close", ERR_INVALID },
        { "POST", "http://h/", "Host-Name: ok", ERR_OK },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *items[] = { (char *)rows[i].header };
        struct text_list headers = { .count = 1, .items = items };
        struct target *target = NULL;
        if (target_new(rows[i].method, rows[i].url, &headers, &target) != rows[i].err)
            fail_msg("row %zu: %s %s \"%s\"", i, rows[i].method, rows[i].url, rows[i].header);
        assert_int_equal(target != NULL, rows[i].err == ERR_OK);
        target_unref(target);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_brought_to_its_normal_form),
        cmocka_unit_test(what_is_not_a_url_of_a_receiver_is_refused),
        cmocka_unit_test(the_length_of_a_url_is_limited),
        cmocka_unit_test(a_host_is_at_most_a_domain_name_long),
        cmocka_unit_test(a_target_is_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Bytes from a stranger as a receiver's URL, a header line and a subnet.
 *
 * Holds: a URL's normal form is its own normal form, names a host and no user, and is a target; a
 * header line we'd send is one line; a policy without subnets allows no more than one with. */
#include <assert.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "wire/courier.h"
#include "wire/egress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_url(const char *text)
{
    struct buf normal = BUF_INIT(URL_LEN_MAX), again = BUF_INIT(URL_LEN_MAX);
    struct text_list none = { 0 };
    struct target *target;
    const char *why = NULL;

    if (courier_url(text, &normal, &why) != ERR_OK) {
        assert(why && normal.len == 0);
        return;
    }
    const char *host = strstr(buf_text(&normal), "://");
    assert(host && host[3] != '/' && !memchr(host + 3, '@', strcspn(host + 3, "/?#")));
    assert(courier_url(buf_text(&normal), &again, &why) == ERR_OK);
    assert(strcmp(buf_text(&normal), buf_text(&again)) == 0);
    assert(target_new("POST", buf_text(&normal), &none, &target) == ERR_OK);
    target_unref(target);
    buf_fini(&normal);
    buf_fini(&again);
}

static void check_header(char *text)
{
    struct text_list headers = { .count = 1, .items = &text };
    struct target *target;

    if (target_new("POST", "http://example.com/", &headers, &target) != ERR_OK)
        return;
    assert(strchr(text, ':') && !strpbrk(text, "\r\n"));
    target_unref(target);
}

static void check_subnet(char *text, const uint8_t *data, size_t size)
{
    struct text_list subnets = { .count = 1, .items = &text }, none = { 0 };
    struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
    struct egress *some, *strict;
    const char *bad = NULL;

    if (egress_new(&subnets, &some, &bad) != ERR_OK) {
        assert(bad == text);
        return;
    }
    if (egress_new(&none, &strict, &bad) != ERR_OK)
        abort();
    memcpy(&address.sin6_addr, data, size < 16 ? size : 16);
    if (egress_allows(strict, (const struct sockaddr *)&address))
        assert(egress_allows(some, (const struct sockaddr *)&address));
    egress_free(some);
    egress_free(strict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xmemdup(data, size);
    char *url = xcalloc(size + 8, 1);

    check_url(text);
    memcpy(url, "http://", 7);
    memcpy(url + 7, text, size + 1);
    check_url(url);
    check_header(text);
    check_subnet(text, data, size);
    free(url);
    free(text);
    return 0;
}

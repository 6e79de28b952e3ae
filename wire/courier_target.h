/* Target: where to, as libcurl wants it: private to the courier.
 *
 * Thread: the courier's. */
#ifndef WIRE_COURIER_TARGET_H
#define WIRE_COURIER_TARGET_H

#include <curl/curl.h>

#include "wire/courier.h"
#include "wire/resolver.h"

#define METHOD_LEN_MAX 7
#define PIN_MAX        (ADDRESS_TEXT_MAX + 8)

struct target {
    unsigned refs;
    char method[METHOD_LEN_MAX + 1];
    bool sends_body; /* even an empty one */
    char *url;
    CURLU *parts; /* of `url`, so that libcurl doesn't parse it for each call */
    char *host;
    struct curl_slist *headers; /* the lines that never change */
    bool is_literal;            /* `address` is the host itself, and there is no pin */

    /* The address to connect to, as an entry for CURLOPT_CONNECT_TO. It stays while DNS still
     * names it, so that connections are found again. */
    bool is_pinned;
    union address address;
    struct curl_slist pin;
    char pin_text[PIN_MAX];
};

/* "Name: value", the name a token and none of ours, the value visible characters and blanks. */
bool header_line_is_good(const char *line);

void target_pin(struct target *t, const union address *address);

#endif

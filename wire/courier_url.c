#include "core/count.h"
#include "wire/courier.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#define HOST_LEN_MAX 255 /* bytes; RFC 1035 */

/* What libcurl's parser is generous with, and readers of a URL may understand differently. */
static const char *fault_of(const char *url)
{
    static const char *const schemes[] = { "http://", "https://" };
    const char *authority = NULL;

    if (strlen(url) > URL_LEN_MAX)
        return "longer than 2048 bytes";
    for (const char *p = url; *p; p++)
        if (*p <= 0x20 || *p >= 0x7f || *p == '\\')
            return "holds white space, a backslash, or a character that isn't visible ASCII";
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
            authority = url + strlen(schemes[i]);
    if (!authority)
        return "doesn't start with http:// or https://";

    size_t len = strcspn(authority, "/?#");
    if (len == 0 || *authority == ':')
        return "names no host";
    if (memchr(authority, '@', len))
        return "holds user info";
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)authority[i]) && !strchr("-_.:[]", authority[i]))
            return "has a host that isn't one";
    return NULL;
}

/* Host names in lower case; a fragment never leaves the client. */
static CURLUcode normalise(CURLU *u, const char *url)
{
    char *host = NULL;
    CURLUcode rc = curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER);

    if (rc)
        return rc;
    rc = curl_url_get(u, CURLUPART_HOST, &host, 0);
    if (rc)
        return rc;
    for (char *p = host; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    rc = strlen(host) > HOST_LEN_MAX ? CURLUE_BAD_HOSTNAME
                                     : curl_url_set(u, CURLUPART_HOST, host, 0);
    if (!rc)
        rc = curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
    curl_free(host);
    return rc;
}

static bool has_port_zero(CURLU *u)
{
    char *port = NULL;
    bool zero =
        curl_url_get(u, CURLUPART_PORT, &port, 0) == CURLUE_OK && port[strspn(port, "0")] == 0;

    curl_free(port);
    return zero;
}

static const char *why(CURLUcode rc)
{
    switch ((int)rc) { /* the many others say nothing more */
    case CURLUE_BAD_PORT_NUMBER:
        return "has a port that isn't one";
    case CURLUE_BAD_HOSTNAME:
    case CURLUE_BAD_IPV6:
        return "has a host that isn't one";
    case CURLUE_NO_HOST:
        return "names no host";
    default:
        return "isn't a URL";
    }
}

enum err courier_url(const char *url, struct buf *out, const char **out_why)
{
    char *normal = NULL;
    enum err err = ERR_INVALID;

    *out_why = fault_of(url);
    if (*out_why)
        return ERR_INVALID;

    CURLU *u = curl_url();
    if (!u)
        abort();
    CURLUcode rc = normalise(u, url);
    if (!rc && has_port_zero(u))
        rc = CURLUE_BAD_PORT_NUMBER;
    if (!rc)
        rc = curl_url_get(u, CURLUPART_URL, &normal, CURLU_NO_DEFAULT_PORT);
    if (rc)
        *out_why = why(rc);
    else if (strlen(normal) > URL_LEN_MAX)
        *out_why = "longer than 2048 bytes";
    else
        err = buf_append_text(out, normal);
    curl_free(normal);
    curl_url_cleanup(u);
    return err;
}

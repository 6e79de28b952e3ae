#include "wire/framing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wire/header.h"

struct seen {
    unsigned hosts, lengths, codings;
    const char *length, *coding;
    bool bad_name;
    struct framing *framing;
};

static enum MHD_Result see_field(void *cls, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct seen *seen = cls;
    size_t name_len = header_name_length(name);

    (void)kind;
    if (name_len == 0 || name[name_len] != '\0')
        seen->bad_name = true;
    if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
        seen->hosts++;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
        seen->lengths++;
        seen->length = value;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        seen->codings++;
        seen->coding = value;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_EXPECT) == 0) {
        seen->framing->expects_continue = strcasecmp(value, "100-continue") == 0;
    }
    return MHD_YES;
}

/* The library has checked that a first Content-Length is a number that fits. */
const char *framing_read(struct MHD_Connection *mhd, const char *version, struct framing *out)
{
    struct seen seen = { .framing = out };
    bool is_old = strcmp(version, MHD_HTTP_VERSION_1_0) == 0;

    *out = (struct framing){ 0 };
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    out->header_bytes = info ? info->header_size : 0;
    MHD_get_connection_values(mhd, MHD_HEADER_KIND, see_field, &seen);

    if (seen.bad_name)
        return "A header has an invalid name.";
    if (seen.hosts > 1 || (seen.hosts == 0 && !is_old))
        return "Exactly one Host header is required.";
    if (seen.lengths > 1)
        return "There is more than one Content-Length.";
    if (seen.codings > 0 && seen.lengths > 0)
        return "Content-Length and Transfer-Encoding exclude each other.";
    if (seen.codings > 0 &&
        (is_old || seen.codings > 1 || strcasecmp(seen.coding, "chunked") != 0))
        return "The only Transfer-Encoding understood is chunked.";

    out->chunked = seen.codings > 0;
    out->content_length = seen.lengths > 0 ? strtoull(seen.length, NULL, 10) : 0;
    return NULL;
}

static bool is_visible(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c <= ' ' || *c >= 0x7f)
            return false;
    return true;
}

/* Where the path of "http://authority/path" begins; the text itself in any other form. */
static char *skip_authority(char *target)
{
    size_t scheme = strncasecmp(target, "http://", 7) == 0    ? 7
                    : strncasecmp(target, "https://", 8) == 0 ? 8
                                                              : 0;
    if (scheme == 0)
        return target;

    size_t authority = strcspn(target + scheme, "/?");
    return target + scheme + authority;
}

bool framing_split_target(char *target, const char **out_path, const char **out_query)
{
    char *path = skip_authority(target);

    if (!is_visible(path) || (*path != '/' && strcmp(path, "*") != 0))
        return false;

    char *mark = strchr(path, '?');
    if (mark)
        *mark = '\0';
    *out_path = path;
    *out_query = mark ? mark + 1 : "";
    return true;
}

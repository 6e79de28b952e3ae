#include "wire/request_parser.h"

#include <string.h>

#include "core/list.h"
#include "wire/header.h"

#define VERSION_LEN 3 /* "1.1" */

static int on_version(llhttp_t *llhttp, const char *at, size_t len);
static int on_headers_complete(llhttp_t *llhttp);
static int on_chunk_header(llhttp_t *llhttp);
static int on_body(llhttp_t *llhttp, const char *at, size_t len);
static int on_message_complete(llhttp_t *llhttp);

static const llhttp_settings_t settings = {
    .on_version = on_version,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk_header,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

void request_parser_init(struct request_parser *p, size_t limit,
                         const struct refusal *(*on_body_piece)(struct request_parser *p,
                                                                const char *bytes, size_t len))
{
    *p = (struct request_parser){ .on_body = on_body_piece };
    request_head_init(&p->head, limit);
    llhttp_init(&p->llhttp, HTTP_REQUEST, &settings);
}

void request_parser_fini(struct request_parser *p)
{
    request_head_fini(&p->head);
}

bool request_parser_is_in_head(const struct request_parser *p)
{
    return p->state == PARSER_HEAD && p->head.text.len > 0;
}

static struct request_parser *parser_of(llhttp_t *llhttp)
{
    return container_of(llhttp, struct request_parser, llhttp);
}

static bool is_supported(const llhttp_t *llhttp)
{
    return llhttp->http_major == 1 && llhttp->http_minor <= 1;
}

/* The reason for each of llhttp's errors, in our words. */
static const struct refusal *from_llhttp(const struct request_parser *p, llhttp_errno_t code)
{
    switch ((int)code) {
    case HPE_USER:
        return p->fault;
    case HPE_INVALID_VERSION:
        return p->version_len == VERSION_LEN && !is_supported(&p->llhttp) ? &refusal_version
                                                                          : &refusal_line;
    case HPE_PAUSED_H2_UPGRADE:
        return &refusal_version;
    case HPE_INVALID_METHOD:
    case HPE_INVALID_CONSTANT:
        return &refusal_line;
    case HPE_INVALID_URL:
        return &refusal_target;
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_INVALID_CONTENT_LENGTH:
        return &refusal_length;
    case HPE_INVALID_TRANSFER_ENCODING:
        return &refusal_coding;
    default:
        return p->state == PARSER_HEAD ? &refusal_field : &refusal_chunk;
    }
}

/* Each line ends with CR LF and the next one doesn't continue it. */
static bool are_lines(struct request_parser *p, const char *bytes, size_t len)
{
    const char *at = bytes, *end = bytes + len;

    if (len == 0)
        return true;
    if (p->last == '\n' && header_is_blank(*at))
        return false;
    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        char before = at > bytes ? at[-1] : p->last;
        at++;
        if (before != '\r' || (at < end && header_is_blank(*at)))
            return false;
    }
    p->last = end[-1];
    return true;
}

/* NULL, or what is wrong with the head so far. */
static const struct refusal *collect_head(struct request_parser *p, const char *bytes,
                                          size_t len)
{
    struct buf *text = &p->head.text;
    size_t room = text->limit - text->len;
    size_t piece = len < room ? len : room;

    if (!are_lines(p, bytes, piece))
        return &refusal_field;
    if (buf_append(text, bytes, piece) || piece < len)
        return memchr(buf_text(text), '\n', text->len) ? &refusal_header_size
                                                       : &refusal_target_size;
    return NULL;
}

/* The body's bytes are with on_body() already. */
static const struct refusal *collect(struct request_parser *p, const char *bytes, size_t len)
{
    if (p->state == PARSER_HEAD)
        return collect_head(p, bytes, len);
    if (p->state == PARSER_TRAILER && !are_lines(p, bytes, len))
        return &refusal_chunk;
    return NULL;
}

/* Empty lines before a request. */
static size_t skip_lines(const char *bytes, size_t len)
{
    size_t skipped = 0;

    while (skipped < len && (bytes[skipped] == '\r' || bytes[skipped] == '\n'))
        skipped++;
    return skipped;
}

static void begin(struct request_parser *p)
{
    request_head_clear(&p->head);
    p->state = PARSER_HEAD;
    p->last = '\0';
    p->version_len = 0;
}

/* Up to the next pause; NULL, or a fault. */
static const struct refusal *run(struct request_parser *p, const char *bytes, size_t len,
                                 size_t *out_taken, bool *out_paused)
{
    llhttp_errno_t code = llhttp_execute(&p->llhttp, bytes, len);
    const char *end = code == HPE_OK ? bytes + len : llhttp_get_error_pos(&p->llhttp);

    *out_taken = (size_t)(end - bytes);
    *out_paused = code == HPE_PAUSED;
    const struct refusal *fault = collect(p, bytes, *out_taken);
    if (!fault && code != HPE_OK && code != HPE_PAUSED)
        fault = from_llhttp(p, code);
    return fault;
}

enum request_event request_parser_feed(struct request_parser *p, const char *bytes, size_t len,
                                       size_t *out_taken, const struct refusal **out_fault)
{
    bool paused;

    if (p->state == PARSER_ENDED)
        begin(p);

    size_t at = 0;
    if (p->state == PARSER_HEAD && p->head.text.len == 0)
        at = skip_lines(bytes, len);
    do {
        size_t taken;
        const struct refusal *fault = run(p, bytes + at, len - at, &taken, &paused);

        at += taken;
        *out_taken = at;
        if (!fault && paused) {
            llhttp_resume(&p->llhttp);
            p->state = p->next;
            if (p->state == PARSER_ENDED)
                return REQUEST_END;
            if (p->state == PARSER_BODY) {
                fault = request_head_cut(&p->head);
                if (!fault)
                    return REQUEST_HEAD;
            }
        }
        if (fault) {
            *out_fault = fault;
            return REQUEST_FAULT;
        }
    } while (paused);
    return REQUEST_MORE;
}

/* Callbacks of llhttp. A pause comes with the state that follows it. */

static int on_version(llhttp_t *llhttp, const char *at, size_t len)
{
    (void)at;
    parser_of(llhttp)->version_len += (unsigned)len;
    return 0;
}

/* We know no other protocol: what the client says of an upgrade is not for us. */
static int on_headers_complete(llhttp_t *llhttp)
{
    llhttp->upgrade = 0;
    parser_of(llhttp)->next = PARSER_BODY;
    return HPE_PAUSED;
}

/* The last one is empty; what follows are lines. */
static int on_chunk_header(llhttp_t *llhttp)
{
    struct request_parser *p = parser_of(llhttp);

    if (llhttp->content_length > 0)
        return 0;
    p->next = PARSER_TRAILER;
    p->last = '\n';
    return HPE_PAUSED;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t len)
{
    struct request_parser *p = parser_of(llhttp);

    p->fault = p->on_body(p, at, len);
    return p->fault ? HPE_USER : 0;
}

static int on_message_complete(llhttp_t *llhttp)
{
    struct request_parser *p = parser_of(llhttp);

    p->keep_alive = llhttp_should_keep_alive(llhttp);
    p->next = PARSER_ENDED;
    return HPE_PAUSED;
}

/* The bytes of a connection, whole and in pieces whose lengths the first bytes choose.
 *
 * Holds: both give the same requests, bodies and fault; where a body ends is what framing.h says
 * of its head; the paths that get through are visible ASCII. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "wire/framing.h"
#include "wire/request_parser.h"

#define HEAD_MAX 200
#define PIECES   4
#define TOLD_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct listener {
    struct request_parser parser;
    struct buf told; /* all that came out */
    size_t body_len; /* of this request */
    struct framing framing;
    bool ended;
};

static void tell(struct listener *l, const char *what, const void *bytes, size_t len)
{
    enum err err = buf_printf(&l->told, "\n%s ", what);

    if (!err)
        err = buf_append(&l->told, bytes, len);
    assert(!err);
    (void)err;
}

/* Pieces of a body are told as one. */
static const struct refusal *on_body(struct request_parser *p, const char *bytes, size_t len)
{
    struct listener *l = (struct listener *)(void *)p;

    enum err err = buf_append(&l->told, bytes, len);
    assert(!err && len > 0);
    (void)err;
    l->body_len += len;
    return NULL;
}

static void on_head(struct listener *l)
{
    struct request_head *head = &l->parser.head;

    assert(head->text.len <= HEAD_MAX);
    tell(l, "head", head->method, strlen(head->method));
    for (size_t i = 0; i < head->field_count; i++) {
        tell(l, head->fields[i].name, head->fields[i].value, strlen(head->fields[i].value));
        assert(request_head_field(head, head->fields[i].name));
    }
    const struct refusal *fault = framing_read(head, &l->framing);
    if (fault) {
        tell(l, fault->code, fault->detail, strlen(fault->detail));
        l->ended = true;
        return;
    }
    assert(*l->framing.path == '/' || strcmp(l->framing.path, "*") == 0);
    for (const char *c = l->framing.path; *c; c++)
        assert(*c > ' ' && *c < 0x7f);
    tell(l, "body", "", 0);
    l->body_len = 0;
}

static void on_end(struct listener *l)
{
    if (!l->framing.chunked)
        assert(l->body_len == l->framing.content_length);
    tell(l, "end", l->parser.keep_alive ? "+" : "-", 1);
    l->ended = !l->parser.keep_alive;
}

static void hear(struct listener *l, const char *bytes, size_t len)
{
    enum request_event event = REQUEST_HEAD;

    while (!l->ended && event != REQUEST_MORE) {
        const struct refusal *fault;
        size_t taken;

        event = request_parser_feed(&l->parser, bytes, len, &taken, &fault);
        assert(taken <= len);
        bytes += taken;
        len -= taken;
        if (event == REQUEST_HEAD)
            on_head(l);
        else if (event == REQUEST_END)
            on_end(l);
        else if (event == REQUEST_FAULT)
            tell(l, fault->code, fault->detail, strlen(fault->detail));
        if (event == REQUEST_FAULT)
            l->ended = true;
    }
    assert(l->ended || len == 0);
}

static void open_listener(struct listener *l)
{
    *l = (struct listener){ .told = BUF_INIT(TOLD_MAX) };
    request_parser_init(&l->parser, HEAD_MAX, on_body);
}

static void close_listener(struct listener *l)
{
    request_parser_fini(&l->parser);
    buf_fini(&l->told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct listener whole, pieces;

    if (size < PIECES)
        return 0;
    const char *bytes = (const char *)data + PIECES;
    size_t len = size - PIECES;

    open_listener(&whole);
    hear(&whole, bytes, len);
    open_listener(&pieces);
    for (size_t at = 0, piece, n = 0; at < len; at += piece, n++) {
        piece = 1 + data[n % PIECES] % 64;
        piece = piece < len - at ? piece : len - at;
        hear(&pieces, bytes + at, piece);
    }
    assert(whole.told.len == pieces.told.len);
    assert(whole.told.len == 0 ||
           memcmp(whole.told.bytes, pieces.told.bytes, whole.told.len) == 0);
    close_listener(&whole);
    close_listener(&pieces);
    return 0;
}

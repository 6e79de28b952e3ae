#include "cli/receipt.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/verdict.h"
#include "core/clock.h"
#include "wire/json.h"

#define LINE_LEN_MAX (64u << 20) /* bytes of JSON */

/* Whether a signature fits; the result of signer_verify(). */
static enum err check(const struct receipt *receipt, const char *signature,
                      struct signer *signer, const struct secret *secret)
{
    struct signed_text text = { receipt->id, 0, receipt->body, receipt->body_len };
    char *end;

    if (!receipt->id || !receipt->timestamp || !signature)
        return ERR_INVALID;
    errno = 0;
    text.at_s = strtoull(receipt->timestamp, &end, 10);
    if (errno != 0 || *end != '\0')
        return ERR_INVALID;
    return signer_verify(signer, secret, 1, &text, signature, receipt->at_ms / 1000,
                         SIGNATURE_TOLERANCE_S);
}

void receipt_take(const struct exchange *x, unsigned status, struct signer *signer,
                  const struct secret *secret, struct receipt *out)
{
    *out = (struct receipt){
        .at_ms = clock_now().wall_ms,
        .id = exchange_header(x, "webhook-id"),
        .timestamp = exchange_header(x, "webhook-timestamp"),
        .checked = secret != NULL,
        .status = status,
    };
    out->body = exchange_body(x, &out->body_len);
    if (secret)
        out->verdict = check(out, exchange_header(x, "webhook-signature"), signer, secret);
}

static const char *check_text(const struct receipt *receipt)
{
    return receipt->checked ? verdict_text(receipt->verdict) : "not checked: no --secret";
}

/* A sender's bytes don't get to steer the terminal. */
static void put_printable(const char *bytes, size_t len, FILE *to)
{
    for (size_t i = 0; i < len; i++) {
        bool controls =
            iscntrl((unsigned char)bytes[i]) && bytes[i] != '\n' && bytes[i] != '\t';

        fputc(controls ? '?' : bytes[i], to);
    }
}

static void print_text(const struct receipt *receipt, FILE *to)
{
    char time[CLOCK_TEXT_MAX];
    const char *id = receipt->id ? receipt->id : "(no webhook-id)";

    clock_format(receipt->at_ms, time);
    fprintf(to, "%s  ", time);
    put_printable(id, strlen(id), to);
    fprintf(to, "  %zu bytes  answered %u  %s\n", receipt->body_len, receipt->status,
            check_text(receipt));
    put_printable(receipt->body, receipt->body_len, to);
    fputc('\n', to);
}

static void print_json(const struct receipt *receipt, FILE *to)
{
    struct buf line = BUF_INIT(LINE_LEN_MAX);
    struct json_writer w;

    json_write_begin(&w, &line);
    json_open_object(&w);
    json_add_date(&w, "time", receipt->at_ms);
    json_add_text(&w, "id", receipt->id);
    json_add_text(&w, "timestamp", receipt->timestamp);
    json_add_unsigned(&w, "bytes", receipt->body_len);
    json_name(&w, "verified");
    if (receipt->checked)
        json_put_bool(&w, receipt->verdict == ERR_OK);
    else
        json_put_null(&w);
    json_add_text(&w, "why", check_text(receipt));
    json_add_integer(&w, "status", receipt->status);
    json_name(&w, "body");
    json_put_bytes(&w, receipt->body, receipt->body_len);
    json_close_object(&w);
    fprintf(to, "%s\n", json_write_end(&w) == ERR_OK ? buf_text(&line) : "{}");
    buf_fini(&line);
}

void receipt_print(const struct receipt *receipt, bool json, FILE *to)
{
    if (json)
        print_json(receipt, to);
    else
        print_text(receipt, to);
    fflush(to);
}

/* Sign and verify: a subscriber's view of a signature, with the body on stdin. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/file.h"
#include "cli/say.h"
#include "cli/verdict.h"
#include "core/clock.h"
#include "signer/signer.h"

static enum cli_exit run_sign(const struct line *line);
static enum cli_exit run_verify(const struct line *line);

#define SECRET_AND_ID                                                                          \
    { .name = "secret",                                                                        \
      .letter = 's',                                                                           \
      .kind = OPTION_TEXT,                                                                     \
      .arg = "whsec_…",                                                                        \
      .help = "the endpoint's secret",                                                         \
      .required = true },                                                                      \
    {                                                                                          \
        .name = "id", .kind = OPTION_TEXT, .arg = "ID", .help = "of the message: webhook-id",  \
        .required = true                                                                       \
    }

static const struct option sign_options[] = {
    SECRET_AND_ID,
    LOCAL("timestamp", OPTION_COUNT, "SECONDS", "since 1970; now unless given"),
    OPTION_END,
};

static const struct option verify_options[] = {
    SECRET_AND_ID,
    { .name = "timestamp",
      .kind = OPTION_COUNT,
      .arg = "SECONDS",
      .help = "of the attempt: webhook-timestamp",
      .required = true },
    { .name = "signature",
      .kind = OPTION_TEXT,
      .arg = "v1,…",
      .help = "webhook-signature",
      .required = true },
    LOCAL("tolerance", OPTION_COUNT, "SECONDS", "how old or new it may be; 300 unless given"),
    OPTION_END,
};

static const struct option_group sign_group = { "Signature", sign_options };
static const struct option_group verify_group = { "Signature", verify_options };

const struct command sign_commands[] = {
    { .path = "sign",
      .arguments = "",
      .summary = "print the headers that go with the body on stdin",
      .example =
          "posthaste sign --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw --id msg_1 <body",
      .groups = { &sign_group },
      .run = run_sign },
    { .path = "verify",
      .arguments = "",
      .summary = "say whether a signature fits the body on stdin",
      .example = "posthaste verify --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw --id msg_1 "
                 "--timestamp 1614265330 --signature v1,g0hM9SsE <body",
      .groups = { &verify_group },
      .run = run_verify },
    { .path = NULL },
};

/* What both begin with: the secret, and the text with the body of stdin in `body`. */
static bool read_text(const struct line *line, struct secret *secret, struct buf *body,
                      struct signed_text *out)
{
    if (secret_parse(line_text(line, "secret"), secret) != ERR_OK) {
        say("--secret: not " SECRET_WANTED ", or whpk_ and that of a public key");
        return false;
    }
    if (file_read("-", body) != ERR_OK)
        return false;
    *out = (struct signed_text){
        .id = line_text(line, "id"),
        .at_s = line_count(line, "timestamp", clock_now().wall_ms / 1000),
        .body = body->bytes,
        .body_len = body->len,
    };
    return true;
}

static enum cli_exit run_sign(const struct line *line)
{
    struct buf body = BUF_INIT(FILE_LEN_MAX);
    struct signed_text text;
    struct secret secret;
    char header[SIGNATURE_HEADER_MAX];
    bool readable = read_text(line, &secret, &body, &text);

    if (readable && !secret_signs(&secret)) {
        say("--secret: a public key can't sign");
        readable = false;
    }
    if (readable) {
        struct signer *signer = signer_new();

        signer_sign(signer, &secret, 1, &text, header);
        signer_free(signer);
        printf("webhook-id: %s\nwebhook-timestamp: %" PRIu64 "\nwebhook-signature: %s\n",
               text.id, text.at_s, header);
    }
    secret_wipe(&secret);
    buf_fini(&body);
    return readable ? CLI_OK : CLI_USAGE;
}

static enum cli_exit run_verify(const struct line *line)
{
    struct buf body = BUF_INIT(FILE_LEN_MAX);
    struct signed_text text;
    struct secret secret;
    bool readable = read_text(line, &secret, &body, &text);
    enum err err = ERR_OK;

    if (readable) {
        struct signer *signer = signer_new();

        err = signer_verify(signer, &secret, 1, &text, line_text(line, "signature"),
                            clock_now().wall_ms / 1000,
                            line_count(line, "tolerance", SIGNATURE_TOLERANCE_S));
        signer_free(signer);
        puts(verdict_text(err));
    }
    secret_wipe(&secret);
    buf_fini(&body);
    if (!readable)
        return CLI_USAGE;
    return err ? CLI_FAILED : CLI_OK;
}

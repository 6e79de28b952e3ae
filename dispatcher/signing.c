#include "dispatcher/signing.h"

#include <stdio.h>
#include <string.h>

#include "dispatcher/attempt.h"

#define DESTINATIONS_MAX 1024

void signing_init(struct signing *s, const struct keyring *keyring)
{
    s->signer = signer_new();
    destinations_init(&s->destinations, keyring, DESTINATIONS_MAX);
}

void signing_take_keyring(struct signing *s, const struct keyring *keyring)
{
    s->destinations.keyring = keyring;
}

void signing_fini(struct signing *s)
{
    destinations_fini(&s->destinations);
    signer_free(s->signer);
}

static void write_lines(struct signing *s, const struct attempt *attempt,
                        const struct destination *to, struct signed_lines *out)
{
    const struct message *message = attempt->claim->delivery.message;
    char *id = out->id + strlen(SIGNING_ID);
    uint64_t at_s = attempt->started.wall_ms / 1000;

    memcpy(out->id, SIGNING_ID, sizeof SIGNING_ID);
    id_format(ID_MESSAGE, &message->id, id);
    snprintf(out->timestamp, sizeof out->timestamp, SIGNING_TIMESTAMP "%llu",
             (unsigned long long)at_s);
    memcpy(out->signature, SIGNING_SIGNATURE, sizeof SIGNING_SIGNATURE);
    signer_sign(s->signer, to->secrets, to->secret_count,
                &(struct signed_text){
                    .id = id,
                    .at_s = at_s,
                    .body = message->payload.data,
                    .body_len = message->payload.len,
                },
                out->signature + strlen(SIGNING_SIGNATURE));
}

enum err signing_prepare(struct signing *s, const struct attempt *attempt,
                         struct signed_lines *out, const struct destination **out_to,
                         const char **out_why)
{
    enum err err = destinations_get(&s->destinations, attempt->endpoint, attempt->record.url,
                                    attempt->started.wall_ms, out_to, out_why);

    if (!err)
        write_lines(s, attempt, *out_to, out);
    return err;
}

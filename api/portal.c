/* Portal: /api/v1/auth, the tokens of an application's own users.
 *
 *   portal_open ─► hand_out
 *        └─► (no such application) bring ─► bring_make ─► hand_out
 *
 * All of it is done at the application's home, by one clock: what was minted before an instant is
 * void, and what is minted afterwards is good, whatever the regions' clocks say. */
#include <stdio.h>
#include <string.h>

#include "api/bring.h"
#include "api/objects.h"
#include "api/reply.h"
#include "api/routes.h"
#include "core/mem.h"
#include "core/revocation.h"

#define URL_ROOM   (TOKEN_TEXT_MAX + 2048)
#define LIFE_MAX_S (28 * 86400) /* of a token that is made here; see wire/noun_in_portal.c */

static void bring(struct request *r);
static void hand_out(struct request *r);
static bool next_expired(struct request *r);
static bool next_logged_out(struct request *r);

/* Tokens. */

static void take_capabilities(const struct portal_in *in, struct token *token,
                              struct faults *faults)
{
    char loc[FAULT_LOC_MAX];
    unsigned allows;

    if (in->has_capabilities || in->is_read_only)
        token->capabilities = 0;
    for (size_t i = 0; i < in->capabilities.count; i++) {
        snprintf(loc, sizeof loc, "body/capabilities/%zu", i);
        if (!token_capability_find(in->capabilities.items[i], &allows))
            faults_add(faults, FAULT_VALUE, loc, "isn't a capability");
        else if (!in->is_read_only)
            token->capabilities |= allows;
    }
}

static void take_flags(const struct portal_in *in, struct token *token, struct faults *faults)
{
    for (size_t i = 0; i < in->feature_flags.count; i++) {
        if (token_add_flag(token, in->feature_flags.items[i]))
            continue;
        faults_add(faults, FAULT_VALUE, "body/featureFlags",
                   "at most %d bytes are allowed in all", TOKEN_FLAGS_MAX);
        return;
    }
}

/* The token that the body asks for, but for its application. False: answered. */
static bool read_token(struct request *r, struct faults *faults)
{
    struct portal_in in;
    struct token *token = r->new_token = xcalloc(1, sizeof *token);

    *token = token_for_organization(&r->token.organization, r->now.wall_ms);
    token->scope = TOKEN_APPLICATION;
    read_portal(r->body, &in, faults);
    take_capabilities(&in, token, faults);
    take_flags(&in, token, faults);
    if (in.session)
        token_name_session(in.session, token->revocable.session);
    token->expires_at_s = r->now.wall_ms / 1000 + in.expiry_s;
    portal_in_fini(&in);
    if (faults->count == 0)
        return true;
    reply_faults(r, faults);
    return false;
}

void portal_open(struct request *r)
{
    struct faults faults = { .count = 0 };

    if (!request_take_application(r))
        bring(r);
    else if (request_read_body(r, false) && read_token(r, &faults))
        hand_out(r);
}

static void bring(struct request *r)
{
    struct faults faults = { .count = 0 };

    if (!bring_take(r)) {
        reply_error(r, 404, "not_found", "Application not found");
        return;
    }
    bring_read(r, r->body, &faults);
    json_free(r->body);
    r->body = NULL;
    if (request_read_body(r, true) && read_token(r, &faults))
        bring_make(r, false, hand_out);
}

/* Where the operator has put a portal, else where this region is asked. */
static enum err write_url(const struct request *r, const char *token, struct buf *out)
{
    const char *public_url = topology_self(r->services->topology)->public_url;
    const char *base = r->services->portal_url ? r->services->portal_url : public_url;
    const char *host = exchange_header(r->exchange, "host");

    return base ? buf_printf(out, "%s#token=%s", base, token)
                : buf_printf(out, "http://%s/#token=%s", host ? host : "localhost", token);
}

static void hand_out(struct request *r)
{
    struct token *token = r->new_token;
    struct buf url = BUF_INIT(URL_ROOM);
    char text[TOKEN_TEXT_MAX];
    uint64_t last_ms = revocation_last_ms(&r->application->revocations);

    token->application = r->application->base.id;
    if (token->revocable.minted_at_ms < last_ms)
        token->revocable.minted_at_ms = last_ms;
    token_mint(r->services->keyring, token, text);
    if (write_url(r, text, &url)) {
        reply_err(r, ERR_LIMIT);
    } else {
        struct json_writer *w = reply_begin(r);
        json_open_object(w);
        json_add_text(w, "url", buf_text(&url));
        json_add_text(w, "token", text);
        json_close_object(w);
        reply_send(r, 200);
    }
    buf_fini(&url);
}

/* Their end. */

void portal_expire_all(struct request *r)
{
    if (request_find_application(r) && request_read_body(r, false))
        objects_edit(r, next_expired, 204);
}

/* The next state, begun. To whoever looks at the application it is the same as before. */
static struct application *begin_next(struct request *r, const struct application *current)
{
    struct application *next = application_copy(current);

    edit_old(r, &next->base);
    next->base.updated_at_ms = current->base.updated_at_ms;
    return next;
}

static bool settle(struct request *r, enum err err)
{
    if (err)
        reply_error(r, 400, "limit_reached",
                    "Too many sessions and tokens of the application are revoked one by one: "
                    "expire all of them.");
    return !err;
}

/* All of them, or those of the sessions. */
static enum err expire(struct request *r, const struct expiry_in *in, struct application *next)
{
    uint64_t now_ms = r->now.wall_ms, last_ms = revocation_last_ms(&next->revocations);
    struct revocation rule = {
        .before_ms = (last_ms > now_ms ? last_ms : now_ms) + 1,
        .from_ms = now_ms + (uint64_t)in->grace_s * 1000,
        .until_ms = REVOCATION_FOR_EVER,
        .is_for_all = in->sessions.count == 0,
    };
    enum err err = ERR_OK;

    if (rule.is_for_all)
        return revocation_add(&next->revocations, &rule, now_ms);
    rule.until_ms = rule.before_ms + UINT64_C(1000) * LIFE_MAX_S;
    for (size_t i = 0; !err && i < in->sessions.count; i++) {
        token_name_session(in->sessions.items[i], rule.name);
        err = revocation_add(&next->revocations, &rule, now_ms);
    }
    return err;
}

static bool next_expired(struct request *r)
{
    const struct application *current = request_look_up_application(r);
    struct faults faults = { .count = 0 };
    struct expiry_in in;
    bool good = false;

    if (!current) {
        reply_not_found(r);
        return false;
    }
    read_expiry(r->body, &in, &faults);
    if (faults.count > 0)
        reply_faults(r, &faults);
    else
        good = settle(r, expire(r, &in, begin_next(r, current)));
    expiry_in_fini(&in);
    return good;
}

void portal_log_out(struct request *r)
{
    if (r->token.scope == TOKEN_APPLICATION)
        objects_edit(r, next_logged_out, 204);
    else
        reply_forbidden(r);
}

/* The token itself, and no other of its session. */
static bool next_logged_out(struct request *r)
{
    const struct application *current = request_application_of_token(r);
    const struct token *token = &r->token;
    struct revocation rule = {
        .before_ms = token->revocable.minted_at_ms + 1,
        .from_ms = r->now.wall_ms,
        .until_ms = token->expires_at_s > 0 ? token->expires_at_s * 1000 : REVOCATION_FOR_EVER,
    };

    if (!current) {
        reply_not_found(r);
        return false;
    }
    memcpy(rule.name, token->revocable.id, REVOCATION_NAME_LEN);
    struct application *next = begin_next(r, current);
    return settle(r, revocation_add(&next->revocations, &rule, r->now.wall_ms));
}

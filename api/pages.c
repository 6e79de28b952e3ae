/* Pages: the contract, as a document for programs and as a page for people; no token.
 *
 * The page is built in the browser, from the document, by a script of its own. */
#include <string.h>

#include "api/reply.h"
#include "api/routes.h"
#include "core/count.h"

/* Nothing of it comes from elsewhere, and no page elsewhere may frame it. */
#define POLICY                                                                                 \
    "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; "            \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static const struct {
    const char *suffix, *type;
} types[] = {
    { ".html", "text/html; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" },
    { ".json", "application/json" },
};

static const char *type_of(const char *name)
{
    const char *suffix = strrchr(name, '.');

    for (size_t i = 0; suffix && i < COUNT(types); i++)
        if (strcmp(suffix, types[i].suffix) == 0)
            return types[i].type;
    return "application/octet-stream";
}

static void reply_page(struct request *r, const char *name)
{
    const struct embedded_file *file = embedded_find(embedded_api_docs, name);

    if (!file) {
        reply_not_found(r);
        return;
    }
    exchange_add_header(r->exchange, "Content-Security-Policy", POLICY);
    exchange_add_header(r->exchange, "X-Content-Type-Options", "nosniff");
    exchange_add_header(r->exchange, "Referrer-Policy", "no-referrer");
    reply_file(r, type_of(name), file);
}

void pages_openapi(struct request *r)
{
    reply_page(r, "openapi.json");
}

void pages_index(struct request *r)
{
    reply_page(r, "index.html");
}

void pages_file(struct request *r)
{
    reply_page(r, r->match.parts[0]);
}

/* Site: the real store, server and API on one loop, in a directory that goes with it. */
#ifndef TESTS_LIB_SITE_H
#define TESTS_LIB_SITE_H

#include "api/api.h"
#include "api/rekeyer.h"
#include "core/loop.h"
#include "region/explainer.h"
#include "signer/token.h"
#include "tests/lib/answer.h"
#include "tests/lib/client.h"
#include "tests/lib/temp.h"

struct site {
    char dir[TEMP_PATH_MAX];
    struct loop loop;
    struct id_source ids;
    struct store *store;
    struct keyring *keyring;
    struct topology *topology;
    struct health_board health;
    struct region_router *router; /* NULL: it is alone */
    struct region_explainer *explainer;
    struct rekeyer rekeyer;
    struct api *api;
    char token[TOKEN_TEXT_MAX]; /* of the default organization */
    uint8_t sender; /* the ordinal of the region that makes attempts; 0 = nobody says */
};

void site_open(struct site *site);

/* As one of the regions of `topology`, which is the site's from now on. */
void site_open_in(struct site *site, struct topology *topology);

/* The same with a way to the others; `peers`: it takes what they carry here. */
void site_open_among(struct site *site, struct topology *topology, struct elsewhere *elsewhere,
                     bool peers);

/* With a store that refuses whatever is asked. */
void site_open_busy(struct site *site);

void site_close(struct site *site);

/* Only the API: it answers what it owes and is gone. */
void site_stop(struct site *site);

/* The number behind the zeros of an organization's id; 0 = the default one. */
void site_token(struct site *site, uint8_t organization, char out[TOKEN_TEXT_MAX]);

/* A token for the application alone. */
void site_application_token(struct site *site, const char *application,
                            char out[TOKEN_TEXT_MAX]);

/* Send a request and wait for the answer. `token` NULL: no Authorization; `header`: a line to add, or
 * NULL; `body`: NULL for none. */
struct answer site_ask_as(struct site *site, const char *token, const char *header,
                          const char *method, const char *body, const char *path);

/* With the default organization's token. */
struct answer site_ask(struct site *site, const char *method, const char *body,
                       const char *path, ...) __attribute__((format(printf, 4, 5)));

/* The same, for when only the status matters. */
unsigned site_status(struct site *site, const char *method, const char *body, const char *path,
                     ...) __attribute__((format(printf, 4, 5)));

/* Make something with POST and write its id, the member "id". */
void site_make(struct site *site, const char *path, const char *body, char out_id[ID_TEXT_MAX]);

/* Apply the journal of another region, the origin, up to `seq`; that entry is an object that it has
 * made, and those before are nothing. Takes the reference; NULL: nothing there, too. */
void site_adopt(struct site *site, uint8_t origin, uint64_t seq, struct object *object);

/* Say how the API is to see a region from now on. */
void site_see(struct site *site, const char *region, enum region_state state);

/* Write the record of an attempt, as a dispatcher does. Texts are ids. */
void site_record(struct site *site, const char *application, const char *message,
                 const char *endpoint, unsigned response_status, char out_id[ID_TEXT_MAX]);

/* Send a request as above on a connection of its own that waits for the answer. */
void site_start(struct site *site, struct client *client, const char *token, const char *header,
                const char *method, const char *body, const char *path);

#endif

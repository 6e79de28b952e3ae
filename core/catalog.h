/* Catalog: one thread's view of the configuration, so that no message waits for SQL.
 *
 * Each loop that needs applications, endpoints or event types holds a catalog of its own; the
 * objects in it are shared. The store fills it at start and then posts every committed object
 * to the loop, which puts it in here.
 *
 * Two objects may have one name, when two regions gave it out at the same time: the one with the
 * lower id has it, until it is gone.
 *
 * Thread: one, its owner's. Pointers that leave are borrowed until the next catalog_put();
 * take a reference to keep one longer. */
#ifndef CORE_CATALOG_H
#define CORE_CATALOG_H

#include "core/model.h"

struct catalog;

struct catalog *catalog_new(void);
void catalog_free(struct catalog *c); /* NULL does nothing */

/* Take a reference to `object` and let it replace the one with its id: the order of calls says which
 * is newer, for a region that comes back from a copy goes back to a lower version. A deleted one
 * removes it, and an application takes its endpoints along. */
void catalog_put(struct catalog *c, struct object *object);

/* NULL when there is none, or when it belongs to another organization or application. */
struct application *catalog_application(const struct catalog *c, const struct id *organization,
                                        const struct id *id);
struct application *catalog_application_by_uid(const struct catalog *c,
                                               const struct id *organization, const char *uid);
struct endpoint *catalog_endpoint(const struct catalog *c, const struct id *application,
                                  const struct id *id);
struct endpoint *catalog_endpoint_by_uid(const struct catalog *c, const struct id *application,
                                         const char *uid);
struct event_type *catalog_event_type(const struct catalog *c, const struct id *organization,
                                      const char *name);

/* For owners of row keys. */
struct object *catalog_by_key(const struct catalog *c, int64_t key);
struct application *catalog_application_by_key(const struct catalog *c, int64_t key);
struct endpoint *catalog_endpoint_by_key(const struct catalog *c, int64_t key);

/* Call `visit` for each endpoint of an application, oldest first. */
void catalog_each_endpoint(const struct catalog *c, const struct id *application,
                           void (*visit)(struct endpoint *endpoint, void *ctx), void *ctx);

/* Call `visit` for each object, in no order. */
void catalog_each(const struct catalog *c, void (*visit)(struct object *object, void *ctx),
                  void *ctx);

/* Call `visit` for each object whose name is with an older one, `holder`, in no order, until it
 * returns false. */
void catalog_each_conflict(const struct catalog *c,
                           bool (*visit)(struct object *object, struct object *holder,
                                         void *ctx),
                           void *ctx);

size_t catalog_count(const struct catalog *c);

/* The operator's word about the region of an ordinal: no new work shall go there. */
void catalog_set_draining(struct catalog *c, uint8_t ordinal, bool draining);
bool catalog_is_draining(const struct catalog *c, uint8_t ordinal);

#endif

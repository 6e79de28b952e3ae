#include "api/router.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "api/percent.h"
#include "core/mem.h"

/* One segment of one or more paths. */
struct node {
    const char *segment; /* literal; NULL for a part; borrowed */
    size_t len;          /* bytes */
    struct node *part;   /* the child that takes anything */
    struct node *child;  /* the first literal one */
    struct node *sibling;
    const struct route *routes[6]; /* that end here, one for each method */
    size_t route_count;
};

#define NODE_ROUTES_MAX (sizeof((struct node *)0)->routes / sizeof(struct route *))

struct router {
    struct node root;
};

/* The next segment after `*path`, which moves behind it; false at the end. Slashes around it
 * are skipped at the end of a path only: "//" holds an empty segment. */
static bool next_segment(const char **path, const char **out, size_t *out_len)
{
    const char *at = *path;

    if (at[0] != '/' || at[1] == 0)
        return false;
    *out = at + 1;
    *out_len = strcspn(at + 1, "/");
    *path = at + 1 + *out_len;
    return true;
}

static struct node *find_literal(const struct node *parent, const char *segment, size_t len)
{
    for (struct node *n = parent->child; n; n = n->sibling)
        if (n->len == len && memcmp(n->segment, segment, len) == 0)
            return n;
    return NULL;
}

static struct node *grow(struct node *parent, const char *segment, size_t len)
{
    bool is_part = segment[0] == '{';
    struct node *node = is_part ? parent->part : find_literal(parent, segment, len);

    if (node)
        return node;
    node = xcalloc(1, sizeof *node);
    if (is_part) {
        parent->part = node;
        return node;
    }
    node->segment = segment;
    node->len = len;
    node->sibling = parent->child;
    parent->child = node;
    return node;
}

struct router *router_new(const struct route *routes, size_t count)
{
    struct router *router = xcalloc(1, sizeof *router);

    for (size_t i = 0; i < count; i++) {
        const char *path = routes[i].path, *segment;
        struct node *node = &router->root;
        size_t len;
        while (next_segment(&path, &segment, &len))
            node = grow(node, segment, len);
        assert(node->route_count < NODE_ROUTES_MAX);
        node->routes[node->route_count++] = &routes[i];
    }
    return router;
}

static void free_children(struct node *node)
{
    struct node *next;

    for (struct node *n = node->child; n; n = next) {
        next = n->sibling;
        free_children(n);
        free(n);
    }
    if (node->part)
        free_children(node->part);
    free(node->part);
}

void router_free(struct router *router)
{
    if (!router)
        return;
    free_children(&router->root);
    free(router);
}

static bool is_get(const char *method)
{
    return strcmp(method, "GET") == 0;
}

static void list_methods(const struct node *node, char out[ROUTE_ALLOW_MAX])
{
    size_t len = 0;

    for (size_t i = 0; i < node->route_count; i++)
        len += (size_t)snprintf(out + len, ROUTE_ALLOW_MAX - len, "%s%s%s", i > 0 ? ", " : "",
                                node->routes[i]->method,
                                is_get(node->routes[i]->method) ? ", HEAD" : "");
}

static bool answers(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (is_get(route->method) && strcmp(method, "HEAD") == 0);
}

/* The node with routes at the end of the path. Where a literal leads to none the part is tried. The
 * depth is that of the tree, however long the path. */
static const struct node *descend(const struct node *node, const char *path,
                                  struct route_match *out)
{
    const struct node *literal, *found;
    const char *segment;
    size_t len;

    if (!next_segment(&path, &segment, &len))
        return node->route_count > 0 ? node : NULL;
    literal = find_literal(node, segment, len);
    found = literal ? descend(literal, path, out) : NULL;
    if (found || !node->part || out->part_count == ROUTE_PARTS_MAX || len == 0)
        return found;
    char *part = out->parts[out->part_count];
    if (percent_decode(segment, len, PERCENT_PATH, part, NAME_LEN_MAX + 1))
        return NULL;
    out->part_count++;
    found = descend(node->part, path, out);
    if (!found)
        out->part_count--;
    return found;
}

enum err router_match(const struct router *router, const char *method, const char *path,
                      struct route_match *out)
{
    out->part_count = 0;
    const struct node *node = descend(&router->root, path, out);
    if (!node)
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < node->route_count; i++) {
        if (answers(node->routes[i], method)) {
            out->route = node->routes[i];
            return ERR_OK;
        }
    }
    list_methods(node, out->allow);
    return ERR_DENIED;
}

#include "core/dispatch.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/count.h"
#include "core/explain.h"
#include "core/mem.h"

static const char *const MODES[] = { "auto", "home", "pin" };

static_assert(COUNT(MODES) == DISPATCH_PIN + 1, "MODES follows dispatch_mode");

const char *dispatch_mode_name(enum dispatch_mode mode)
{
    return MODES[mode];
}

bool dispatch_mode_find(const char *name, enum dispatch_mode *out)
{
    for (size_t i = 0; i < COUNT(MODES); i++) {
        if (strcmp(MODES[i], name) == 0) {
            *out = (enum dispatch_mode)i;
            return true;
        }
    }
    return false;
}

/* Targets. */

bool dispatch_read_target(const char *item, struct dispatch_target *out)
{
    size_t len = strcspn(item, " ");

    if (len == 0 || len >= sizeof out->label || item[len] == '\0')
        return false;
    *out = (struct dispatch_target){ .url = item + len + 1 };
    memcpy(out->label, item, len);
    return true;
}

void dispatch_add_target(struct dispatch *dispatch, const char *label, const char *url)
{
    size_t label_len = strlen(label), url_len = strlen(url);
    char *item = xcalloc(label_len + url_len + 2, 1);

    memcpy(item, label, label_len);
    item[label_len] = ' ';
    memcpy(item + label_len + 1, url, url_len);
    text_list_add(&dispatch->targets, item, label_len + url_len + 1);
    free(item);
}

static bool find_target(const struct dispatch *dispatch, const char *label,
                        struct dispatch_target *out)
{
    for (size_t i = 0; label && i < dispatch->targets.count; i++)
        if (dispatch_read_target(dispatch->targets.items[i], out) &&
            strcmp(out->label, label) == 0)
            return true;
    return false;
}

struct dispatch_target dispatch_choose(const struct endpoint *endpoint,
                                       const char *jurisdiction, const char *region)
{
    struct dispatch_target target;

    if (find_target(&endpoint->dispatch, jurisdiction, &target) ||
        find_target(&endpoint->dispatch, region, &target))
        return target;
    return (struct dispatch_target){ .label = DISPATCH_DEFAULT, .url = endpoint->url };
}

/* Rules. */

static enum err find_fault(struct dispatch_fault *fault, const char *loc, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));

static enum err find_fault(struct dispatch_fault *fault, const char *loc, const char *format,
                           ...)
{
    va_list args;

    va_start(args, format);
    explain_list(fault->why, sizeof fault->why, format, args);
    va_end(args);
    snprintf(fault->loc, sizeof fault->loc, "%s", loc);
    return ERR_INVALID;
}

static enum err check_target(const struct topology *t, const char *item,
                             struct dispatch_fault *fault)
{
    struct dispatch_target target;
    char loc[DISPATCH_LOC_MAX];

    if (!dispatch_read_target(item, &target))
        return find_fault(fault, "targets", "\"%.64s\" has no label", item);
    if (topology_by_name(t, target.label) ||
        topology_jurisdiction(t, target.label) != REGION_SET_NONE)
        return ERR_OK;
    snprintf(loc, sizeof loc, "targets/%s", target.label);
    return find_fault(fault, loc, "a label is a region or a jurisdiction: %s is neither",
                      target.label);
}

static enum err check_pin(const struct topology *t, const struct residency *residency,
                          const struct text_list *pins, size_t at, struct dispatch_fault *fault)
{
    const struct region *region = topology_by_name(t, pins->items[at]);
    region_set allowed = residency_allowed(t, residency);
    char loc[DISPATCH_LOC_MAX];

    snprintf(loc, sizeof loc, "dispatch/regions/%zu", at);
    if (!region)
        return find_fault(fault, loc, "no region is called \"%.64s\"", pins->items[at]);
    if (!region_set_has(allowed, topology_index(t, region)))
        return find_fault(
            fault, loc, "must be in the application's jurisdiction: %s isn't a region of %s",
            region->name, residency->jurisdiction ? residency->jurisdiction : "any");
    return ERR_OK;
}

enum err dispatch_check(const struct topology *t, const struct residency *residency,
                        const struct dispatch *dispatch, struct dispatch_fault *fault)
{
    const struct text_list *pins = &dispatch->regions, *targets = &dispatch->targets;
    bool is_pinned = dispatch->mode == DISPATCH_PIN;
    enum err err = ERR_OK;

    if (targets->count > DISPATCH_TARGETS_MAX)
        return find_fault(fault, "targets", "there are more than %d", DISPATCH_TARGETS_MAX);
    if (is_pinned && pins->count == 0)
        return find_fault(fault, "dispatch/regions", "a pin names at least one region");
    if (!is_pinned && pins->count > 0)
        return find_fault(fault, "dispatch/regions", "only a pin names regions");
    for (size_t i = 0; i < targets->count && !err; i++)
        err = check_target(t, targets->items[i], fault);
    for (size_t i = 0; i < pins->count && !err; i++)
        err = check_pin(t, residency, pins, i, fault);
    return err;
}

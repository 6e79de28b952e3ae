#include "lab/orders.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "core/count.h"

#define TEXT_MAX 128

static int obey(void *ctx, const char *verb, const char *region, struct buf *text,
                const void **waits_for);

/* Each appends what it says and returns the exit status. */
struct verb {
    const char *name;
    int (*obey)(struct orders *orders, struct site *site, struct buf *text);
    bool waits; /* until the site's state has changed, if it went well */
};

enum err orders_open(struct orders *orders, uv_loop_t *loop, const char *folder)
{
    orders->control.order = obey;
    orders->control.ctx = orders;
    return control_open(&orders->control, loop, folder);
}

void orders_close(struct orders *orders)
{
    control_close(&orders->control);
}

static int answer(int exit, enum err err)
{
    return err ? CLI_FAILED : exit;
}

static int cut(struct orders *orders, struct site *site, struct buf *text)
{
    network_cut(orders->network, site->index, true);
    return answer(CLI_OK, buf_printf(text, "%s is cut off from the others", site_name(site)));
}

static int heal(struct orders *orders, struct site *site, struct buf *text)
{
    network_cut(orders->network, site->index, false);
    return answer(CLI_OK, buf_printf(text, "%s is joined with the others", site_name(site)));
}

static int kill_site(struct orders *orders, struct site *site, struct buf *text)
{
    (void)orders;
    if (site->state == SITE_DOWN)
        return answer(CLI_FAILED, buf_printf(text, "%s doesn't run", site_name(site)));
    site_end(site, SIGKILL);
    return CLI_OK;
}

static int start(struct orders *orders, struct site *site, struct buf *text)
{
    (void)orders;
    if (site->state != SITE_DOWN)
        return answer(CLI_FAILED, buf_printf(text, "%s runs already", site_name(site)));
    if (!site_start(site))
        return answer(CLI_FAILED, buf_printf(text, "%s can't be started", site_name(site)));
    return CLI_OK;
}

static const struct verb verbs[] = {
    { "cut", cut, false },
    { "heal", heal, false },
    { "kill", kill_site, true },
    { "start", start, true },
};

static const char *state_text(const struct site *site)
{
    switch (site->state) {
    case SITE_DOWN:
        return "down";
    case SITE_STARTING:
        return "starting";
    case SITE_UP:
        return "serves";
    }
    return "";
}

static enum err put_site(const struct orders *orders, const struct site *site, struct buf *text)
{
    const struct plan *plan = site->plan;
    char address[PLAN_ADDRESS_MAX], hook[PLAN_HOOK_NAME_MAX];

    plan_address(plan, site->index, site->index, address);
    plan_hook_name(plan, site->index, hook);
    return buf_printf(text, "\n%-6s  %-8s  %7d  %-7s  http://%s:%d  http://%s:%d/  %9zu",
                      site_name(site), state_text(site), (int)site->child.pid,
                      orders->network->is_cut[site->index] ? "cut off" : "joined", address,
                      PLAN_API_PORT, hook, PLAN_HOOK_PORT,
                      orders->network->receivers[site->index].verified);
}

static int show(const struct orders *orders, struct buf *text)
{
    enum err err = buf_printf(text, "%-6s  %-8s  %7s  %-7s  %-22s  %-26s  %9s", "REGION",
                              "PROCESS", "PID", "NETWORK", "API", "RECEIVER", "VERIFIED");

    for (size_t i = 0; i < orders->network->plan->count && !err; i++)
        err = put_site(orders, &orders->sites[i], text);
    return answer(CLI_OK, err);
}

static int obey(void *ctx, const char *verb, const char *region, struct buf *text,
                const void **waits_for)
{
    struct orders *orders = ctx;
    const struct plan *plan = orders->network->plan;

    if (!region && strcmp(verb, "status") == 0)
        return show(orders, text);
    size_t index = plan_find(plan, region ? region : "");
    if (index == plan->count)
        return answer(CLI_NOT_FOUND,
                      buf_printf(text, "'%s' is no region of this lab", region ? region : ""));
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (strcmp(verbs[i].name, verb) == 0) {
            struct site *site = &orders->sites[index];
            int exit = verbs[i].obey(orders, site, text);

            if (exit == CLI_OK && verbs[i].waits)
                *waits_for = site;
            return exit;
        }
    return answer(CLI_USAGE, buf_printf(text, "'%s' is no order", verb));
}

void orders_settle(struct orders *orders, const struct site *site)
{
    char text[TEXT_MAX];

    if (site->state == SITE_STARTING)
        return;
    bool ended = site->state == SITE_DOWN && !site->is_ending;
    snprintf(text, sizeof text, "%s %s", site_name(site),
             site->state == SITE_UP ? "serves"
             : ended                ? "ended by itself; see its log"
                                    : "is down");
    control_settle(&orders->control, site, ended ? CLI_FAILED : CLI_OK, text);
}

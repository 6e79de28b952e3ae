#include "lab/site.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/file.h"
#include "cli/say.h"
#include "core/buf.h"
#include "core/mem.h"
#include "core/region_card.h"

#define LOG_TAIL_MAX   2048 /* bytes */
#define NOTICE_MAX_LEN 256
#define READY          "READY=1"
#define RETRIES        "1,2,5,10,30,60" /* seconds: nobody waits for hours in a lab */

static void on_notice(uv_poll_t *poll, int status, int events);
static void on_ended(struct child *child, int status);
static void on_closed(uv_handle_t *handle);

const char *site_name(const struct site *site)
{
    return site->plan->places[site->index]->name;
}

static int open_log(const char *folder, const char *name)
{
    char path[SITE_PATH_MAX];

    snprintf(path, sizeof path, "%s/%s.log", folder, name);
    return open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void print_tail(int log)
{
    char tail[LOG_TAIL_MAX];
    off_t end = lseek(log, 0, SEEK_END);
    off_t start = end > LOG_TAIL_MAX ? end - LOG_TAIL_MAX : 0;
    ssize_t len = pread(log, tail, sizeof tail, start);

    if (len > 0)
        fwrite(tail, 1, (size_t)len, stderr);
}

/* A command about a region, before there is a loop. What it prints is in that region's log. */
static bool run(const char *folder, const char *region, const char *const *argv)
{
    int log = open_log(folder, region);
    bool done =
        log >= 0 &&
        child_run(&(struct child_options){ .argv = argv, .dir = folder, .output = log });

    if (!done)
        say("%s: posthaste %s failed", region, argv[1]);
    if (!done && log >= 0)
        print_tail(log);
    if (log >= 0)
        close(log);
    return done;
}

/* `init` has no option for it. */
static bool add_listen(const char *folder, const char *name, const char *address)
{
    char path[SITE_PATH_MAX];

    snprintf(path, sizeof path, "%s/%s/posthaste.yaml", folder, name);
    FILE *file = fopen(path, "ae");
    bool written = file && fprintf(file, "\nlisten: %s:%d\n", address, PLAN_API_PORT) > 0;
    if (file && fclose(file) != 0)
        written = false;
    if (!written)
        say("%s: %s", path, strerror(errno));
    return written;
}

bool site_make(const struct plan *plan, size_t index, const char *folder)
{
    const char *name = plan->places[index]->name;
    char address[PLAN_ADDRESS_MAX], ordinal[16], jurisdictions[32];
    char url[64], link[64], link_url[64], key[64];
    const char *argv[] = { "posthaste",   "init",
                           name,          "--region",
                           name,          "--ordinal",
                           ordinal,       "--jurisdiction",
                           jurisdictions, "--public-url",
                           url,           "--link-listen",
                           link,          "--link-url",
                           link_url,      index > 0 ? "--token-key" : NULL,
                           key,           NULL };

    plan_address(plan, index, index, address);
    snprintf(ordinal, sizeof ordinal, "%u", plan_ordinal(plan, index));
    snprintf(jurisdictions, sizeof jurisdictions, "%s,world",
             plan->places[index]->jurisdiction);
    snprintf(url, sizeof url, "http://%s:%d", address, PLAN_API_PORT);
    snprintf(link, sizeof link, "%s:%d", address, PLAN_LINK_PORT);
    snprintf(link_url, sizeof link_url, "https://%s:%d", address, PLAN_LINK_PORT);
    snprintf(key, sizeof key, "%s/token.key", plan->places[0]->name);
    return run(folder, name, argv) && add_listen(folder, name, address);
}

/* The card that `other` made, but with the address at which `index` reaches it. */
static bool copy_card(const struct plan *plan, size_t index, size_t other, const char *folder)
{
    const char *name = plan->places[other]->name;
    char from[SITE_PATH_MAX], to[SITE_PATH_MAX], url[64], address[PLAN_ADDRESS_MAX];
    struct buf text = BUF_INIT(REGION_CARD_LEN_MAX), copy = BUF_INIT(REGION_CARD_LEN_MAX);
    struct region_card card;
    char why[REGION_CARD_WHY_MAX];
    bool copied = false;

    plan_address(plan, index, other, address);
    snprintf(url, sizeof url, "https://%s:%d", address, PLAN_LINK_PORT);
    snprintf(from, sizeof from, "%s/%s/%s.card", folder, name, name);
    snprintf(to, sizeof to, "%s/%s/%s.card", folder, plan->places[index]->name, name);
    if (file_read(from, &text) != ERR_OK)
        goto done;
    if (region_card_read(from, buf_text(&text), text.len, &card, why) != ERR_OK) {
        say("%s", why);
        goto done;
    }
    free(card.region.link_url);
    card.region.link_url = xstrdup(url);
    copied = region_card_write(&card.region, &copy) == ERR_OK &&
             file_create(to, 0600, buf_text(&copy)) == ERR_OK;
    region_fini(&card.region);

done:
    buf_fini(&text);
    buf_fini(&copy);
    return copied;
}

bool site_introduce(const struct plan *plan, size_t index, const char *folder)
{
    const char *name = plan->places[index]->name;
    char cards[PLAN_REGIONS_MAX][64], config[64];
    const char *argv[PLAN_REGIONS_MAX + 6] = { "posthaste", "region", "add", "--config",
                                               config };
    size_t count = 5;

    snprintf(config, sizeof config, "%s/posthaste.yaml", name);
    for (size_t i = 0; i < plan->count; i++) {
        if (i == index)
            continue;
        if (!copy_card(plan, index, i, folder))
            return false;
        snprintf(cards[i], sizeof cards[i], "%s/%s.card", name, plan->places[i]->name);
        argv[count++] = cards[i];
    }
    return run(folder, name, argv);
}

/* A socket as systemd has one for its services: the process says READY=1 there. */
static bool bind_notice(struct site *site)
{
    struct sockaddr_un where = { .sun_family = AF_UNIX };

    snprintf(site->notice_setting, sizeof site->notice_setting, "NOTIFY_SOCKET=%s/%s.ready",
             site->folder, site_name(site));
    memcpy(where.sun_path, strchr(site->notice_setting, '/'),
           strlen(strchr(site->notice_setting, '/')) + 1);
    site->notice_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return site->notice_fd >= 0 &&
           bind(site->notice_fd, (const struct sockaddr *)&where, sizeof where) == 0;
}

enum err site_open(struct site *site, uv_loop_t *loop, const struct plan *plan, size_t index,
                   const char *folder, struct nursery *nursery)
{
    *site = (struct site){ .plan = plan, .index = index, .folder = folder, .nursery = nursery };
    if (!bind_notice(site) || uv_poll_init(loop, &site->notice, site->notice_fd) != 0) {
        say("%s: %s", site_name(site), strerror(errno));
        if (site->notice_fd >= 0)
            close(site->notice_fd);
        return ERR_IO;
    }
    site->notice.data = site;
    uv_poll_start(&site->notice, UV_READABLE, on_notice);
    return ERR_OK;
}

void site_close(struct site *site)
{
    uv_close((uv_handle_t *)&site->notice, on_closed);
}

static void on_closed(uv_handle_t *handle)
{
    struct site *site = handle->data;

    close(site->notice_fd);
}

static void change(struct site *site, enum site_state state)
{
    site->state = state;
    site->changed(site, site->ctx);
}

/* One that was killed may have said that it is ready. */
static void forget_notices(const struct site *site)
{
    char notice[NOTICE_MAX_LEN];

    while (recv(site->notice_fd, notice, sizeof notice, 0) >= 0)
        ;
}

bool site_start(struct site *site)
{
    char config[64], names[64], subnet[32], address[PLAN_ADDRESS_MAX];
    const char *argv[] = {
        "posthaste",        "serve", "--config", config, "--allow-subnet", subnet,
        "--retry-schedule", RETRIES, NULL
    };
    const char *settings[] = { names, site->notice_setting, NULL };
    int log = open_log(site->folder, site_name(site));

    plan_address(site->plan, site->index, site->index, address);
    snprintf(config, sizeof config, "%s/posthaste.yaml", site_name(site));
    snprintf(names, sizeof names, "POSTHASTE_DELIVERY_NAME_SERVERS=%s:%d", address,
             PLAN_NAME_PORT);
    snprintf(subnet, sizeof subnet, "127.%u.0.0/16", site->plan->network);
    site->child.ended = on_ended;
    forget_notices(site);
    bool started = log >= 0 && child_start(site->nursery, &site->child,
                                           &(struct child_options){ .argv = argv,
                                                                    .settings = settings,
                                                                    .dir = site->folder,
                                                                    .output = log });
    if (log >= 0)
        close(log);
    if (!started)
        return false;
    site->is_ending = false;
    change(site, SITE_STARTING);
    return true;
}

static void on_notice(uv_poll_t *poll, int status, int events)
{
    struct site *site = poll->data;
    char notice[NOTICE_MAX_LEN + 1];
    ssize_t len;

    (void)status;
    (void)events;
    while ((len = recv(site->notice_fd, notice, NOTICE_MAX_LEN, 0)) > 0) {
        notice[len] = '\0';
        if (strstr(notice, READY) && site->state == SITE_STARTING)
            change(site, SITE_UP);
    }
}

void site_end(struct site *site, int signal)
{
    site->is_ending = true;
    child_signal(&site->child, signal);
}

static void on_ended(struct child *child, int status)
{
    (void)status;
    struct site *site = container_of(child, struct site, child);

    change(site, SITE_DOWN);
}

void site_print_log(const struct site *site)
{
    int log = open_log(site->folder, site_name(site));

    if (log < 0)
        return;
    print_tail(log);
    close(log);
}

#include "lab/lab.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/file.h"
#include "cli/lab_order.h"
#include "cli/say.h"
#include "core/count.h"
#include "core/mem.h"
#include "lab/ask.h"
#include "lab/environment.h"
#include "lab/folder.h"
#include "lab/keys.h"
#include "lab/network.h"
#include "lab/orders.h"
#include "lab/play.h"
#include "lab/site.h"
#include "lab/tour.h"
#include "signer/signer.h"

#define COMMAND_MAX 64 /* bytes of one of the meeting's */

/* Each ends the lab. */
static const int SIGNALS[] = { SIGINT, SIGTERM, SIGHUP };

enum stage { LAB_STARTING, LAB_MEETING, LAB_ON_TOUR, LAB_AT_LEISURE, LAB_ENDING, LAB_ENDED };

struct lab {
    struct plan plan;
    bool tour;
    char folder[FOLDER_PATH_MAX];
    const char *dir_option; /* of commands for this lab that are run in its folder */
    struct secret secret;   /* of the endpoints whose deliveries the receivers verify */
    enum stage stage;
    int exit;

    uv_loop_t loop;
    uv_signal_t signals[COUNT(SIGNALS)];
    struct nursery nursery;
    struct network network;
    size_t site_count; /* that are open */
    struct site sites[PLAN_REGIONS_MAX];
    bool has_orders;
    struct orders orders;
    struct keys keys;
    struct play play;
    char commands[PLAN_REGIONS_MAX][COMMAND_MAX];
    struct act meeting[PLAN_REGIONS_MAX];
};

static int run(struct lab *lab);
static void open_always(struct lab *lab);
static bool make(struct lab *lab);
static bool open_regions(struct lab *lab);
static void on_changed(struct site *site, void *ctx);
static void meet(struct lab *lab);
static void on_played(struct play *play, bool is_true);
static void on_key(struct keys *keys);
static void on_signal(uv_signal_t *signal, int number);
static void end(struct lab *lab, int exit);
static void on_emptied(struct nursery *nursery);
static void close_all(struct lab *lab);

int lab_run(const struct lab_order *order)
{
    struct lab *lab = xcalloc(1, sizeof *lab);
    char why[PLAN_WHY_MAX];
    int exit = CLI_USAGE;

    if (folder_path(order->dir, lab->folder) != ERR_OK)
        goto done;
    if (!order->regions) {
        exit = ask(lab->folder, order->verb, order->region);
        goto done;
    }
    if (plan_read(order->regions, &lab->plan, why) != ERR_OK) {
        say("--regions: %s", why);
        goto done;
    }
    if (order->tour && !tour_fits(&lab->plan)) {
        say("--tour: it is about fra, iad, sin and gru, which must be among the regions");
        goto done;
    }
    lab->tour = order->tour;
    lab->dir_option = order->dir ? " --dir ." : "";
    exit = run(lab);

done:
    secret_wipe(&lab->secret);
    free(lab);
    return exit;
}

static int run(struct lab *lab)
{
    int lock;

    if (folder_open(lab->folder, &lock) != ERR_OK)
        return CLI_FAILED;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    if (uv_loop_init(&lab->loop) != 0)
        abort();
    open_always(lab);
    if (!make(lab) || !open_regions(lab))
        end(lab, CLI_FAILED);
    uv_run(&lab->loop, UV_RUN_DEFAULT);
    uv_loop_close(&lab->loop);
    play_fini(&lab->play);
    network_fini(&lab->network);
    folder_close(lab->folder, lock);
    return lab->exit;
}

/* What needs nothing and can't fail. From here on Ctrl-C takes all away again. */
static void open_always(struct lab *lab)
{
    for (size_t i = 0; i < COUNT(SIGNALS); i++) {
        uv_signal_init(&lab->loop, &lab->signals[i]);
        lab->signals[i].data = lab;
        uv_signal_start(&lab->signals[i], on_signal, SIGNALS[i]);
    }
    lab->nursery.emptied = on_emptied;
    nursery_open(&lab->nursery, &lab->loop);
    lab->play = (struct play){
        .done = on_played,
        .dir_option = lab->dir_option,
        .receivers = lab->network.receivers,
    };
    play_open(&lab->play, &lab->loop, &lab->nursery, lab->folder);
}

/* For commands that make endpoints: `--secret "$(cat receivers.secret)"`. */
static bool make_secret(struct lab *lab)
{
    char text[SECRET_TEXT_MAX], path[FOLDER_PATH_MAX + sizeof "/receivers.secret"];

    secret_generate(&lab->secret);
    secret_format(&lab->secret, text);
    snprintf(path, sizeof path, "%s/receivers.secret", lab->folder);
    return file_create(path, 0600, text) == ERR_OK;
}

/* The network comes first: it is what finds out which addresses are free. */
static bool make(struct lab *lab)
{
    bool made = environment_set(lab->folder) && make_secret(lab) &&
                network_open(&lab->network, &lab->loop, &lab->plan, &lab->secret) == ERR_OK;

    for (size_t i = 0; i < lab->plan.count && made; i++)
        made = site_make(&lab->plan, i, lab->folder);
    for (size_t i = 0; i < lab->plan.count && made; i++)
        made = site_introduce(&lab->plan, i, lab->folder);
    return made;
}

static bool open_site(struct lab *lab, size_t index)
{
    struct site *site = &lab->sites[index];

    if (site_open(site, &lab->loop, &lab->plan, index, lab->folder, &lab->nursery) != ERR_OK)
        return false;
    site->changed = on_changed;
    site->ctx = lab;
    lab->site_count++;
    if (site_start(site))
        return true;
    say("%s: no process could be made", site_name(site));
    return false;
}

static bool open_regions(struct lab *lab)
{
    lab->orders.network = &lab->network;
    lab->orders.sites = lab->sites;
    if (orders_open(&lab->orders, &lab->loop, lab->folder) != ERR_OK) {
        say("%s: no socket can be opened there", lab->folder);
        return false;
    }
    lab->has_orders = true;
    bool opened = true;
    for (size_t i = 0; i < lab->plan.count && opened; i++)
        opened = open_site(lab, i);
    return opened;
}

static bool all_serve(const struct lab *lab)
{
    for (size_t i = 0; i < lab->plan.count; i++)
        if (lab->sites[i].state != SITE_UP)
            return false;
    return true;
}

static void on_changed(struct site *site, void *ctx)
{
    struct lab *lab = ctx;
    bool ended = site->state == SITE_DOWN && !site->is_ending;

    if (lab->has_orders)
        orders_settle(&lab->orders, site);
    if (ended) {
        say("%s ended by itself; its log ends with", site_name(site));
        site_print_log(site);
    }
    if (ended && lab->stage == LAB_STARTING)
        end(lab, CLI_FAILED);
    else if (lab->stage == LAB_STARTING && all_serve(lab))
        meet(lab);
}

/* Each region sees all others alive. */
static void meet(struct lab *lab)
{
    lab->stage = LAB_MEETING;
    lab->play.receiver_count = lab->network.receiver_count;
    for (size_t i = 0; i < lab->plan.count; i++) {
        snprintf(lab->commands[i], COMMAND_MAX,
                 "posthaste region status --config %s/posthaste.yaml",
                 lab->plan.places[i]->name);
        lab->meeting[i] = (struct act){
            .kind = ACT_MEET,
            .text = lab->commands[i],
            .wants = { " alive " },
            .lacks = " (unknown|suspect|dead|incompatible) ",
        };
    }
    play_start(&lab->play, lab->meeting, lab->plan.count);
}

static void print_distances(const struct plan *plan)
{
    printf("%7s", "");
    for (size_t to = 1; to < plan->count; to++)
        printf("%6s", plan->places[to]->name);
    for (size_t from = 0; from + 1 < plan->count; from++) {
        printf("\n%7s", plan->places[from]->name);
        for (size_t to = 1; to < plan->count; to++)
            if (to > from)
                printf("%6u", plan_rtt_ms(plan, from, to));
            else
                printf("%6s", "");
    }
    putchar('\n');
}

static void greet(const struct lab *lab)
{
    printf("%zu regions, with these round trips between them, in milliseconds:\n\n",
           lab->plan.count);
    print_distances(&lab->plan);
    printf("\nIn another terminal, commands as they stand below work after\n\n"
           "    cd %s && PATH=$PWD/bin:$PATH\n\n"
           "    posthaste lab status%s\n"
           "    posthaste lab cut|heal|kill|start REGION%s\n",
           lab->folder, lab->dir_option, lab->dir_option);
}

/* Keys are for who wants to see the tour in their own time. */
static void go_on_tour(struct lab *lab)
{
    lab->keys.pressed = on_key;
    lab->play.has_keys =
        !lab->tour && tour_fits(&lab->plan) && keys_open(&lab->keys, &lab->loop);
    if (!lab->tour && !lab->play.has_keys) {
        lab->stage = LAB_AT_LEISURE;
        printf("\nCtrl-C ends all of it.\n");
        return;
    }
    lab->stage = LAB_ON_TOUR;
    play_start(&lab->play, tour, tour_count);
}

static void on_played(struct play *play, bool is_true)
{
    struct lab *lab = container_of(play, struct lab, play);

    if (!is_true) {
        end(lab, CLI_FAILED);
    } else if (lab->stage == LAB_MEETING) {
        greet(lab);
        go_on_tour(lab);
    } else if (lab->tour) {
        printf("\nAll of it was so.\n");
        end(lab, CLI_OK);
    } else {
        lab->stage = LAB_AT_LEISURE;
        printf("\nAll of it was so. The lab goes on; Ctrl-C ends it.\n");
    }
}

static void on_key(struct keys *keys)
{
    struct lab *lab = container_of(keys, struct lab, keys);

    if (lab->stage == LAB_ON_TOUR)
        play_key(&lab->play);
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    struct lab *lab = signal->data;

    /* On a tour that was to be seen to its end this is no success. */
    end(lab, lab->tour ? CLI_FAILED : CLI_OK);
}

/* All that a region has written is thrown away, so it needn't finish anything. */
static void end(struct lab *lab, int exit)
{
    if (lab->stage >= LAB_ENDING)
        return;
    lab->stage = LAB_ENDING;
    lab->exit = exit;
    keys_close(&lab->keys);
    play_close(&lab->play);
    if (lab->has_orders)
        orders_close(&lab->orders);
    lab->has_orders = false;
    for (size_t i = 0; i < lab->site_count; i++)
        site_end(&lab->sites[i], SIGKILL);
    if (list_is_empty(&lab->nursery.children))
        close_all(lab);
}

static void on_emptied(struct nursery *nursery)
{
    struct lab *lab = container_of(nursery, struct lab, nursery);

    if (lab->stage == LAB_ENDING)
        close_all(lab);
}

static void close_all(struct lab *lab)
{
    lab->stage = LAB_ENDED;
    network_close(&lab->network);
    for (size_t i = 0; i < lab->site_count; i++)
        site_close(&lab->sites[i]);
    nursery_close(&lab->nursery);
    for (size_t i = 0; i < COUNT(SIGNALS); i++)
        uv_close((uv_handle_t *)&lab->signals[i], NULL);
}

/* Wanem: a wide area network between network namespaces, in user space.
 *
 *   wanem NAME=NAMESPACE...
 *
 * Joins each namespace, as `ip netns` knows it, by a TUN device that is called wan0 in there; the
 * first site owns 198.18.1.0/24, the next 198.18.2.0/24 (network.h). Addresses and routes are the
 * caller's business. Prints `ready`, then obeys the commands that it reads from stdin (command.h),
 * and answers on stdout. It ends with exit status 0 on SIGTERM, SIGINT or the end of stdin, and
 * the devices with it.
 *
 *   TUN ─► on_packets ─► network ─► on_due, at the instant due ─► TUN
 *   stdin ─► on_commands ─► command ─► stdout */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "core/buf.h"
#include "core/count.h"
#include "core/list.h"
#include "tests/wan/command.h"
#include "tests/wan/network.h"

#define DEVICE         "wan0"
#define PACKETS_A_TURN 256           /* read from one device before the others have theirs */
#define PRIORITY       (-15)         /* a late packet looks like a longer path */
#define REPLY_LEN_MAX  (1024 * 1024) /* bytes */

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct wanem {
    uv_loop_t *loop;
    struct network *network;

    struct device {
        uv_poll_t poll;
        int fd;
        size_t site;
        struct wanem *wanem;
    } devices[NETWORK_SITES_MAX];

    uv_poll_t timer; /* uv_timer_t knows milliseconds only */
    int timer_fd;

    uv_poll_t commands;
    struct buf line; /* what was read of the next one */
    bool line_too_long;
    struct buf reply;

    uv_signal_t signals[2];
    uint8_t packet[LEAK_PACKET_LEN_MAX];
};

static void on_packets(uv_poll_t *poll, int status, int events);
static void on_due(uv_poll_t *poll, int status, int events);
static void on_commands(uv_poll_t *poll, int status, int events);
static void on_signal(uv_signal_t *signal, int number);

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "wanem: %s: %s\n", what, why);
    exit(EXIT_FAILED);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Start. */

/* The device stays in the namespace that we are in when it is made. */
static int open_tun(const char *namespace)
{
    char path[256];
    struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = DEVICE };

    snprintf(path, sizeof path, "/run/netns/%s", namespace);
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int away = open(path, O_RDONLY | O_CLOEXEC);
    if (home < 0 || away < 0 || setns(away, CLONE_NEWNET) != 0)
        die(path, strerror(errno));
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0)
        die("/dev/net/tun", strerror(errno));
    if (setns(home, CLONE_NEWNET) != 0)
        die("/proc/self/ns/net", strerror(errno));
    close(away);
    close(home);
    return fd;
}

static void watch(struct wanem *w, uv_poll_t *poll, int fd, uv_poll_cb on_readable)
{
    poll->data = w;
    if (uv_poll_init(w->loop, poll, fd) != 0 ||
        uv_poll_start(poll, UV_READABLE, on_readable) != 0)
        die("poll", "this descriptor can't be waited for; stdin must be a pipe or a terminal");
}

static void join(struct wanem *w, const char *site)
{
    const char *namespace = strchr(site, '=');
    char name[NETWORK_NAME_LEN_MAX + 1];

    if (!namespace || (size_t)(namespace - site) >= sizeof name)
        die(site, "expected NAME=NAMESPACE with a short NAME");
    snprintf(name, sizeof name, "%.*s", (int)(namespace - site), site);
    enum err e = network_add(w->network, name);
    if (e)
        die(site, err_text(e));

    struct device *d = &w->devices[w->network->count - 1];
    d->site = w->network->count - 1;
    d->wanem = w;
    d->fd = open_tun(namespace + 1);
    watch(w, &d->poll, d->fd, on_packets);
}

static void start(struct wanem *w, int argc, char **argv)
{
    static const int signals[COUNT(w->signals)] = { SIGTERM, SIGINT };

    w->loop = uv_default_loop();
    w->network = network_new();
    w->line = BUF_INIT(COMMAND_LEN_MAX);
    w->reply = BUF_INIT(REPLY_LEN_MAX);
    for (int i = 1; i < argc; i++)
        join(w, argv[i]);
    w->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (w->timer_fd < 0)
        die("timer", strerror(errno));
    watch(w, &w->timer, w->timer_fd, on_due);
    watch(w, &w->commands, STDIN_FILENO, on_commands);
    for (size_t i = 0; i < COUNT(signals); i++) {
        w->signals[i].data = w;
        if (uv_signal_init(w->loop, &w->signals[i]) != 0 ||
            uv_signal_start(&w->signals[i], on_signal, signals[i]) != 0)
            die("signal", "can't be waited for");
    }
    signal(SIGPIPE, SIG_IGN);
    (void)setpriority(PRIO_PROCESS, 0, PRIORITY); /* if we may */
}

/* Packets. */

static void deliver(struct wanem *w)
{
    struct packet *packet;
    struct itimerspec next = { 0 };

    while ((packet = network_receive(w->network, now_ns()))) {
        if (write(w->devices[packet->to].fd, packet->bytes, packet->len) < 0)
            network_refused(w->network, packet);
        free(packet);
    }
    uint64_t next_ns = network_next_ns(w->network);
    if (next_ns != UINT64_MAX) {
        next.it_value.tv_sec = (time_t)(next_ns / 1000000000);
        next.it_value.tv_nsec = (long)(next_ns % 1000000000);
    }
    timerfd_settime(w->timer_fd, TFD_TIMER_ABSTIME, &next, NULL);
}

static void on_packets(uv_poll_t *poll, int status, int events)
{
    struct device *d = container_of(poll, struct device, poll);
    struct wanem *w = d->wanem;

    (void)status, (void)events;
    for (int i = 0; i < PACKETS_A_TURN; i++) {
        ssize_t len = read(d->fd, w->packet, sizeof w->packet);
        if (len < 0 && errno != EAGAIN)
            die(w->network->names[d->site], strerror(errno));
        if (len <= 0)
            break;
        network_send(w->network, d->site, w->packet, (size_t)len, now_ns());
    }
    deliver(w);
}

static void on_due(uv_poll_t *poll, int status, int events)
{
    struct wanem *w = poll->data;
    uint64_t expirations;

    (void)status, (void)events;
    if (read(w->timer_fd, &expirations, sizeof expirations) > 0)
        deliver(w);
}

/* Commands. */

static void obey(struct wanem *w)
{
    enum err e;

    buf_clear(&w->reply);
    if (w->line_too_long)
        e = buf_append_text(&w->reply, "error: the line is too long\n");
    else
        e = command_run(w->network, buf_text(&w->line), &w->reply);
    fputs(e ? "error: the reply is too long\n" : buf_text(&w->reply), stdout);
    fflush(stdout);
    buf_clear(&w->line);
    w->line_too_long = false;
}

static void on_commands(uv_poll_t *poll, int status, int events)
{
    struct wanem *w = poll->data;
    char bytes[4096];

    (void)status, (void)events;
    ssize_t len = read(STDIN_FILENO, bytes, sizeof bytes);
    if (len < 0 && errno == EAGAIN)
        return;
    if (len <= 0) {
        uv_stop(w->loop);
        return;
    }
    for (ssize_t i = 0; i < len; i++) {
        if (bytes[i] == '\n')
            obey(w);
        else if (buf_append(&w->line, &bytes[i], 1) != ERR_OK)
            w->line_too_long = true;
    }
}

/* End. */

static void on_signal(uv_signal_t *signal, int number)
{
    struct wanem *w = signal->data;

    (void)number;
    uv_stop(w->loop);
}

static void stop(struct wanem *w)
{
    for (size_t i = 0; i < w->network->count; i++)
        uv_close((uv_handle_t *)&w->devices[i].poll, NULL);
    uv_close((uv_handle_t *)&w->timer, NULL);
    uv_close((uv_handle_t *)&w->commands, NULL);
    for (size_t i = 0; i < COUNT(w->signals); i++)
        uv_close((uv_handle_t *)&w->signals[i], NULL);
    uv_run(w->loop, UV_RUN_DEFAULT);
    uv_loop_close(w->loop);
    for (size_t i = 0; i < w->network->count; i++)
        close(w->devices[i].fd);
    close(w->timer_fd);
    buf_fini(&w->line);
    buf_fini(&w->reply);
    network_free(w->network);
}

int main(int argc, char **argv)
{
    static struct wanem wanem;

    if (argc < 3) {
        fputs("usage: wanem NAME=NAMESPACE NAME=NAMESPACE...\n", stderr);
        return EXIT_USAGE;
    }
    start(&wanem, argc, argv);
    puts("ready");
    fflush(stdout);
    uv_run(wanem.loop, UV_RUN_DEFAULT);
    stop(&wanem);
    return EXIT_OK;
}

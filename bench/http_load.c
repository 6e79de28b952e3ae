/* Http_load: posts messages as fast as they are answered, or at a fixed rate.
 *
 *   http_load --port N [--path /] [--token TEXT] [--event-type TYPE] [--connections N]
 *             [--size BYTES] [--requests N | --seconds N] [--rate N]
 *
 * Each connection has one request under way. The payload has --size bytes and begins with
 * {"sent_us":N, which http_sink subtracts from; with --event-type it is wrapped as the API
 * wants it. --path may hold several paths, separated by commas, which take turns. With --rate
 * requests start when they are due, whatever became of those before; one that finds no
 * connection free is counted as `late` and starts when one is.
 *
 * Prints {"sent":…,"ok":…,"errors":…,"late":…,"seconds":…,"rate":…,"cpu_us":…,"p50_us":…,
 * "p99_us":…}, the times from request to answer; `ok` is any 2xx. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "bench/lib/histogram.h"
#include "bench/lib/wire.h"
#include "core/list.h"
#include "core/mem.h"

#define EVENTS_MAX  256
#define PATHS_MAX   1024
#define ANSWER_MAX  (16 * 1024)
#define STAMP_WIDTH 16 /* of sent_us: digits, then spaces */

struct options {
    uint16_t port;
    char *paths[PATHS_MAX];
    unsigned path_count;
    const char *token, *event_type;
    unsigned connections;
    size_t size;
    uint64_t requests; /* 0 = until the time is over */
    uint64_t duration_us;
    uint64_t rate; /* a second; 0 = as fast as answered */
};

/* A request with a gap for the time. */
struct request {
    char *bytes;
    size_t len;
    char *stamp;
};

struct peer {
    int fd;
    struct list link; /* in `idle` between requests */
    size_t len;       /* bytes received of the answer */
    uint64_t sent_us;
    char bytes[ANSWER_MAX + 1];
};

static struct options options = { .connections = 64,
                                  .size = 1024,
                                  .duration_us = 10 * 1000000 };
static struct request requests[PATHS_MAX];
static struct list idle;
static unsigned busy;
static uint64_t due; /* requests that should have started and haven't */
static uint64_t sent, ok, errors, late;
static uint64_t started_us;
static struct histogram times;

static void start_due(void);
static void peer_send(struct peer *peer);
static void peer_readable(struct peer *peer);
static void on_tick(int timer_fd);

/* Requests. */

static char *payload(void)
{
    static const char head[] = "{\"sent_us\":%-*d,\"pad\":\"";
    char *text = xcalloc(1, options.size + 64);

    int len = snprintf(text, options.size + 64, head, STAMP_WIDTH, 0);
    size_t pad = options.size > (size_t)len + 2 ? options.size - (size_t)len - 2 : 0;
    memset(text + len, 'x', pad);
    memcpy(text + (size_t)len + pad, "\"}", 3);
    return text;
}

static char *body(void)
{
    char *inner = payload();
    if (!options.event_type)
        return inner;

    size_t room = strlen(inner) + strlen(options.event_type) + 64;
    char *text = xcalloc(1, room);
    snprintf(text, room, "{\"eventType\":\"%s\",\"payload\":%s}", options.event_type, inner);
    free(inner);
    return text;
}

static struct request request_to(const char *path, const char *content)
{
    size_t room =
        strlen(content) + strlen(path) + (options.token ? strlen(options.token) : 0) + 256;
    struct request r = { .bytes = xcalloc(1, room) };

    int len = snprintf(r.bytes, room,
                       "POST %s HTTP/1.1\r\nHost: localhost:%u\r\n"
                       "Content-Type: application/json\r\n%s%s%s"
                       "Content-Length: %zu\r\n\r\n%s",
                       path, options.port, options.token ? "Authorization: Bearer " : "",
                       options.token ? options.token : "", options.token ? "\r\n" : "",
                       strlen(content), content);
    r.len = (size_t)len;
    r.stamp = strstr(r.bytes, "\"sent_us\":") + strlen("\"sent_us\":");
    return r;
}

static void prepare_requests(void)
{
    char *content = body();

    for (unsigned i = 0; i < options.path_count; i++)
        requests[i] = request_to(options.paths[i], content);
    free(content);
}

/* Traffic. */

static bool is_over(void)
{
    if (options.requests > 0)
        return sent >= options.requests;
    return wire_now_us() - started_us >= options.duration_us;
}

static void start_due(void)
{
    while (due > 0 && !list_is_empty(&idle) && !is_over()) {
        peer_send(container_of(list_pop(&idle), struct peer, link));
        due--;
    }
}

static void peer_send(struct peer *peer)
{
    struct request *r = &requests[sent % options.path_count];
    char stamp[STAMP_WIDTH + 1];

    peer->sent_us = wire_now_us();
    peer->len = 0;
    snprintf(stamp, sizeof stamp, "%-*llu", STAMP_WIDTH, (unsigned long long)peer->sent_us);
    memcpy(r->stamp, stamp, STAMP_WIDTH);
    sent++;
    busy++;
    if (send(peer->fd, r->bytes, r->len, MSG_NOSIGNAL) != (ssize_t)r->len)
        wire_die("send");
}

static void peer_readable(struct peer *peer)
{
    ssize_t got = recv(peer->fd, peer->bytes + peer->len, ANSWER_MAX - peer->len, 0);
    if (got <= 0) {
        errno = got == 0 ? ECONNRESET : errno;
        wire_die("recv");
    }

    size_t start;
    peer->len += (size_t)got;
    if (wire_message_len(peer->bytes, peer->len, &start) == 0)
        return;

    bool is_ok = peer->bytes[strcspn(peer->bytes, " ") + 1] == '2';
    ok += is_ok;
    errors += !is_ok;
    busy--;
    histogram_add(&times, wire_now_us() - peer->sent_us);
    list_append(&idle, &peer->link);
    due += options.rate == 0;
    start_due();
}

static void on_tick(int timer_fd)
{
    uint64_t ticks;

    if (read(timer_fd, &ticks, sizeof ticks) != sizeof ticks)
        return;
    late += due; /* still here since the last tick */
    due += ticks;
    start_due();
}

/* Start. */

static void watch(int epoll_fd, int fd, void *ptr)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = ptr };

    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        wire_die("epoll_ctl");
}

static void connect_peers(int epoll_fd)
{
    list_init(&idle);
    for (unsigned i = 0; i < options.connections; i++) {
        struct peer *peer = xcalloc(1, sizeof *peer);
        peer->fd = wire_connect(options.port);
        list_append(&idle, &peer->link);
        watch(epoll_fd, peer->fd, peer);
    }
}

static int start_timer(int epoll_fd)
{
    uint64_t period_ns = 1000000000 / options.rate;
    struct timespec period = { .tv_sec = (time_t)(period_ns / 1000000000),
                               .tv_nsec = (long)(period_ns % 1000000000) };

    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0)
        wire_die("timerfd_create");
    timerfd_settime(fd, 0, &(struct itimerspec){ period, period }, NULL);
    watch(epoll_fd, fd, NULL);
    return fd;
}

static void run(void)
{
    struct epoll_event events[EVENTS_MAX];
    int timer_fd = -1;

    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        wire_die("epoll_create1");
    connect_peers(epoll_fd);
    started_us = wire_now_us();
    if (options.rate > 0)
        timer_fd = start_timer(epoll_fd);
    else
        due = options.connections;
    start_due();

    while (busy > 0 || !is_over()) {
        int count = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);
        if (count < 0 && errno != EINTR)
            wire_die("epoll_wait");
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr)
                peer_readable(events[i].data.ptr);
            else
                on_tick(timer_fd);
        }
    }
}

static void report(void)
{
    const struct histogram *all[] = { &times };
    double seconds = (double)(wire_now_us() - started_us) / 1e6;

    printf("{\"sent\":%llu,\"ok\":%llu,\"errors\":%llu,\"late\":%llu,\"seconds\":%.3f,"
           "\"rate\":%.0f,\"cpu_us\":%llu,\"p50_us\":%llu,\"p99_us\":%llu}\n",
           (unsigned long long)sent, (unsigned long long)ok, (unsigned long long)errors,
           (unsigned long long)late, seconds, (double)(ok + errors) / seconds,
           (unsigned long long)wire_cpu_us(),
           (unsigned long long)histogram_percentile(all, 1, 0.5),
           (unsigned long long)histogram_percentile(all, 1, 0.99));
}

static void set_paths(char *list)
{
    options.path_count = 0;
    for (char *path; (path = strsep(&list, ",")) && options.path_count < PATHS_MAX;)
        options.paths[options.path_count++] = path;
}

static void read_options(int argc, char **argv)
{
    static char root[] = "/";
    static const struct option known[] = {
        { "port", required_argument, NULL, 'p' },
        { "path", required_argument, NULL, 'u' },
        { "token", required_argument, NULL, 't' },
        { "event-type", required_argument, NULL, 'e' },
        { "size", required_argument, NULL, 's' },
        { "connections", required_argument, NULL, 'c' },
        { "rate", required_argument, NULL, 'r' },
        { "requests", required_argument, NULL, 'n' },
        { "seconds", required_argument, NULL, 'd' },
        { 0 },
    };
    int option;

    set_paths(root);
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        unsigned long value = optarg ? strtoul(optarg, NULL, 10) : 0;
        switch (option) {
        case 'p':
            options.port = (uint16_t)value;
            break;
        case 'u':
            set_paths(optarg);
            break;
        case 't':
            options.token = optarg;
            break;
        case 'e':
            options.event_type = optarg;
            break;
        case 's':
            options.size = value;
            break;
        case 'c':
            options.connections = (unsigned)value;
            break;
        case 'r':
            options.rate = value;
            break;
        case 'n':
            options.requests = value;
            break;
        case 'd':
            options.duration_us = value * 1000000;
            break;
        default:
            exit(2);
        }
    }
    if (options.port == 0 || options.connections == 0) {
        fprintf(stderr, "http_load: --port and --connections must be above 0\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    prepare_requests();
    run();
    report();
    return 0;
}

/* Curl_ceiling: the raw ceiling, how fast libcurl can post on one loop and nothing else.
 *
 *   curl_ceiling --port N [--requests N] [--in-flight N] [--size BYTES]
 *
 * A curl multi driven by uv_poll as the courier does it: a watcher lives as long as its socket,
 * stays armed for reading between requests, and CURL_POLL_REMOVE only marks it as unwanted;
 * easy handles and header lists are made once.
 *
 * Prints {"requests":…,"errors":…,"seconds":…,"rate":…,"cpu_us_per_request":…}. */
#include <curl/curl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "bench/lib/wire.h"
#include "core/list.h"
#include "core/mem.h"

#define DESCRIPTORS_MAX 65536

struct watcher {
    uv_poll_t poll;
    curl_socket_t fd;
    bool wanted; /* by libcurl; else it is idle in the connection cache */
    int armed;   /* UV_READABLE, UV_WRITABLE */
};

struct options {
    uint16_t port;
    unsigned long requests;
    unsigned in_flight;
    size_t size;
};

static struct options options = { .requests = 100000, .in_flight = 64, .size = 1024 };
static CURLM *multi;
static uv_timer_t timer;
static struct watcher *watchers[DESCRIPTORS_MAX];
static unsigned long started, done, errors;

static curl_socket_t open_socket(void *ctx, curlsocktype purpose,
                                 struct curl_sockaddr *address);
static int on_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx);
static void on_event(uv_poll_t *poll, int status, int events);
static int on_timeout_wanted(CURLM *m, long timeout_ms, void *ctx);
static void on_timeout(uv_timer_t *t);
static void collect(void);
static int close_socket(void *ctx, curl_socket_t fd);

/* Sockets. */

static void arm(struct watcher *w, int events)
{
    if (w->armed == events)
        return;
    w->armed = events;
    uv_poll_start(&w->poll, events, on_event);
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)ctx, (void)purpose;
    curl_socket_t fd = socket(address->family, address->socktype, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    if (fd >= DESCRIPTORS_MAX)
        wire_die("socket");

    struct watcher *w = xcalloc(1, sizeof *w);
    w->fd = fd;
    uv_poll_init(uv_default_loop(), &w->poll, fd);
    watchers[fd] = w;
    return fd;
}

static int on_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    struct watcher *w = watchers[fd];

    (void)easy, (void)ctx, (void)socket_ctx;
    w->wanted = what != CURL_POLL_REMOVE;
    switch (what) {
    case CURL_POLL_OUT:
        arm(w, UV_WRITABLE);
        break;
    case CURL_POLL_INOUT:
        arm(w, UV_READABLE | UV_WRITABLE);
        break;
    default:
        arm(w, UV_READABLE);
        break;
    }
    return 0;
}

/* An idle socket that turns readable is the peer's end: libcurl finds out when it next takes
 * the connection, until then it must not spin. */
static void on_event(uv_poll_t *poll, int status, int events)
{
    struct watcher *w = container_of(poll, struct watcher, poll);
    int what = status < 0 ? CURL_CSELECT_ERR : 0;
    int running;

    if (!w->wanted) {
        w->armed = 0;
        uv_poll_stop(poll);
        return;
    }
    if (events & UV_READABLE)
        what |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        what |= CURL_CSELECT_OUT;
    curl_multi_socket_action(multi, w->fd, what, &running);
    collect();
}

static void on_watcher_closed(uv_handle_t *handle)
{
    free(container_of(handle, struct watcher, poll));
}

static int close_socket(void *ctx, curl_socket_t fd)
{
    struct watcher *w = watchers[fd];

    (void)ctx;
    uv_close((uv_handle_t *)&w->poll, on_watcher_closed);
    return close(fd);
}

/* Time. */

static int on_timeout_wanted(CURLM *m, long timeout_ms, void *ctx)
{
    (void)m, (void)ctx;
    if (timeout_ms < 0)
        uv_timer_stop(&timer);
    else
        uv_timer_start(&timer, on_timeout, (uint64_t)timeout_ms, 0);
    return 0;
}

static void on_timeout(uv_timer_t *t)
{
    int running;

    (void)t;
    curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect();
}

/* Requests. */

static size_t ignore(char *data, size_t size, size_t count, void *ctx)
{
    (void)data, (void)ctx;
    return size * count;
}

static CURL *easy_new(const char *url, const char *body, struct curl_slist *headers)
{
    CURL *easy = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    return easy;
}

static void collect(void)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(multi, &left))) {
        CURL *easy = message->easy_handle;
        long status = 0;

        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        errors += message->data.result != CURLE_OK || status / 100 != 2;
        done++;
        curl_multi_remove_handle(multi, easy);
        if (started < options.requests) {
            started++;
            curl_multi_add_handle(multi, easy);
        } else {
            curl_easy_cleanup(easy);
        }
    }
    if (done == options.requests)
        uv_stop(uv_default_loop());
}

static void run(void)
{
    char url[64];
    char *body = xcalloc(1, options.size + 1);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");

    memset(body, 'x', options.size);
    headers = curl_slist_append(headers, "Expect:");
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", options.port);

    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_wanted);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)options.in_flight);
    for (; started < options.in_flight && started < options.requests; started++)
        curl_multi_add_handle(multi, easy_new(url, body, headers));
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    free(body);
}

static void read_options(int argc, char **argv)
{
    static const struct option known[] = {
        { "port", required_argument, NULL, 'p' },
        { "requests", required_argument, NULL, 'n' },
        { "in-flight", required_argument, NULL, 'f' },
        { "size", required_argument, NULL, 's' },
        { 0 },
    };
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        unsigned long value = optarg ? strtoul(optarg, NULL, 10) : 0;
        switch (option) {
        case 'p':
            options.port = (uint16_t)value;
            break;
        case 'n':
            options.requests = value;
            break;
        case 'f':
            options.in_flight = (unsigned)value;
            break;
        case 's':
            options.size = value;
            break;
        default:
            exit(2);
        }
    }
    if (options.port == 0 || options.requests == 0 || options.in_flight == 0) {
        fprintf(stderr, "curl_ceiling: --port, --requests and --in-flight must be above 0\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    uv_timer_init(uv_default_loop(), &timer);
    curl_global_init(CURL_GLOBAL_DEFAULT);

    uint64_t start_us = wire_now_us(), cpu_us = wire_cpu_us();
    run();
    double seconds = (double)(wire_now_us() - start_us) / 1e6;
    printf("{\"requests\":%lu,\"errors\":%lu,\"seconds\":%.3f,\"rate\":%.0f,"
           "\"cpu_us_per_request\":%.2f}\n",
           done, errors, seconds, (double)done / seconds,
           (double)(wire_cpu_us() - cpu_us) / (double)done);
    return 0;
}

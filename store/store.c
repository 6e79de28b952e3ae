#include "store/store.h"

#include <unistd.h>

#include "core/log.h"
#include "core/mem.h"
#include "store/journal.h"

/* A group is what one transaction holds: large enough to share an fsync among many, small
 * enough to keep the commit short. */
#define GROUP_REQUESTS_MAX 1024
#define GROUP_BYTES_MAX    (16u * 1024 * 1024)

static enum err prepare(struct store *s, const struct store_options *options);
static enum err open_inboxes(struct store *s, const struct store_options *options);
static void on_opened_in_vain(struct inbox *writer);

static void on_write(struct task *task);
static void on_batch_end(struct inbox *writer);
static void run_groups(struct store *s, enum backend_file file);
static void run_group(struct store *s, enum backend_file file);
static void give_up(struct list *waiting, struct list *group, enum err err);
static enum err run_requests(struct store *s, enum backend_file file, struct list *group);
static void group_done(struct store *s, enum backend_file file, struct list *group,
                       enum err err);
static void on_read(struct task *task);
static void on_reader_batch_end(struct inbox *reader);
static void on_next_read(struct task *task);
static void run_read(struct store_req *req);
static void answer(struct store_req *req, enum err err);
static void on_answer(struct task *task);

static void on_close(struct task *task);
static void on_close_reader(struct task *task);
static void on_reader_closed(struct inbox *reader);
static void on_close_writer(struct task *task);
static void on_operational_closed(uv_handle_t *pause);
static void on_background_closed(uv_handle_t *pause);
static void on_sealing_closed(uv_handle_t *pause);
static void on_retaining_closed(uv_handle_t *pause);
static void on_writer_closed(struct inbox *writer);
static void store_free(struct store *s);

enum err store_open(struct store **out, const struct store_options *options)
{
    struct store *s = xcalloc(1, sizeof *s);
    enum err err;

    s->ops = options->backend ? options->backend : &sqlite_backend;
    s->ids = options->ids;
    s->clock = options->clock;
    s->sha256 = options->sha256;
    s->residency = options->residency;
    s->retaining.limits = options->retention;
    s->journal.kept = options->journal_kept;
    s->catalog = catalog_new();
    for (int file = 0; file < BACKEND_FILES; file++)
        list_init(&s->waiting[file]);
    list_init(&s->changes);
    list_init(&s->followers);
    list_init(&s->hints);
    list_init(&s->reads_first);
    list_init(&s->reads);
    s->next_read.run = on_next_read;

    err = prepare(s, options);
    if (err)
        store_free(s);
    else
        err = open_inboxes(s, options); /* frees it if that fails */
    if (!err)
        *out = s;
    return err;
}

static enum err prepare(struct store *s, const struct store_options *options)
{
    int64_t newest_key;
    enum err err = s->ops->open(&s->backend, options->dir);

    if (!err)
        err = s->ops->load(s->backend, s->catalog);
    if (!err)
        err = s->ops->newest_key(s->backend, s->ids->ordinal, &newest_key);
    if (!err)
        id_source_init(s->ids, s->ids->ordinal, newest_key);
    if (!err)
        err = journal_open(s);
    if (!err)
        err = background_load(s);
    if (!err)
        err = operational_load(s);
    if (!err)
        err = retention_load(s);
    return err;
}

static enum err open_inboxes(struct store *s, const struct store_options *options)
{
    enum err err = inbox_open(&s->writer, options->writer);

    if (err) {
        store_free(s);
        return err;
    }
    err = inbox_open(&s->reader, options->reader);
    if (err) {
        inbox_close(&s->writer, on_opened_in_vain);
        return err;
    }
    s->writer.limit = s->reader.limit = options->requests_max;
    s->writer.after_batch = on_batch_end;
    s->reader.after_batch = on_reader_batch_end;
    bites_open(&s->background.bites, s, options->writer, false);
    bites_open(&s->sealing.bites, s, options->writer, true);
    bites_open(&s->retaining.bites, s, options->writer, false);
    operational_open(s, options->writer);
    return ERR_OK;
}

static void on_opened_in_vain(struct inbox *writer)
{
    store_free(container_of(writer, struct store, writer));
}

void store_submit(struct store *s, struct store_req *req, const struct store_verb *verb)
{
    bool reads = verb->side == VERB_READS || verb->side == VERB_READS_FIRST;
    struct inbox *inbox = reads ? &s->reader : &s->writer;

    req->store = s;
    req->verb = verb;
    req->task.run = reads ? on_read : on_write;
    if (!inbox_offer(inbox, &req->task))
        answer(req, ERR_BUSY);
}

void store_submit_own(struct store *s, struct store_req *req, const struct store_verb *verb)
{
    req->store = s;
    req->verb = verb;
    req->task.run = on_write;
    inbox_post(&s->writer, &req->task);
}

/* Writing: a batch first changes the configuration, then the outbox. */

static void on_write(struct task *task)
{
    struct store_req *req = container_of(task, struct store_req, task);
    bool global = req->verb->side == VERB_WRITES_GLOBAL;
    enum backend_file file = global ? BACKEND_GLOBAL : BACKEND_REGIONAL;

    list_append(&req->store->waiting[file], &task->link);
}

/* The configuration is committed and published before a message is matched with it, so no
 * delivery can be written for an endpoint that a rollback takes away; what is told of it follows. */
static void on_batch_end(struct inbox *writer)
{
    struct store *s = container_of(writer, struct store, writer);

    run_groups(s, BACKEND_GLOBAL);
    struct store_req *carry = operational_carry(s);
    if (carry)
        list_append(&s->waiting[BACKEND_REGIONAL], &carry->task.link);
    run_groups(s, BACKEND_REGIONAL);
}

static struct store_req *request_at(struct list *link)
{
    return container_of(link, struct store_req, task.link);
}

static void run_groups(struct store *s, enum backend_file file)
{
    while (!list_is_empty(&s->waiting[file]))
        run_group(s, file);
}

/* Whether an error is the whole transaction's, not one request's. */
static bool spoils_group(enum err err)
{
    return err == ERR_FULL || err == ERR_BUSY;
}

/* After an i/o error nobody knows what is on the disk: an fsync that failed must not be tried
 * again, and nothing that it covered may be acknowledged. The next start reads the outbox. */
static void stop_if_lost(const struct store *s, enum err err)
{
    if (err != ERR_IO && err != ERR_CORRUPT && err != ERR_DENIED)
        return;
    log_event(LOG_ERROR, "store_lost", LOG_STR("backend", s->ops->name),
              LOG_STR("reason", err_text(err)),
              LOG_STR("consequence", "the process ends; the next start reads the outbox"));
    _exit(EXIT_FAILURE);
}

static void run_group(struct store *s, enum backend_file file)
{
    struct list group;
    enum err err;

    list_init(&group);
    s->now = s->clock();
    s->journal.committed = s->journal.end;
    err = s->ops->begin(s->backend, file);
    if (err)
        give_up(&s->waiting[file], &group, err);
    else
        err = run_requests(s, file, &group);
    if (!err)
        err = s->ops->commit(s->backend, file);
    stop_if_lost(s, err);
    if (err)
        s->ops->rollback(s->backend, file);
    group_done(s, file, &group, err);
    stop_if_lost(s, s->ops->settle(s->backend, file));
}

/* Without a transaction none of them runs. All that wait: who holds the database may hold it
 * for long, and to ask again for each would make the last wait many times as long. */
static void give_up(struct list *waiting, struct list *group, enum err err)
{
    struct list *link;

    while ((link = list_pop(waiting))) {
        request_at(link)->err = err;
        list_append(group, link);
    }
}

static enum err run_requests(struct store *s, enum backend_file file, struct list *group)
{
    size_t count = 0, bytes = 0;

    while (count < GROUP_REQUESTS_MAX && bytes < GROUP_BYTES_MAX &&
           !list_is_empty(&s->waiting[file])) {
        struct list *link = list_pop(&s->waiting[file]);
        struct store_req *req = request_at(link);

        list_append(group, link);
        req->err = once_run(s, file, req);
        stop_if_lost(s, req->err);
        if (spoils_group(req->err))
            return req->err;
        count++;
        bytes += once_bytes(req);
    }
    return ERR_OK;
}

/* The transaction is over: with `err` nothing of it happened, for none of its requests. */
static void group_done(struct store *s, enum backend_file file, struct list *group,
                       enum err err)
{
    struct list *link;

    if (err) {
        hints_drop(s);
        arrivals_drop(s);
        s->journal.end = s->journal.committed;
        if (changes_drop(s)) {
            catalog_free(s->catalog);
            s->catalog = catalog_new();
            stop_if_lost(s, s->ops->load(s->backend, s->catalog));
        }
    } else if (file == BACKEND_GLOBAL) {
        changes_publish(s);
        arrivals_publish(s);
    } else {
        hints_publish(s);
    }

    while ((link = list_pop(group))) {
        struct store_req *req = request_at(link);
        if (err && !req->err)
            once_discard(req);
        answer(req, err ? err : req->err);
    }
}

/* Reading: the dispatcher's first, then one other, then what has come meanwhile. */

static void on_read(struct task *task)
{
    struct store_req *req = container_of(task, struct store_req, task);
    struct store *s = req->store;

    if (req->verb->side == VERB_READS_FIRST) {
        list_append(&s->reads_first, &task->link);
    } else if (s->reads_count < s->reader.limit) {
        list_append(&s->reads, &task->link);
        s->reads_count++;
    } else {
        answer(req, ERR_BUSY);
    }
}

static void run_reads_first(struct store *s)
{
    struct list *link;

    while ((link = list_pop(&s->reads_first)))
        run_read(request_at(link));
}

static bool run_one_read(struct store *s)
{
    struct list *link = list_pop(&s->reads);

    if (!link)
        return false;
    s->reads_count--;
    run_read(request_at(link));
    return true;
}

static void on_reader_batch_end(struct inbox *reader)
{
    struct store *s = container_of(reader, struct store, reader);

    run_reads_first(s);
    if (run_one_read(s) && s->reads_count > 0)
        inbox_post(&s->reader, &s->next_read);
}

/* The end of its batch does the work. */
static void on_next_read(struct task *task)
{
    (void)task;
}

static void run_read(struct store_req *req)
{
    struct store *s = req->store;
    enum err err = req->verb->run(s, req);

    stop_if_lost(s, err);
    answer(req, err);
}

/* Answers. */

static void answer(struct store_req *req, enum err err)
{
    req->err = err;
    req->task.run = on_answer;
    inbox_post(req->reply_to, &req->task);
}

static void on_answer(struct task *task)
{
    struct store_req *req = container_of(task, struct store_req, task);

    req->done(req);
}

/* Closing: the writer's batch, the reader's, the reader, what is told, what is done bite by bite,
 * the writer. */

void store_close(struct store *s, struct inbox *reply_to, struct task *closed)
{
    s->reply_to = reply_to;
    s->closed = closed;
    s->close.run = on_close;
    s->close_reader.run = on_close_reader;
    s->close_writer.run = on_close_writer;
    inbox_post(&s->writer, &s->close);
}

static void on_close(struct task *task)
{
    struct store *s = container_of(task, struct store, close);

    inbox_post(&s->reader, &s->close_reader);
}

/* `next_read` isn't posted now: it goes into the batch that follows, and that is this one. */
static void on_close_reader(struct task *task)
{
    struct store *s = container_of(task, struct store, close_reader);

    run_reads_first(s);
    while (run_one_read(s))
        ;
    inbox_close(&s->reader, on_reader_closed);
}

static void on_reader_closed(struct inbox *reader)
{
    struct store *s = container_of(reader, struct store, reader);

    inbox_post(&s->writer, &s->close_writer);
}

static void on_close_writer(struct task *task)
{
    struct store *s = container_of(task, struct store, close_writer);

    operational_close(s, on_operational_closed);
}

static void on_operational_closed(uv_handle_t *pause)
{
    struct store *s = pause->data;

    bites_close(&s->background.bites, on_background_closed);
}

static void on_background_closed(uv_handle_t *pause)
{
    struct store *s = pause->data;

    bites_close(&s->sealing.bites, on_sealing_closed);
}

static void on_sealing_closed(uv_handle_t *pause)
{
    struct store *s = pause->data;

    bites_close(&s->retaining.bites, on_retaining_closed);
}

static void on_retaining_closed(uv_handle_t *pause)
{
    struct store *s = pause->data;

    inbox_close(&s->writer, on_writer_closed);
}

static void on_writer_closed(struct inbox *writer)
{
    struct store *s = container_of(writer, struct store, writer);
    struct inbox *reply_to = s->reply_to;
    struct task *closed = s->closed;

    store_free(s);
    inbox_post(reply_to, closed);
}

static void store_free(struct store *s)
{
    if (s->backend)
        s->ops->close(s->backend);
    catalog_free(s->catalog);
    journal_close(s);
    free(s->fan_out.keys);
    free(s);
}

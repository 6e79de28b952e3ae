#include "dispatcher/attempt.h"

#include <string.h>

#include "core/mem.h"

static void on_recorded(struct store_req *req);

void attempt_start(struct attempt *a, const struct attempt_desk *desk, struct claim *claim,
                   struct endpoint *endpoint, const struct routing *routing,
                   struct transport *transport, struct now now)
{
    const struct message *message = claim->delivery.message;

    *a = (struct attempt){
        .desk = desk, .claim = claim, .started = now, .transport = transport
    };
    list_init(&a->link);
    object_ref(&endpoint->base);
    a->endpoint = endpoint;
    a->record = (struct attempt_record){
        .id = id_new(desk->ids, now.wall_ms),
        .message = message->id,
        .endpoint = endpoint->base.id,
        .application = message->application,
        .number = claim->delivery.attempts + 1,
        .trigger = claim->delivery.trigger,
        .url = (char *)routing->url,
        .way.region = routing->region,
    };
    a->record.started_at_ms = id_instant_ms(&a->record.id, now.wall_ms);
    transport->start(transport, a);
}

/* The answer's body, or why there was none. */
static struct bytes response_of(const struct answer *answer)
{
    if (answer->err == ERR_OK)
        return answer->response;
    return bytes_copy(answer->reason, strlen(answer->reason));
}

static struct verdict judge(const struct attempt *a, struct now now)
{
    if (a->doubted)
        return (struct verdict){ .state = DELIVERY_PENDING, .due_at_ms = now.wall_ms };
    if (a->record.trigger == TRIGGER_MANUAL)
        return retry_judge_manual(a->outcome, a->claim->delivery.resume_at_ms);
    return retry_judge(a->desk->retry, a->outcome, a->record.number, a->retry_after_s,
                       now.wall_ms, a->desk->jitter());
}

static void note_times(struct attempt_way *way, const struct call_times *times)
{
    way->connect_us = times->connect_us;
    way->tls_us = times->tls_us;
    way->first_byte_us = times->first_byte_us;
}

void attempt_done(struct attempt *a, struct answer *answer, struct now now)
{
    const struct attempt_desk *desk = a->desk;

    a->carriage = NULL;
    a->outcome = outcome_of(answer->err, answer->status, answer->retry_after_s);
    a->retry_after_s = answer->retry_after_s;
    if (outcome_is_void(a->outcome)) {
        desk->answered(a, now);
        desk->recorded(a, ERR_CANCELED);
        return;
    }

    a->doubted = desk->learnt && desk->learnt(a, answer, now);
    a->verdict = judge(a, now);
    a->ended_at_ms = now.wall_ms;
    a->record.status = a->outcome == OUTCOME_DELIVERED ? ATTEMPT_SUCCESS : ATTEMPT_FAIL;
    a->record.response_status = answer->err == ERR_OK ? answer->status : 0;
    a->record.response = response_of(answer);
    a->record.duration_ms = answer->duration_ms;
    note_times(&a->record.way, &answer->times);
    a->record.next_attempt_at_ms = a->verdict.due_at_ms;
    desk->answered(a, now);
    attempt_record(a);
}

void attempt_record(struct attempt *a)
{
    a->write = (struct store_record){
        .req = { .done = on_recorded, .reply_to = a->desk->inbox },
        .attempt = &a->record,
        .next = a->verdict.state,
        .due_at_ms = a->verdict.due_at_ms,
        .still_manual = a->doubted && a->record.trigger == TRIGGER_MANUAL,
        .ended_at_ms = a->ended_at_ms,
        .failing_limit_ms = a->desk->disable_after_ms,
    };
    store_record(a->desk->store, &a->write);
}

static void on_recorded(struct store_req *req)
{
    struct store_record *write = container_of(req, struct store_record, req);
    struct attempt *a = container_of(write, struct attempt, write);

    a->desk->recorded(a, req->err);
}

/* The record's URL is one of the endpoint's. */
void attempt_fini(struct attempt *a)
{
    bytes_fini(&a->record.response);
    object_unref(&a->endpoint->base);
}

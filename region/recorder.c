#include "region/recorder.h"

#include <assert.h>

#include "core/mem.h"
#include "region/route_code.h"

struct record {
    struct recorder *recorder;
    struct buf code;
    struct store_keep_route op;
};

static void on_kept(struct store_req *req);

bool recorder_keep(struct recorder *recorder, const struct route_inputs *in,
                   const struct route_decision *d)
{
    struct record *record;
    struct json_writer w;

    if (recorder->owed == RECORDER_OWED_MAX)
        return false;
    recorder->owed++;
    record = xcalloc(1, sizeof *record);
    record->recorder = recorder;
    record->code = BUF_INIT(ROUTE_CODE_MAX);
    json_write_begin(&w, &record->code);
    route_put(&w, in, d);
    enum err err = json_write_end(&w);
    assert(!err);
    record->op = (struct store_keep_route){
        .req = { .done = on_kept, .reply_to = recorder->inbox },
        .endpoint_key = id_key(&in->endpoint),
        .decided_at_ms = in->now.wall_ms,
        .code = record->code.bytes,
        .code_len = record->code.len,
    };
    store_keep_route(recorder->store, &record->op);
    return true;
}

static void on_kept(struct store_req *req)
{
    struct record *record = container_of(req, struct record, op.req);
    struct recorder *recorder = record->recorder;
    int64_t endpoint_key = record->op.endpoint_key;
    enum err err = req->err;

    buf_fini(&record->code);
    free(record);
    recorder->owed--;
    recorder->recorded(recorder, endpoint_key, err);
}

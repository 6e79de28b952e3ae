#include "wire/faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/json.h"

void faults_add(struct faults *f, const char *type, const char *loc, const char *format, ...)
{
    va_list args;

    if (f->count == FAULTS_MAX)
        return;

    struct fault *fault = &f->items[f->count++];
    fault->type = type;
    snprintf(fault->loc, sizeof fault->loc, "%s", loc);
    va_start(args, format);
    vsnprintf(fault->msg, sizeof fault->msg, format, args);
    va_end(args);
}

void faults_add_scan(struct faults *f, const struct scan_fault *fault)
{
    if (fault->member) {
        char loc[FAULT_LOC_MAX];
        snprintf(loc, sizeof loc, "body/%s", fault->member);
        faults_add(f, FAULT_JSON, loc, "%s (byte %zu)", fault->why, fault->offset);
    } else {
        faults_add(f, FAULT_JSON, "body", "not valid JSON: %s (byte %zu)", fault->why,
                   fault->offset);
    }
}

/* An index of an array, or a member's name. */
static void put_part(struct json_writer *w, const char *part, size_t len)
{
    if (len > 0 && len < 10 && strspn(part, "0123456789") >= len)
        json_put_integer(w, strtol(part, NULL, 10));
    else
        json_put_bytes(w, part, len);
}

static void put_loc(struct json_writer *w, const char *loc)
{
    json_open_array(w);
    for (;;) {
        size_t len = strcspn(loc, "/");
        put_part(w, loc, len);
        if (loc[len] == '\0')
            break;
        loc += len + 1;
    }
    json_close_array(w);
}

enum err faults_write(const struct faults *f, struct buf *out)
{
    struct json_writer w;

    json_write_begin(&w, out);
    json_open_object(&w);
    json_name(&w, "detail");
    json_open_array(&w);
    for (size_t i = 0; i < f->count; i++) {
        json_open_object(&w);
        json_name(&w, "loc");
        put_loc(&w, f->items[i].loc);
        json_add_text(&w, "msg", f->items[i].msg);
        json_add_text(&w, "type", f->items[i].type);
        json_close_object(&w);
    }
    json_close_array(&w);
    json_close_object(&w);
    return json_write_end(&w);
}

#include "wire/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* jansson reads numbers as int64 or double: it refuses long ones, and 1.10 would come out as
 * 1.1000000000000001. So each number reaches it as a string that begins with NUL, which no
 * other string may hold. */
#define MARK_BEGIN "\"\\u0000"
#define MARK_END   "\""
#define MARK_LEN   (sizeof MARK_BEGIN - 1 + sizeof MARK_END - 1)

/* What jansson allocates for each, measured and rounded up: bytes. */
#define OBJECT_COST 256
#define ARRAY_COST  144
#define SCALAR_COST 96 /* a member's name costs as much */

static json_t *tree(const struct json *j)
{
    return (json_t *)(void *)(uintptr_t)j;
}

/* Parsing. */

struct marking {
    const uint8_t *text, *at, *end;
    const uint8_t *copied; /* everything before is in `out` */
    struct buf *out;
    size_t cost; /* bytes of the tree to be */
    const char *why;
};

static enum err copy_up_to(struct marking *m, const uint8_t *to)
{
    enum err err = buf_append(m->out, m->copied, (size_t)(to - m->copied));

    m->copied = to;
    return err;
}

static bool is_number_byte(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || byte == '-' || byte == '+' || byte == '.' ||
           byte == 'e' || byte == 'E';
}

static enum err mark_number(struct marking *m)
{
    const uint8_t *begin = m->at;
    enum err err = copy_up_to(m, begin);

    while (m->at < m->end && is_number_byte(*m->at))
        m->at++;
    if (!err)
        err = buf_append_text(m->out, MARK_BEGIN);
    if (!err)
        err = copy_up_to(m, m->at);
    if (!err)
        err = buf_append_text(m->out, MARK_END);
    m->cost += SCALAR_COST;
    return err;
}

static enum err pass_string(struct marking *m)
{
    for (m->at++; *m->at != '"'; m->at += *m->at == '\\' ? 2 : 1)
        if (m->end - m->at > 6 && memcmp(m->at, "\\u0000", 6) == 0) {
            m->why = "a string holds a NUL";
            return ERR_INVALID;
        }
    m->at++;
    m->cost += SCALAR_COST;
    return ERR_OK;
}

/* The text has been scanned: it is JSON. */
static enum err mark_numbers(struct marking *m)
{
    enum err err = ERR_OK;

    while (!err && m->at < m->end) {
        if (*m->at == '"') {
            err = pass_string(m);
            continue;
        }
        if (*m->at == '-' || (*m->at >= '0' && *m->at <= '9')) {
            err = mark_number(m);
            continue;
        }
        if (*m->at == '{')
            m->cost += OBJECT_COST;
        else if (*m->at == '[')
            m->cost += ARRAY_COST;
        m->at++;
    }
    if (!err)
        err = copy_up_to(m, m->end);
    if (!err && m->cost + (size_t)(m->end - m->text) > JSON_TREE_MAX)
        err = ERR_LIMIT;
    return err;
}

/* Where byte `at` of the marked text was before. */
static size_t unmarked_offset(const struct buf *marked, size_t at)
{
    size_t offset = at;

    for (size_t i = 0; i + sizeof MARK_BEGIN <= at; i++)
        if (memcmp(marked->bytes + i, MARK_BEGIN, sizeof MARK_BEGIN - 1) == 0)
            offset -= MARK_LEN;
    return offset;
}

static enum err load(const struct buf *marked, json_t **out, struct scan_fault *out_fault)
{
    json_error_t error;
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_t *root = json_loadb(buf_text(marked), marked->len, flags, &error);

    if (root) {
        *out = root;
        return ERR_OK;
    }
    bool repeated = json_error_code(&error) == json_error_duplicate_key;
    *out_fault = (struct scan_fault){
        .why = repeated ? "a name is given twice in one object" : "it is too large to be read",
        .offset = unmarked_offset(marked, (size_t)error.position),
    };
    return ERR_INVALID;
}

enum err json_parse(const void *text, size_t len, struct json **out_root,
                    struct scan_fault *out_fault)
{
    enum scan_type type;
    enum err err = scan_json(text, len, NULL, 0, &type, out_fault);

    if (err)
        return err;

    struct buf marked = BUF_INIT(JSON_TREE_MAX);
    struct marking m = {
        .text = text,
        .at = text,
        .end = (const uint8_t *)text + len,
        .copied = text,
        .out = &marked,
        .why = "it is too large to be read",
    };
    json_t *root;
    err = mark_numbers(&m);
    if (err) {
        *out_fault = (struct scan_fault){ .why = m.why, .offset = (size_t)(m.at - m.text) };
        err = ERR_INVALID;
    } else {
        err = load(&marked, &root, out_fault);
    }
    buf_fini(&marked);
    if (!err)
        *out_root = (struct json *)root;
    return err;
}

void json_free(struct json *root)
{
    json_decref(tree(root));
}

/* Looking. */

/* The text of a number behind its mark; NULL for another value. */
static const char *number_text(const struct json *j)
{
    const json_t *t = tree(j);

    if (!json_is_string(t) || json_string_length(t) == 0 || json_string_value(t)[0] != '\0')
        return NULL;
    return json_string_value(t) + 1;
}

enum scan_type json_type_of(const struct json *j)
{
    if (!j)
        return SCAN_NONE;
    switch (json_typeof(tree(j))) {
    case JSON_OBJECT:
        return SCAN_OBJECT;
    case JSON_ARRAY:
        return SCAN_ARRAY;
    case JSON_STRING:
        return number_text(j) ? SCAN_NUMBER : SCAN_STRING;
    case JSON_INTEGER:
    case JSON_REAL:
        return SCAN_NUMBER;
    case JSON_TRUE:
        return SCAN_TRUE;
    case JSON_FALSE:
        return SCAN_FALSE;
    case JSON_NULL:
        return SCAN_NULL;
    }
    return SCAN_NONE;
}

const struct json *json_member(const struct json *j, const char *name)
{
    return (const struct json *)json_object_get(tree(j), name);
}

const struct json *json_at(const struct json *j, size_t index)
{
    return (const struct json *)json_array_get(tree(j), index);
}

size_t json_count(const struct json *j)
{
    return json_is_array(tree(j)) ? json_array_size(tree(j)) : json_object_size(tree(j));
}

const char *json_text(const struct json *j)
{
    return json_type_of(j) == SCAN_STRING ? json_string_value(tree(j)) : NULL;
}

bool json_int64(const struct json *j, int64_t *out)
{
    const char *text = number_text(j);
    char *end;

    if (!text)
        return false;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*end != '\0' || errno != 0)
        return false;
    *out = value;
    return true;
}

bool json_bool(const struct json *j)
{
    return json_type_of(j) == SCAN_TRUE;
}

void json_each(const struct json *j,
               void (*visit)(const char *name, const struct json *value, void *ctx), void *ctx)
{
    json_t *object = tree(j);

    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i))
        visit(json_object_iter_key(i), (const struct json *)json_object_iter_value(i), ctx);
}

/* Dumping. */

static void put_member(const char *name, const struct json *value, void *ctx)
{
    struct json_writer *w = ctx;

    json_name(w, name);
    json_put_value(w, value);
}

/* Recursion ends at SCAN_DEPTH_MAX: deeper texts weren't parsed. */
void json_put_value(struct json_writer *w, const struct json *j)
{
    switch (json_type_of(j)) {
    case SCAN_OBJECT:
        json_open_object(w);
        json_each(j, put_member, w);
        json_close_object(w);
        break;
    case SCAN_ARRAY:
        json_open_array(w);
        for (size_t i = 0; i < json_count(j); i++)
            json_put_value(w, json_at(j, i));
        json_close_array(w);
        break;
    case SCAN_NUMBER:
        json_put_raw(w, number_text(j), strlen(number_text(j)));
        break;
    case SCAN_STRING:
        json_put_text(w, json_text(j));
        break;
    case SCAN_TRUE:
    case SCAN_FALSE:
        json_put_bool(w, json_bool(j));
        break;
    case SCAN_NULL:
    case SCAN_NONE:
        json_put_null(w);
        break;
    }
}

enum err json_dump(const struct json *j, bool indent, struct buf *out)
{
    struct json_writer w;

    json_write_begin(&w, out);
    w.indent = indent;
    json_put_value(&w, j);
    return json_write_end(&w);
}

#include "region/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/mem.h"
#include "core/object_code.h"
#include "wire/json.h"

/* Writing. */

static void put_base64(struct json_writer *w, const char *name, const uint8_t *bytes,
                       size_t len)
{
    char *text = xcalloc(BASE64_LEN(len) + 1, 1);

    base64_encode(bytes, len, text);
    json_add_text(w, name, text);
    free(text);
}

enum err hello_write(const struct hello_words *words, struct buf *out)
{
    struct json_writer w;

    json_write_begin(&w, out);
    json_open_object(&w);
    json_add_text(&w, "region", words->region);
    json_add_unsigned(&w, "ordinal", words->ordinal);
    json_add_unsigned(&w, "versionLeast", (uint64_t)words->version_least);
    json_add_unsigned(&w, "versionMost", (uint64_t)words->version_most);
    json_add_text(&w, "build", words->build);
    json_close_object(&w);
    return json_write_end(&w);
}

enum err ping_write(const struct ping_words *words, struct buf *out)
{
    struct json_writer w;

    json_write_begin(&w, out);
    json_open_object(&w);
    json_add_unsigned(&w, "receivedUs", words->received_us);
    json_add_unsigned(&w, "repliedUs", words->replied_us);
    json_add_bool(&w, "draining", words->draining);
    json_name(&w, "reaches");
    json_open_array(&w);
    for (size_t i = 0; i < words->reaches_count; i++)
        json_put_integer(&w, words->reaches[i]);
    json_close_array(&w);
    json_close_object(&w);
    return json_write_end(&w);
}

static void put_end(struct json_writer *w, const struct journal_position *end)
{
    put_base64(w, "incarnation", end->incarnation, INCARNATION_LEN);
    json_add_unsigned(w, "endSeq", end->seq);
    json_add_unsigned(w, "endHlc", end->hlc);
    put_base64(w, "endChain", end->chain, CHAIN_LEN);
}

static void put_entry(struct json_writer *w, const struct journal_entry *entry)
{
    json_open_object(w);
    json_add_unsigned(w, "seq", entry->seq);
    json_add_unsigned(w, "hlc", entry->hlc);
    put_base64(w, "chain", entry->chain, CHAIN_LEN);
    put_base64(w, "code", entry->code.data, entry->code.len);
    json_close_object(w);
}

enum err changes_write(const struct changes_words *words, struct buf *out)
{
    struct json_writer w;

    json_write_begin(&w, out);
    json_open_object(&w);
    put_end(&w, &words->end);
    json_add_integer(&w, "last", words->last);
    json_add_bool(&w, "more", words->more);
    json_name(&w, "entries");
    json_open_array(&w);
    for (size_t i = 0; i < words->count; i++)
        put_entry(&w, &words->entries[i]);
    json_close_array(&w);
    json_close_object(&w);
    return json_write_end(&w);
}

enum err digest_write(const struct digest_words *words, struct buf *out)
{
    struct json_writer w;

    json_write_begin(&w, out);
    json_open_object(&w);
    put_base64(&w, "incarnation", words->incarnation, INCARNATION_LEN);
    json_add_unsigned(&w, "seq", words->seq);
    json_add_unsigned(&w, "objects", words->count);
    put_base64(&w, "sums", words->sums[0], sizeof words->sums);
    json_close_object(&w);
    return json_write_end(&w);
}

/* Reading. */

static bool read_base64(const struct json *j, uint8_t *out, size_t len)
{
    const char *text = json_text(j);
    size_t got = 0;

    return text && strlen(text) == BASE64_LEN(len) &&
           base64_decode(text, strlen(text), out, len, &got) == ERR_OK && got == len;
}

static bool read_code(const struct json *j, struct bytes *out)
{
    const char *text = json_text(j);
    size_t text_len = text ? strlen(text) : 0, len = 0;

    if (text_len == 0 || text_len > BASE64_LEN(OBJECT_CODE_MAX))
        return false;
    uint8_t *bytes = xcalloc(text_len, 1);
    if (base64_decode(text, text_len, bytes, text_len, &len) != ERR_OK) {
        free(bytes);
        return false;
    }
    *out = (struct bytes){ .data = bytes, .len = len };
    return true;
}

static bool read_number(const struct json *j, uint64_t *out)
{
    int64_t value;

    if (!json_int64(j, &value) || value < 0)
        return false;
    *out = (uint64_t)value;
    return true;
}

static bool read_ordinal(const struct json *j, uint8_t *out)
{
    uint64_t value;

    if (!read_number(j, &value) || value == 0 || value > REGION_ORDINAL_MAX)
        return false;
    *out = (uint8_t)value;
    return true;
}

static enum err parse(const void *text, size_t len, struct json **out)
{
    struct scan_fault fault;

    if (len > WORDS_LEN_MAX || json_parse(text, len, out, &fault) != ERR_OK)
        return ERR_INVALID;
    return ERR_OK;
}

static bool read_hello(const struct json *j, struct hello_words *out)
{
    const char *region = json_text(json_member(j, "region"));
    const char *build = json_text(json_member(j, "build"));

    if (!region || !region_name_is_valid(region))
        return false;
    snprintf(out->region, sizeof out->region, "%s", region);
    snprintf(out->build, sizeof out->build, "%s", build ? build : "");
    return read_ordinal(json_member(j, "ordinal"), &out->ordinal) &&
           json_int64(json_member(j, "versionLeast"), &out->version_least) &&
           json_int64(json_member(j, "versionMost"), &out->version_most);
}

enum err hello_read(const void *text, size_t len, struct hello_words *out)
{
    struct json *root;
    enum err err = parse(text, len, &root);

    if (err)
        return err;
    *out = (struct hello_words){ .ordinal = 0 };
    err = read_hello(root, out) ? ERR_OK : ERR_INVALID;
    json_free(root);
    return err;
}

static bool read_ping(const struct json *j, struct ping_words *out)
{
    const struct json *reaches = json_member(j, "reaches");

    out->draining = json_bool(json_member(j, "draining"));
    out->reaches_count = json_count(reaches);
    if (out->reaches_count > REGIONS_MAX)
        return false;
    for (size_t i = 0; i < out->reaches_count; i++)
        if (!read_ordinal(json_at(reaches, i), &out->reaches[i]))
            return false;
    return read_number(json_member(j, "receivedUs"), &out->received_us) &&
           read_number(json_member(j, "repliedUs"), &out->replied_us);
}

enum err ping_read(const void *text, size_t len, struct ping_words *out)
{
    struct json *root;
    enum err err = parse(text, len, &root);

    if (err)
        return err;
    *out = (struct ping_words){ .received_us = 0 };
    err = read_ping(root, out) ? ERR_OK : ERR_INVALID;
    json_free(root);
    return err;
}

static bool read_entry(const struct json *j, struct journal_entry *out)
{
    return read_number(json_member(j, "seq"), &out->seq) &&
           read_number(json_member(j, "hlc"), &out->hlc) &&
           read_base64(json_member(j, "chain"), out->chain, CHAIN_LEN) &&
           read_code(json_member(j, "code"), &out->code);
}

static bool read_changes(const struct json *j, struct changes_words *out)
{
    const struct json *entries = json_member(j, "entries");
    size_t count = json_count(entries);

    if (!read_base64(json_member(j, "incarnation"), out->end.incarnation, INCARNATION_LEN) ||
        !read_number(json_member(j, "endSeq"), &out->end.seq) ||
        !read_number(json_member(j, "endHlc"), &out->end.hlc) ||
        !read_base64(json_member(j, "endChain"), out->end.chain, CHAIN_LEN) ||
        !json_int64(json_member(j, "last"), &out->last) || count > WORDS_COUNT_MAX)
        return false;
    out->more = json_bool(json_member(j, "more"));
    out->entries = xcalloc(count, sizeof *out->entries);
    while (out->count < count)
        if (!read_entry(json_at(entries, out->count), &out->entries[out->count]))
            return false;
        else
            out->count++;
    return true;
}

enum err changes_read(const void *text, size_t len, struct changes_words *out)
{
    struct json *root;
    enum err err = parse(text, len, &root);

    if (err)
        return err;
    *out = (struct changes_words){ .count = 0 };
    if (!read_changes(root, out)) {
        journal_entries_free(out->entries, out->count);
        err = ERR_INVALID;
    }
    json_free(root);
    return err;
}

enum err digest_read(const void *text, size_t len, struct digest_words *out)
{
    struct json *root;
    enum err err = parse(text, len, &root);

    if (err)
        return err;
    if (!read_base64(json_member(root, "incarnation"), out->incarnation, INCARNATION_LEN) ||
        !read_number(json_member(root, "seq"), &out->seq) ||
        !read_number(json_member(root, "objects"), &out->count) ||
        !read_base64(json_member(root, "sums"), out->sums[0], sizeof out->sums))
        err = ERR_INVALID;
    json_free(root);
    return err;
}

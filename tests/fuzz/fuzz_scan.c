/* What the scanner accepts jansson accepts, and the other way round, but for what is known: we
 * refuse more than SCAN_DEPTH_MAX levels; jansson refuses NUL in names and numbers that are too
 * large for it, and swallows a NUL byte that follows a number. Spans that are found lie inside
 * the text and are JSON themselves. */
#include <assert.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wire/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool jansson_may_refuse(const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);

    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key;
}

static void compare_with_jansson(const uint8_t *data, size_t size, enum err err,
                                 const struct scan_fault *fault)
{
    json_error_t error;
    json_t *tree =
        json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

    if (!tree && err == ERR_OK)
        assert(jansson_may_refuse(&error));
    if (tree && err != ERR_OK)
        assert(strcmp(fault->why, "it is nested too deeply") == 0 || memchr(data, 0, size));
    json_decref(tree);
}

static void check_span(const uint8_t *data, size_t size, const struct scan_member *member)
{
    enum scan_type type;
    struct scan_fault fault;

    if (member->type == SCAN_NONE)
        return;
    assert(member->at > data && member->len > 0);
    assert(member->at + member->len < data + size);
    assert(scan_json(member->at, member->len, NULL, 0, &type, &fault) == ERR_OK);
    assert(type == member->type);

    if (type == SCAN_STRING) {
        uint8_t *text = malloc(member->len);
        assert(text && scan_unescape(member->at, member->len, text) <= member->len - 2);
        free(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scan_member members[] = { { .name = "a" }, { .name = "payload" } };
    enum scan_type type, again;
    struct scan_fault fault, asked_fault;

    enum err err = scan_json(data, size, NULL, 0, &type, &fault);
    compare_with_jansson(data, size, err, &fault);
    if (err)
        assert(fault.why && fault.offset <= size);

    enum err asked = scan_json(data, size, members, 2, &again, &asked_fault);
    assert(err ? asked == err : asked == ERR_OK || asked_fault.member);
    for (size_t i = 0; i < 2; i++)
        check_span(data, size, &members[i]);
    return 0;
}

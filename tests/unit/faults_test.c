#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/faults.h"

#define BUF_SMALL (1u << 16)

static void assert_written(const struct faults *faults, const char *expected)
{
    struct buf out = BUF_INIT(BUF_SMALL);

    assert_int_equal(faults_write(faults, &out), ERR_OK);
    assert_string_equal(buf_text(&out), expected);
    buf_fini(&out);
}

static void faults_are_written_as_the_contract_has_them(void **state)
{
    struct faults faults = { 0 };

    (void)state;
    faults_add(&faults, FAULT_VALUE, "body/name", "at most %d \"bytes\"", 5);
    faults_add(&faults, FAULT_JSON, "body/channels/10", "a string is expected");
    faults_add(&faults, FAULT_VALUE, "query", "no");
    assert_written(&faults,
                   "{\"detail\":["
                   "{\"loc\":[\"body\",\"name\"],\"msg\":\"at most 5 \\\"bytes\\\"\","
                   "\"type\":\"value_error\"},"
                   "{\"loc\":[\"body\",\"channels\",10],\"msg\":\"a string is expected\","
                   "\"type\":\"value_error.jsondecode\"},"
                   "{\"loc\":[\"query\"],\"msg\":\"no\",\"type\":\"value_error\"}]}");
}

static void a_text_that_isnt_json_is_a_fault_of_the_body(void **state)
{
    struct faults faults = { 0 };

    (void)state;
    faults_add_scan(&faults, &(struct scan_fault){ .why = "':' is expected", .offset = 12 });
    faults_add_scan(&faults, &(struct scan_fault){ "a member is given twice", 7, "payload" });
    assert_written(
        &faults, "{\"detail\":["
                 "{\"loc\":[\"body\"],\"msg\":\"not valid JSON: ':' is expected (byte 12)\","
                 "\"type\":\"value_error.jsondecode\"},"
                 "{\"loc\":[\"body\",\"payload\"],\"msg\":\"a member is given twice (byte 7)\","
                 "\"type\":\"value_error.jsondecode\"}]}");
}

static void only_the_first_faults_are_kept(void **state)
{
    struct faults faults = { 0 };

    (void)state;
    for (int i = 0; i < FAULTS_MAX + 3; i++)
        faults_add(&faults, FAULT_VALUE, "body", "number %d", i);
    assert_int_equal(faults.count, FAULTS_MAX);
    assert_string_equal(faults.items[FAULTS_MAX - 1].msg, "number 15");
}

static void long_texts_are_cut(void **state)
{
    struct faults faults = { 0 };
    char text[1000];
    struct buf out = BUF_INIT(BUF_SMALL);

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    faults_add(&faults, FAULT_VALUE, text, "%s", text);
    assert_int_equal(strlen(faults.items[0].loc), FAULT_LOC_MAX - 1);
    assert_int_equal(strlen(faults.items[0].msg), FAULT_MSG_MAX - 1);
    assert_int_equal(faults_write(&faults, &out), ERR_OK);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_written_as_the_contract_has_them),
        cmocka_unit_test(a_text_that_isnt_json_is_a_fault_of_the_body),
        cmocka_unit_test(only_the_first_faults_are_kept),
        cmocka_unit_test(long_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

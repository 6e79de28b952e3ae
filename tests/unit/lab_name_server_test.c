#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "lab/name_server.h"

/* A question with the id 0x1234: the name's labels with their lengths, and its type. */
static size_t ask(char *out, const char *labels, char type)
{
    size_t len = 12 + strlen(labels) + 1 + 4;

    memset(out, 0, len);
    memcpy(out, "\x12\x34\x01\x00\x00\x01", 6);
    memcpy(out + 12, labels, strlen(labels) + 1);
    out[len - 3] = type;
    out[len - 1] = 1;
    return len;
}

static void read_plan(struct plan *plan)
{
    char why[PLAN_WHY_MAX];

    assert_int_equal(plan_read("fra,iad,sin", plan, why), ERR_OK);
}

static void a_receiver_has_the_address_at_which_this_region_reaches_it(void **state)
{
    static const struct {
        size_t region;
        const char *labels, *address;
    } rows[] = {
        { 0, "\5hooks\3fra\3lab", "\x7f\x47\x01\x01" },
        { 2, "\5hooks\3fra\3lab", "\x7f\x47\x03\x01" },
        { 2, "\5hOOks\3SIN\3lab", "\x7f\x47\x03\x03" },
    };
    char question[64], answer[NAME_SERVER_ANSWER_MAX];
    struct plan plan;

    (void)state;
    read_plan(&plan);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = ask(question, rows[i].labels, 1);

        assert_int_equal(name_server_answer(&plan, rows[i].region, question, len, answer),
                         len + NAME_SERVER_RECORD_LEN);
        assert_memory_equal(answer, "\x12\x34\x85\x80\x00\x01\x00\x01\x00\x00\x00\x00", 12);
        assert_memory_equal(answer + len + 12, rows[i].address, 4);
    }
}

static void any_other_name_does_not_exist(void **state)
{
    static const char *const labels[] = { "\5hooks\3gru\3lab", "\3fra\3lab", "\5hooks\3fra",
                                          "\5hooks\3fra\3lab\3lab" };
    char question[64], answer[NAME_SERVER_ANSWER_MAX];
    struct plan plan;

    (void)state;
    read_plan(&plan);
    for (size_t i = 0; i < COUNT(labels); i++) {
        size_t len = ask(question, labels[i], 1);

        assert_int_equal(name_server_answer(&plan, 0, question, len, answer), len);
        assert_int_equal(answer[3] & 0xf, 3);
        assert_int_equal(answer[7], 0);
    }
}

static void another_type_has_no_records(void **state)
{
    char question[64], answer[NAME_SERVER_ANSWER_MAX];
    struct plan plan;

    (void)state;
    read_plan(&plan);
    size_t len = ask(question, "\5hooks\3fra\3lab", 28);
    assert_int_equal(name_server_answer(&plan, 0, question, len, answer), len);
    assert_int_equal(answer[3] & 0xf, 0);
    assert_int_equal(answer[7], 0);
}

static void what_is_no_question_gets_no_answer(void **state)
{
    char question[NAME_SERVER_QUESTION_MAX + 1] = { 0 }, answer[NAME_SERVER_ANSWER_MAX];
    struct plan plan;

    (void)state;
    read_plan(&plan);
    size_t whole = ask(question, "\5hooks\3fra\3lab", 1);
    for (size_t len = 0; len < whole; len++)
        assert_int_equal(name_server_answer(&plan, 0, question, len, answer), 0);
    assert_int_equal(name_server_answer(&plan, 0, question, sizeof question, answer), 0);
    question[12] = 63; /* a label that is longer than what is there */
    assert_int_equal(name_server_answer(&plan, 0, question, whole, answer), 0);
    question[12] = 0; /* the root */
    assert_int_equal(name_server_answer(&plan, 0, question, whole, answer), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receiver_has_the_address_at_which_this_region_reaches_it),
        cmocka_unit_test(any_other_name_does_not_exist),
        cmocka_unit_test(another_type_has_no_records),
        cmocka_unit_test(what_is_no_question_gets_no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

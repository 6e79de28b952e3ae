#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "core/object_code.h"
#include "region/words.h"

#define BASE64_16 "AAAAAAAAAAAAAAAAAAAAAA=="
#define BASE64_32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define ENTRY     "{\"seq\":1,\"hlc\":2,\"chain\":\"" BASE64_32 "\",\"code\":\"AQID\"}"
#define CHANGES(entries)                                                                       \
    "{\"incarnation\":\"" BASE64_16 "\",\"endSeq\":3,\"endHlc\":4,\"endChain\":\"" BASE64_32   \
    "\",\"last\":-5,\"more\":true,\"entries\":" entries "}"

static void a_hello_comes_back_as_it_was(void **state)
{
    const struct hello_words said = {
        .region = "fra", .ordinal = 7, .version_least = 1, .version_most = 2, .build = "0.1.0"
    };
    struct hello_words heard;
    struct buf text = BUF_INIT(1024);

    (void)state;
    assert_int_equal(hello_write(&said, &text), ERR_OK);
    assert_int_equal(hello_read(text.bytes, text.len, &heard), ERR_OK);
    assert_string_equal(heard.region, "fra");
    assert_int_equal(heard.ordinal, 7);
    assert_int_equal(heard.version_least, 1);
    assert_int_equal(heard.version_most, 2);
    assert_string_equal(heard.build, "0.1.0");
    buf_fini(&text);
}

static void a_ping_comes_back_as_it_was(void **state)
{
    const struct ping_words said = { .received_us = 1798761600000001,
                                     .replied_us = 1798761600000002,
                                     .draining = true,
                                     .reaches_count = 2,
                                     .reaches = { 1, 255 } };
    struct ping_words heard;
    struct buf text = BUF_INIT(1024);

    (void)state;
    assert_int_equal(ping_write(&said, &text), ERR_OK);
    assert_int_equal(ping_read(text.bytes, text.len, &heard), ERR_OK);
    assert_int_equal(heard.received_us, said.received_us);
    assert_int_equal(heard.replied_us, said.replied_us);
    assert_true(heard.draining);
    assert_int_equal(heard.reaches_count, 2);
    assert_int_equal(heard.reaches[1], 255);
    buf_fini(&text);
}

static void a_digest_comes_back_as_it_was(void **state)
{
    struct digest_words said = { .seq = 41, .count = 3 }, heard;
    struct buf text = BUF_INIT(16384);

    (void)state;
    memset(said.incarnation, 0xcd, INCARNATION_LEN);
    for (size_t i = 0; i < DIGEST_BUCKETS; i++)
        memset(said.sums[i], (int)i, DIGEST_SUM_LEN);
    assert_int_equal(digest_write(&said, &text), ERR_OK);
    assert_int_equal(digest_read(text.bytes, text.len, &heard), ERR_OK);
    assert_int_equal(heard.seq, 41);
    assert_int_equal(heard.count, 3);
    assert_memory_equal(heard.incarnation, said.incarnation, INCARNATION_LEN);
    assert_memory_equal(heard.sums, said.sums, sizeof said.sums);
    buf_fini(&text);
}

static void what_is_no_digest_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "{}",
        "{\"incarnation\":\"" BASE64_16 "\",\"seq\":1,\"objects\":1}",
        "{\"incarnation\":\"" BASE64_16 "\",\"seq\":1,\"objects\":1,\"sums\":\"\"}",
        "{\"incarnation\":\"" BASE64_16 "\",\"seq\":1,\"objects\":1,\"sums\":\"" BASE64_16
        "\"}",
    };
    struct digest_words words;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (digest_read(rows[i], strlen(rows[i]), &words) != ERR_INVALID)
            fail_msg("%s was read", rows[i]);
}

static void changes_come_back_as_they_were(void **state)
{
    struct journal_entry entry = { .seq = 41, .hlc = UINT64_C(117883000000000001) };
    struct changes_words said = {
        .count = 1, .entries = &entry, .last = INT64_MIN, .more = true
    };
    struct changes_words heard;
    struct buf text = BUF_INIT(4096);

    (void)state;
    memset(entry.chain, 0xab, sizeof entry.chain);
    memset(said.end.incarnation, 0xcd, INCARNATION_LEN);
    said.end.seq = 42;
    entry.code = bytes_copy("code\0with a NUL", 15);
    assert_int_equal(changes_write(&said, &text), ERR_OK);
    assert_int_equal(changes_read(text.bytes, text.len, &heard), ERR_OK);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.entries[0].seq, 41);
    assert_int_equal(heard.entries[0].hlc, entry.hlc);
    assert_memory_equal(heard.entries[0].chain, entry.chain, CHAIN_LEN);
    assert_int_equal(heard.entries[0].code.len, 15);
    assert_memory_equal(heard.entries[0].code.data, "code\0with a NUL", 15);
    assert_memory_equal(heard.end.incarnation, said.end.incarnation, INCARNATION_LEN);
    assert_int_equal(heard.end.seq, 42);
    assert_int_equal(heard.last, INT64_MIN);
    assert_true(heard.more);
    journal_entries_free(heard.entries, heard.count);
    bytes_fini(&entry.code);
    buf_fini(&text);
}

/* The codes reach the bound but for a byte, and then comes one as long as they get. */
static void the_largest_answer_has_room(void **state)
{
    struct changes_words said = { .count = WORDS_COUNT_MAX }, heard;
    struct buf text = BUF_INIT(WORDS_LEN_MAX);
    size_t left = WORDS_BYTES_MAX - 1;

    (void)state;
    memset(&said.end, 0xff, sizeof said.end);
    said.end.seq = said.end.hlc = INT64_MAX;
    said.entries = xcalloc(said.count, sizeof *said.entries);
    for (size_t i = 0; i < said.count; i++) {
        struct journal_entry *entry = &said.entries[i];
        size_t len = i == said.count - 1 ? OBJECT_CODE_MAX : left / (said.count - 1 - i);

        *entry = (struct journal_entry){ .seq = INT64_MAX, .hlc = INT64_MAX };
        entry->code = (struct bytes){ .data = xcalloc(len, 1), .len = len };
        left -= i == said.count - 1 ? 0 : len;
    }
    assert_int_equal(changes_write(&said, &text), ERR_OK);
    assert_int_equal(changes_read(text.bytes, text.len, &heard), ERR_OK);
    assert_int_equal(heard.count, said.count);
    assert_int_equal(heard.entries[heard.count - 1].code.len, OBJECT_CODE_MAX);
    journal_entries_free(heard.entries, heard.count);
    journal_entries_free(said.entries, said.count);
    buf_fini(&text);
}

static void a_hostile_hello_or_ping_is_refused(void **state)
{
    static const char *const HELLOS[] = {
        "",
        "[]",
        "{}",
        "{\"region\":\"fra\"}",
        "{\"region\":\"Fra\",\"ordinal\":1,\"versionLeast\":1,\"versionMost\":1}",
        "{\"region\":\"fra\",\"ordinal\":0,\"versionLeast\":1,\"versionMost\":1}",
        "{\"region\":\"fra\",\"ordinal\":256,\"versionLeast\":1,\"versionMost\":1}",
        "{\"region\":\"fra\",\"ordinal\":1,\"versionLeast\":\"1\",\"versionMost\":1}",
        "{\"region\":7,\"ordinal\":1,\"versionLeast\":1,\"versionMost\":1}",
    };
    static const char *const PINGS[] = {
        "{}",
        "{\"receivedUs\":-1,\"repliedUs\":1}",
        "{\"receivedUs\":1}",
        "{\"receivedUs\":1,\"repliedUs\":1,\"reaches\":[0]}",
        ("{\"receivedUs\":1,\"repliedUs\":1,"
         "\"reaches\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}"),
    };
    struct hello_words hello;
    struct ping_words ping;

    (void)state;
    for (size_t i = 0; i < COUNT(HELLOS); i++)
        assert_int_equal(hello_read(HELLOS[i], strlen(HELLOS[i]), &hello), ERR_INVALID);
    for (size_t i = 0; i < COUNT(PINGS); i++)
        assert_int_equal(ping_read(PINGS[i], strlen(PINGS[i]), &ping), ERR_INVALID);
}

static void hostile_changes_are_refused(void **state)
{
    static const struct {
        const char *text;
        enum err err;
    } CASES[] = {
        { CHANGES("[]"), ERR_OK },
        { CHANGES("[" ENTRY "]"), ERR_OK },
        { CHANGES("[" ENTRY ",{}]"), ERR_INVALID },
        { CHANGES("[7]"), ERR_INVALID },
        { "{}", ERR_INVALID },
        { "nonsense", ERR_INVALID },
        { "{\"incarnation\":\"AAAA\",\"endSeq\":3,\"endHlc\":4,\"endChain\":\"" BASE64_32
          "\",\"last\":0,\"entries\":[]}",
          ERR_INVALID },
        { CHANGES("[{\"seq\":-1,\"hlc\":2,\"chain\":\"" BASE64_32 "\",\"code\":\"AQID\"}]"),
          ERR_INVALID },
        { CHANGES("[{\"seq\":1,\"hlc\":2,\"chain\":\"AQID\",\"code\":\"AQID\"}]"),
          ERR_INVALID },
        { CHANGES("[{\"seq\":1,\"hlc\":2,\"chain\":\"" BASE64_32 "\",\"code\":\"A\"}]"),
          ERR_INVALID },
        { CHANGES("[{\"seq\":1,\"hlc\":2,\"chain\":\"" BASE64_32 "\",\"code\":\"\"}]"),
          ERR_INVALID },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct changes_words words = { .count = 0 };
        enum err err = changes_read(CASES[i].text, strlen(CASES[i].text), &words);
        if (err != CASES[i].err)
            fail_msg("%s", CASES[i].text);
        if (!err)
            journal_entries_free(words.entries, words.count);
    }
}

static void more_entries_than_agreed_are_refused(void **state)
{
    struct buf text = BUF_INIT(1 << 20);
    struct changes_words words;

    (void)state;
    assert_int_equal(buf_append_text(&text, CHANGES("[")), ERR_OK);
    text.len -= 1; /* the brace */
    for (int i = 0; i < WORDS_COUNT_MAX + 1; i++)
        assert_int_equal(buf_append_text(&text, i ? "," ENTRY : ENTRY), ERR_OK);
    assert_int_equal(buf_append_text(&text, "]}"), ERR_OK);
    assert_int_equal(changes_read(text.bytes, text.len, &words), ERR_INVALID);
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hello_comes_back_as_it_was),
        cmocka_unit_test(a_ping_comes_back_as_it_was),
        cmocka_unit_test(a_digest_comes_back_as_it_was),
        cmocka_unit_test(what_is_no_digest_is_refused),
        cmocka_unit_test(changes_come_back_as_they_were),
        cmocka_unit_test(the_largest_answer_has_room),
        cmocka_unit_test(a_hostile_hello_or_ping_is_refused),
        cmocka_unit_test(hostile_changes_are_refused),
        cmocka_unit_test(more_entries_than_agreed_are_refused),
    };

    return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}

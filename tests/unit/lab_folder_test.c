#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab/folder.h"
#include "tests/lib/capture.h"
#include "tests/lib/temp.h"

static int setup(void **state)
{
    *state = test_calloc(1, TEMP_PATH_MAX);
    temp_make(*state);
    return 0;
}

static int teardown(void **state)
{
    temp_remove(*state);
    test_free(*state);
    return 0;
}

/* Open it; what is said has `words` in it. */
static enum err open_folder(const char *path, int *lock, const char *words)
{
    struct capture capture;
    char text[512];

    capture_begin(&capture);
    enum err err = folder_open(path, lock);
    capture_end(&capture, text, sizeof text);
    assert_int_equal(capture_count(text, "posthaste: "), err ? 1 : 0);
    if (words)
        assert_int_equal(capture_count(text, words), 1);
    return err;
}

static void make_file(const char *folder, const char *name)
{
    char path[TEMP_PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(access(path, F_OK), 0);
}

static bool has_file(const char *folder, const char *name)
{
    char path[TEMP_PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static void it_is_made_for_its_owner_alone_and_leaves_nothing(void **state)
{
    char path[FOLDER_PATH_MAX];
    struct stat status;
    int lock;

    snprintf(path, sizeof path, "%s/lab", (char *)*state);
    assert_int_equal(open_folder(path, &lock, NULL), ERR_OK);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    make_file(path, "file");
    folder_close(path, lock);
    assert_int_equal(access(path, F_OK), -1);
}

static void only_one_has_it(void **state)
{
    char path[FOLDER_PATH_MAX];
    int lock, other;

    snprintf(path, sizeof path, "%s/lab", (char *)*state);
    assert_int_equal(open_folder(path, &lock, NULL), ERR_OK);
    make_file(path, "file");
    assert_int_equal(open_folder(path, &other, "a lab runs there"), ERR_IN_USE);
    assert_true(has_file(path, "file"));
    folder_close(path, lock);
}

static void the_next_one_removes_what_a_killed_one_has_left(void **state)
{
    char path[FOLDER_PATH_MAX];
    int lock;

    snprintf(path, sizeof path, "%s/lab", (char *)*state);
    assert_int_equal(open_folder(path, &lock, NULL), ERR_OK);
    make_file(path, "file");
    close(lock);
    assert_int_equal(open_folder(path, &lock, NULL), ERR_OK);
    assert_false(has_file(path, "file"));
    folder_close(path, lock);
}

static void what_isnt_a_labs_is_left_alone(void **state)
{
    char link[FOLDER_PATH_MAX];
    int lock;

    make_file(*state, "file");
    assert_int_equal(open_folder(*state, &lock, "isn't a lab's"), ERR_CONFLICT);
    snprintf(link, sizeof link, "%s/link", (char *)*state);
    assert_int_equal(symlink(*state, link), 0);
    assert_int_equal(open_folder(link, &lock, "only you have access to"), ERR_DENIED);
    chmod(*state, 0755);
    assert_int_equal(open_folder(*state, &lock, "only you have access to"), ERR_DENIED);
    assert_true(has_file(*state, "file"));
}

static void a_path_that_is_too_long_for_a_socket_is_refused(void **state)
{
    char path[FOLDER_PATH_MAX], longest[FOLDER_PATH_MAX + 1] = "/";

    (void)state;
    for (size_t i = 1; i < FOLDER_PATH_MAX; i++)
        longest[i] = 'x';
    assert_int_equal(folder_path(longest, path), ERR_LIMIT);
    longest[FOLDER_PATH_MAX - 1] = '\0';
    assert_int_equal(folder_path(longest, path), ERR_OK);
    assert_string_equal(path, longest);
}

static void without_a_name_it_is_the_users_own(void **state)
{
    char path[FOLDER_PATH_MAX], expected[FOLDER_PATH_MAX];

    (void)state;
    setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    assert_int_equal(folder_path(NULL, path), ERR_OK);
    assert_string_equal(path, "/run/user/7/posthaste-lab");
    unsetenv("XDG_RUNTIME_DIR");
    assert_int_equal(folder_path(NULL, path), ERR_OK);
    snprintf(expected, sizeof expected, "/tmp/posthaste-lab-%u", (unsigned)getuid());
    assert_string_equal(path, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(it_is_made_for_its_owner_alone_and_leaves_nothing),
        TEST(only_one_has_it),
        TEST(the_next_one_removes_what_a_killed_one_has_left),
        TEST(what_isnt_a_labs_is_left_alone),
        TEST(a_path_that_is_too_long_for_a_socket_is_refused),
        TEST(without_a_name_it_is_the_users_own),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

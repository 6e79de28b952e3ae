/* The commands against the contract: every operation has one, and what a command asks for is there.
 * And what each says of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wordexp.h>

#include <cmocka.h>

#include "cli/commands.h"
#include "core/count.h"
#include "tests/lib/contract.h"

#define PATH_LEN_MAX 256

/* What no command is for. */
static const struct {
    const char *operation, *why;
} WITHOUT[] = {
    { "getDocs", "a page for a browser" },
    { "getDocsFile", "what that page is made of" },
    { "openDashboard", "openPortal under the name that clients of major 1 have for it" },
};

/* Whether both are the same but for the names in braces. */
static bool is_same_path(const char *a, const char *b)
{
    while (*a && *b) {
        if (*a == '{' && *b == '{') {
            a += strcspn(a, "}");
            b += strcspn(b, "}");
        }
        if (*a++ != *b++)
            return false;
    }
    return *a == *b;
}

static bool is_same_method(const char *upper, const char *lower)
{
    size_t len = strlen(upper);

    for (size_t i = 0; i < len; i++)
        if (upper[i] - 'A' + 'a' != lower[i])
            return false;
    return lower[len] == '\0';
}

/* Whether `words`, separated by spaces, have `word`. */
static bool has_word(const char *words, const char *word)
{
    size_t word_len = strlen(word);

    for (; words && *words; words += strcspn(words, " "), words += *words == ' ')
        if (strcspn(words, " ") == word_len && memcmp(words, word, word_len) == 0)
            return true;
    return false;
}

/* One operation of the document, and what was found for it. */
struct operation {
    const char *path, *method, *id;
    const struct json *at, *shared; /* the path's own parameters */
    void (*visit)(struct operation *operation, void *ctx);
    void *ctx;
};

static void visit_operation(const char *method, const struct json *at, void *ctx)
{
    struct operation *operation = ctx;

    operation->id = json_text(json_member(at, "operationId"));
    operation->method = method;
    operation->at = at;
    if (operation->id)
        operation->visit(operation, operation->ctx);
}

static void visit_path(const char *path, const struct json *at, void *ctx)
{
    struct operation *operation = ctx;

    operation->path = path;
    operation->shared = at;
    json_each(at, visit_operation, operation);
}

static void each_operation(void (*visit)(struct operation *operation, void *ctx), void *ctx)
{
    struct operation operation = { .visit = visit, .ctx = ctx };

    json_each(json_member(contract_document(), "paths"), visit_path, &operation);
}

static bool asks_for(const struct command *c, const struct operation *operation)
{
    if (c->method && c->url && is_same_method(c->method, operation->method) &&
        is_same_path(c->url, operation->path))
        return true;
    return has_word(c->operations, operation->id);
}

static bool is_without(const char *id)
{
    for (size_t i = 0; i < COUNT(WITHOUT); i++)
        if (strcmp(WITHOUT[i].operation, id) == 0)
            return true;
    return false;
}

static void count_commands(struct operation *operation, void *ctx)
{
    size_t *missing = ctx;
    struct command_walk walk = { 0 };
    const struct command *c;
    size_t count = 0;

    while ((c = commands_next(&walk)))
        count += asks_for(c, operation);
    if ((count > 0) == is_without(operation->id)) {
        print_error("%s, %s %s, has %zu commands\n", operation->id, operation->method,
                    operation->path, count);
        ++*missing;
    }
}

static void every_operation_of_the_contract_has_a_command(void **state)
{
    size_t missing = 0;

    (void)state;
    each_operation(count_commands, &missing);
    assert_int_equal(missing, 0);
}

struct search {
    const struct command *command;
    const char *id; /* NULL: by method and URL */
    bool found;
};

static void search_operation(struct operation *operation, void *ctx)
{
    struct search *search = ctx;

    search->found = search->found || (search->id ? strcmp(search->id, operation->id) == 0
                                                 : asks_for(search->command, operation));
}

static void a_command_asks_for_nothing_that_is_not_in_the_contract(void **state)
{
    struct command_walk walk = { 0 };
    const struct command *c;
    char id[PATH_LEN_MAX];

    (void)state;
    while ((c = commands_next(&walk))) {
        struct search search = { .command = c };
        each_operation(search_operation, &search);
        if (c->method && !search.found)
            fail_msg("%s: there is no %s %s", c->path, c->method, c->url);
        for (const char *words = c->operations; words && *words;
             words += strcspn(words, " "), words += *words == ' ') {
            snprintf(id, sizeof id, "%.*s", (int)strcspn(words, " "), words);
            search = (struct search){ .command = c, .id = id };
            each_operation(search_operation, &search);
            if (!search.found)
                fail_msg("%s: there is no operation %s", c->path, id);
        }
    }
}

static bool takes_parameter(const struct command *c, const char *name)
{
    for (size_t i = 0; i < COMMAND_GROUPS_MAX && c->groups[i]; i++) {
        if (c->groups[i] == &page_group && strcmp(name, "iterator") == 0)
            return true;
        for (const struct option *o = c->groups[i]->options; o->name; o++)
            if (o->place == OPTION_QUERY && strcmp(o->member, name) == 0)
                return true;
    }
    return false;
}

static void check_parameters(struct operation *operation, void *ctx)
{
    const struct json *parameters = json_member(operation->at, "parameters");
    struct command_walk walk = { 0 };
    const struct command *c;

    (void)ctx;
    while ((c = commands_next(&walk))) {
        if (!c->is_list && !c->url)
            continue;
        for (size_t i = 0; asks_for(c, operation) && i < json_count(parameters); i++) {
            const struct json *p = contract_resolve(json_at(parameters, i));
            const char *name = json_text(json_member(p, "name"));
            if (strcmp(json_text(json_member(p, "in")), "query") != 0 ||
                takes_parameter(c, name))
                continue;
            /* send shows a payload in JSON alone */
            if (strcmp(c->path, "send") == 0 && strcmp(name, "with_content") == 0)
                continue;
            fail_msg("%s has no option for %s of %s", c->path, name, operation->id);
        }
    }
}

static void a_command_takes_every_parameter_of_its_operation(void **state)
{
    (void)state;
    each_operation(check_parameters, NULL);
}

/* An example as a shell reads it, up to where the body comes from. */
static void split(const char *example, wordexp_t *out)
{
    char *text = strdup(example);
    char *body = strstr(text, " <body");

    assert_non_null(text);
    if (body)
        *body = '\0';
    if (wordexp(text, out, WRDE_NOCMD | WRDE_UNDEF) != 0)
        fail_msg("%s: no line for a shell", example);
    free(text);
}

static void check_example(const struct command *c)
{
    wordexp_t words;
    size_t named = 1;
    enum cli_exit exit;

    if (!c->example)
        fail_msg("%s has no example", c->path);
    split(c->example, &words);
    for (const char *at = c->path; (at = strchr(at, ' ')); at++)
        named++;
    assert_string_equal(words.we_wordv[0], "posthaste");
    assert_true(strncmp(c->example + strlen("posthaste "), c->path, strlen(c->path)) == 0);

    struct line *line =
        line_parse(c, (int)(words.we_wordc - named), words.we_wordv + named, &exit);
    if (!line)
        fail_msg("%s: its example isn't right: %s", c->path, c->example);
    line_free(line);
    wordfree(&words);
}

static void every_command_has_an_example_that_is_right(void **state)
{
    struct command_walk walk = { 0 };
    const struct command *c;

    (void)state;
    while ((c = commands_next(&walk)))
        check_example(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_of_the_contract_has_a_command),
        cmocka_unit_test(a_command_asks_for_nothing_that_is_not_in_the_contract),
        cmocka_unit_test(a_command_takes_every_parameter_of_its_operation),
        cmocka_unit_test(every_command_has_an_example_that_is_right),
    };

    return cmocka_run_group_tests(tests, contract_open, contract_close);
}

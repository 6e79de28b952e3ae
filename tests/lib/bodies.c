#include "tests/lib/bodies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct json *body_parse(const char *text)
{
    struct json *root;
    struct scan_fault fault;

    if (json_parse(text, strlen(text), &root, &fault) != ERR_OK)
        fail_msg("%s: %s at %zu", text, fault.why, fault.offset);
    return root;
}

void assert_body_fault(const struct body_row *row, const struct faults *faults)
{
    const struct fault *first = &faults->items[0];

    if (faults->count != (row->loc ? 1 : 0))
        fail_msg("%s: %zu faults; %s: %s", row->body, faults->count, first->loc, first->msg);
    if (row->loc) {
        assert_string_equal(first->loc, row->loc);
        assert_string_equal(first->type, row->type);
        assert_true(first->msg[0] != '\0');
    }
}

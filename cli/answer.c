#include "cli/answer.h"

#include "wire/scan.h"

bool answer_has_shape(const struct buf *body, enum answer_shape shape)
{
    struct scan_member data = { .name = "data" };
    struct scan_fault fault;
    enum scan_type type;

    if (body->len == 0)
        return shape == ANSWER_ANY;
    if (scan_answer(body->bytes, body->len, &data, 1, &type, &fault) != ERR_OK)
        return false;
    return type == SCAN_OBJECT && (shape != ANSWER_LIST || data.type == SCAN_ARRAY);
}

/* Bytes from a stranger as a question to the lab's name server.
 *
 * Holds: an answer repeats the question, and has at most one record more. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lab/name_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct plan plan;
    char why[PLAN_WHY_MAX], answer[NAME_SERVER_ANSWER_MAX];

    if (plan.count == 0 && plan_read("fra,iad,sin,gru", &plan, why) != ERR_OK)
        abort();
    size_t len = name_server_answer(&plan, 1, (const char *)data, size, answer);
    assert(len <= size + NAME_SERVER_RECORD_LEN);
    if (len > 0)
        assert(memcmp(answer, data, 2) == 0);
    return 0;
}

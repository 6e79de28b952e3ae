#include "cli/status.h"

#include <string.h>

#include "core/number.h"

bool status_parse(const char *text, enum attempt_status *out)
{
    uint32_t number;

    if (number_parse(text, 0, ATTEMPT_STATUSES - 1, &number)) {
        *out = (enum attempt_status)number;
        return true;
    }
    for (enum attempt_status status = 0; status < ATTEMPT_STATUSES; status++)
        if (strcmp(attempt_status_text(status), text) == 0) {
            *out = status;
            return true;
        }
    return false;
}

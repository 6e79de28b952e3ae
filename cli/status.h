/* Status: what an attempt came to, by the word that tables show, "fail", or by the API's number for it,
 * "2". Pure. */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include <stdbool.h>

#include "core/model.h"

/* False unless `text` is one of them. */
bool status_parse(const char *text, enum attempt_status *out);

#endif

#include "cli/verdict.h"

const char *verdict_text(enum err err)
{
    if (err == ERR_OK)
        return "verified";
    if (err == ERR_DENIED)
        return "not verified: no signature fits; another secret, id, timestamp or body";
    if (err == ERR_TIMEOUT)
        return "not verified: the signature fits, but the timestamp is too old or too new";
    if (err == ERR_INVALID)
        return "not verified: no v1 signature";
    return err_text(err);
}

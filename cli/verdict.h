/* Verdict: what signer_verify() found, in words for who debugs a receiver. */
#ifndef CLI_VERDICT_H
#define CLI_VERDICT_H

#include "core/err.h"

const char *verdict_text(enum err err);

#endif

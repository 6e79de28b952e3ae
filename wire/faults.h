/* Faults: what is wrong with a request, field by field, as the contract's 422 says it:
 * {"detail":[{"loc":["body","name"],"msg":"…","type":"value_error"}]}.
 *
 * Bounded: the first FAULTS_MAX are kept. */
#ifndef WIRE_FAULTS_H
#define WIRE_FAULTS_H

#include <stddef.h>

#include "core/buf.h"
#include "wire/scan.h"

#define FAULTS_MAX    16
#define FAULT_LOC_MAX 160
#define FAULT_MSG_MAX 200

#define FAULT_VALUE "value_error"
#define FAULT_JSON  "value_error.jsondecode"

struct fault {
    char loc[FAULT_LOC_MAX]; /* parts joined by '/': "body/channels/0" */
    char msg[FAULT_MSG_MAX];
    const char *type; /* one of the above */
};

struct faults {
    size_t count;
    struct fault items[FAULTS_MAX];
};

void faults_add(struct faults *f, const char *type, const char *loc, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A body that isn't JSON, as scan_json() and json_parse() found out. */
void faults_add_scan(struct faults *f, const struct scan_fault *fault);

/* The whole body of the 422 answer; parts of a loc that are digits become numbers. */
MUST_USE enum err faults_write(const struct faults *f, struct buf *out);

#endif

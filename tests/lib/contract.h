/* Contract: the OpenAPI document that is served, for tests of those who must keep to it. */
#ifndef TESTS_LIB_CONTRACT_H
#define TESTS_LIB_CONTRACT_H

#include "wire/json.h"

/* For cmocka, around a group of tests. */
int contract_open(void **state);
int contract_close(void **state);

/* All of it, from contract_open() to contract_close(). */
const struct json *contract_document(void);

/* What stands there or, with a "$ref", where that points to; the test fails if nothing is there. */
const struct json *contract_resolve(const struct json *value);

#endif

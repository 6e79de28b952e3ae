/* YAML of any bytes becomes JSON, or a refusal with its line. */
#include <assert.h>
#include <stdint.h>

#include "core/yaml_json.h"
#include "wire/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf json = BUF_INIT(1u << 20);
    struct yaml_fault fault;
    struct scan_fault not_json;
    enum scan_type type;

    if (yaml_to_json((const char *)data, size, &json, &fault) == ERR_OK)
        assert(scan_json(json.bytes, json.len, NULL, 0, &type, &not_json) == ERR_OK);
    else
        assert(fault.line > 0 && fault.why[0]);
    buf_fini(&json);
    return 0;
}

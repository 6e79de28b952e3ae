/* Bytes from a peer as a configuration object.
 *
 * Holds: what is decoded has a code, which decodes again, to the same code; and the public code is
 * no longer than the bytes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/object_code.h"
#include "core/revocation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Its rules are texts that nobody has looked at yet. */
static void revoke(struct application *application)
{
    const struct revocation all = { 2, 0, REVOCATION_FOR_EVER, true, { 0 } };
    const struct revocable token = { .minted_at_ms = 1 };
    enum err err = revocation_add(&application->revocations, &all, 1);

    assert(err == ERR_LIMIT || revocation_voids(&application->revocations, &token, 1));
    assert(err || revocation_last_ms(&application->revocations) >= 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf code = BUF_INIT(OBJECT_CODE_MAX), again = BUF_INIT(OBJECT_CODE_MAX);
    struct object *object, *same;

    assert(object_code_public(data, size) <= size);
    if (object_decode(data, size, &object) != ERR_OK)
        return 0;
    if (object_encode(object, &code) != ERR_OK ||
        object_decode(code.bytes, code.len, &same) != ERR_OK ||
        object_encode(same, &again) != ERR_OK)
        abort();
    assert(code.len == again.len && memcmp(code.bytes, again.bytes, code.len) == 0);
    if (same->kind == OBJECT_APPLICATION)
        revoke(as_application(same));
    object_unref(object);
    object_unref(same);
    buf_fini(&code);
    buf_fini(&again);
    return 0;
}

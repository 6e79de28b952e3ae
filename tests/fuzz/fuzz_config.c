/* Bytes from a stranger as a configuration file, and those behind the first NUL as the value of
 * each kind of variable.
 *
 * Holds: what is refused is explained in one line, what is accepted can be shown. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/config.h"
#include "core/count.h"
#include "core/mem.h"

static const char *const VARIABLES[] = {
    "POSTHASTE_LISTEN=",
    "POSTHASTE_DATA=",
    "POSTHASTE_LOG_LEVEL=",
    "POSTHASTE_DELIVERY_TIMEOUT=",
    "POSTHASTE_DELIVERY_RETRY_SCHEDULE=",
    "POSTHASTE_DELIVERY_ALLOW_SUBNETS=",
    "POSTHASTE_REGION_NAME=",
    "POSTHASTE_REGION_LATITUDE=",
};

#define VARIABLE_COUNT COUNT(VARIABLES)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_each(const char *key, const char *value, const char *source, void *ctx)
{
    size_t *shown = ctx;

    assert(key && value && source);
    *shown += 1;
}

static void load(const char *path, char *const *environment)
{
    const struct config_sources sources = { .path = path, .environment = environment };
    char why[CONFIG_WHY_MAX] = "";
    struct config *config;
    size_t shown = 0;

    if (config_load(&sources, &config, why) != ERR_OK) {
        assert(*why && !strchr(why, '\n'));
        return;
    }
    config_each(config, on_each, &shown);
    assert(shown > 0);
    config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    static int fd = -1;
    size_t file_len = strnlen((const char *)data, size);
    char *value = size > file_len ? xmemdup(data + file_len + 1, size - file_len - 1) : NULL;

    if (fd < 0) {
        fd = memfd_create("posthaste.yaml", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, file_len, 0) != (ssize_t)file_len)
        abort();

    load(path, NULL);
    for (size_t i = 0; value && i < VARIABLE_COUNT; i++) {
        size_t len = strlen(VARIABLES[i]) + strlen(value) + 1;
        char *variable = xcalloc(len, 1);
        char *const environment[] = { variable, NULL };
        snprintf(variable, len, "%s%s", VARIABLES[i], value);
        load(NULL, environment);
        free(variable);
    }
    free(value);
    return 0;
}

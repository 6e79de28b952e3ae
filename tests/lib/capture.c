#include "tests/lib/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

void capture_begin(struct capture *c)
{
    c->terminal = dup(STDERR_FILENO);
    c->file = memfd_create("stderr", MFD_CLOEXEC);
    assert_true(c->terminal >= 0 && c->file >= 0);
    assert_true(dup2(c->file, STDERR_FILENO) >= 0);
}

void capture_end(struct capture *c, char *out, size_t room)
{
    assert_true(dup2(c->terminal, STDERR_FILENO) >= 0);
    ssize_t len = pread(c->file, out, room - 1, 0);
    assert_true(len >= 0);
    out[len] = '\0';
    close(c->file);
    close(c->terminal);
}

unsigned capture_count(const char *text, const char *word)
{
    unsigned count = 0;

    for (const char *at = text; (at = strstr(at, word)); at++)
        count++;
    return count;
}

/* Explain: what is wrong, in one line whatever was in the values that it quotes. Pure. */
#ifndef CORE_EXPLAIN_H
#define CORE_EXPLAIN_H

#include <stdarg.h>
#include <stddef.h>

/* Write at most `room` bytes with the NUL; control characters become '?'. */
void explain(char *why, size_t room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void explain_list(char *why, size_t room, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

#endif

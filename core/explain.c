#include "core/explain.h"

#include <stdio.h>

void explain(char *why, size_t room, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    explain_list(why, room, format, args);
    va_end(args);
}

void explain_list(char *why, size_t room, const char *format, va_list args)
{
    vsnprintf(why, room, format, args);
    for (char *c = why; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

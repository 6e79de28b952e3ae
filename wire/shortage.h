/* Shortage: errors that say what this process lacks, whoever is at the other end. */
#ifndef WIRE_SHORTAGE_H
#define WIRE_SHORTAGE_H

#include <errno.h>
#include <stdbool.h>

static inline bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

#endif

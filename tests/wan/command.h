/* Command: a line of text that changes a network or asks about it.
 *
 *     rtt A B MS [JITTER_MS]      half of it each way
 *     oneway A B MS [JITTER_MS]   from A to B only
 *     loss A B PERCENT            both ways
 *     rate A B MBIT               both ways; 0 = unlimited
 *     cut A B                     both ways
 *     cut1 A B                    from A to B only
 *     heal [A B]                  end cuts and loss, everywhere or both ways
 *     watch HEX                   count these bytes in clear; says their number
 *     forget                      watch nothing
 *     hits                        A>B NUMBER COUNT for each that was seen
 *     show                        A>B delay_us= jitter_us= loss= rate_mbit= cut= packets= bytes=
 *                                 dropped= for each direction
 *
 * The reply is what was asked for, if anything, and a last line: `ok`, or `error: ` and why. */
#ifndef TESTS_WAN_COMMAND_H
#define TESTS_WAN_COMMAND_H

#include "core/buf.h"
#include "tests/wan/network.h"

#define COMMAND_LEN_MAX (2 * LEAK_PATTERN_LEN_MAX + 64) /* bytes of a line without its end */

/* Append the reply; ERR_LIMIT: it is cut. */
MUST_USE enum err command_run(struct network *n, const char *line, struct buf *reply);

#endif

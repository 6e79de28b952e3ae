/* Name server: says where a lab's receivers are, to one region: hooks.REGION.lab has the address
 * at which that region reaches them. UDP, RFC 1035; any other name doesn't exist.
 *
 * Thread: the loop's. */
#ifndef LAB_NAME_SERVER_H
#define LAB_NAME_SERVER_H

#include <stddef.h>
#include <uv.h>

#include "core/err.h"
#include "lab/plan.h"

#define NAME_SERVER_QUESTION_MAX 512 /* bytes, as without extensions */

struct name_server {
    const struct plan *plan;
    size_t region; /* which is told */

    /* private */
    uv_udp_t udp;
    char room[NAME_SERVER_QUESTION_MAX];
};

/* At the region's own address. ERR_IN_USE: another lab has that. ERR_UNAVAILABLE. */
MUST_USE enum err name_server_open(struct name_server *server, uv_loop_t *loop,
                                   const struct plan *plan, size_t region);
void name_server_close(struct name_server *server);

/* The answer to a question, into `out`: its length; 0 when there is none to give, as what was asked
 * can't be read. Pure. */
#define NAME_SERVER_RECORD_LEN 16
#define NAME_SERVER_ANSWER_MAX (NAME_SERVER_QUESTION_MAX + NAME_SERVER_RECORD_LEN)
size_t name_server_answer(const struct plan *plan, size_t region, const char *question,
                          size_t len, char out[NAME_SERVER_ANSWER_MAX]);

#endif

/* Wire: the little HTTP and socket work that the sink and the load generator share. Only for
 * peers that behave: one request at a time, Content-Length, headers below the buffer. */
#ifndef BENCH_LIB_WIRE_H
#define BENCH_LIB_WIRE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the first message in `bytes`, body included; 0 while it isn't complete. `out_body`
 * is where its body begins. `bytes[len]` must be writable. */
size_t wire_message_len(char *bytes, size_t len, size_t *out_body);

/* Non-blocking TCP sockets without delay, on 127.0.0.1; they exit with a message on failure. */
int wire_listen(uint16_t port); /* several may listen on the same port; 0 = any */
int wire_connect(uint16_t port);
uint16_t wire_port(int fd);

/* On the clock that the sink subtracts from; the same for all processes of a machine. */
uint64_t wire_now_us(void);

/* Used by this process so far, user and system. */
uint64_t wire_cpu_us(void);

_Noreturn void wire_die(const char *what);

#endif

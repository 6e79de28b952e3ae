/* Say: diagnostics, one line each on stderr, "posthaste: …". */
#ifndef CLI_SAY_H
#define CLI_SAY_H

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

/* Process: what the daemon asks of the kernel for itself. */
#ifndef DAEMON_PROCESS_H
#define DAEMON_PROCESS_H

/* No memory dumps, for they hold keys; new files for the owner alone; as many descriptors as
 * we may have; a closed pipe or a file too large is an error code, not a signal. */
void process_prepare(void);

#endif

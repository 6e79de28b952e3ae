/* Faulty disk: SQLite's files, until the disk does what disks do.
 *
 * A layer over SQLite's own, for every file opened after faulty_disk_install(). One for the
 * process; used from one thread. */
#ifndef TESTS_LIB_FAULTY_DISK_H
#define TESTS_LIB_FAULTY_DISK_H

enum disk_fault {
    DISK_WORKS,
    DISK_FULL,        /* no write finds room */
    DISK_WRITE_FAILS, /* one write, with an i/o error */
    DISK_SYNC_FAILS,  /* one fsync */
    DISK_WRITE_KILLS, /* the process ends before a write, with DISK_KILLED */
};

#define DISK_KILLED 77 /* exit status */

void faulty_disk_install(void);

/* From now on; `after` so many more writes or fsyncs have worked. */
void faulty_disk_set(enum disk_fault fault, unsigned after);

/* How often was written, and read, so far, whatever came of it. */
unsigned faulty_disk_writes(void);
unsigned faulty_disk_reads(void);

#endif

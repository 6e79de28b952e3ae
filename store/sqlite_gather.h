/* Gather: a VFS that joins the writes to a write-ahead log.
 *
 * SQLite writes a commit page by page, each as a header of 24 bytes and then the page. Between
 * that and the fsync nobody reads them: other connections look no further than the shared index
 * says, which SQLite brings up to date after the fsync that `synchronous = FULL` asks for. So
 * this layer over SQLite's own VFS keeps what is written behind one another and hands it on in
 * large pieces: when its room is used up, and before anything else is done with the file.
 *
 * A write that fails may thus be told by a later call, at the latest by the fsync: to SQLite
 * either is a commit that failed. Files other than logs are opened as they would be without it.
 *
 * For connections that write, with `synchronous = FULL` only. */
#ifndef STORE_SQLITE_GATHER_H
#define STORE_SQLITE_GATHER_H

/* Its name, for sqlite3_open_v2(); registered by the first call, over the VFS that is the default
 * then. Thread: one at a time. */
const char *sqlite_gather_vfs(void);

#endif

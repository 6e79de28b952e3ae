/* Lab: several regions on one machine: a process for each, the delays of a wide area network between
 * them, a receiver in each, and a tour of what they do.
 *
 *   lab_run ─► the regions' folders ─► cables, name servers, receivers ─► their processes
 *      all serve ─► they meet ─► the tour ─► … ─► Ctrl-C, or the tour's end
 *      ─► processes are killed ─► all is closed ─► the folder is removed
 *
 * docs/lab.md says what it shows and what it doesn't. */
#ifndef LAB_LAB_H
#define LAB_LAB_H

struct lab_order;

/* Run a lab, or tell the one that runs something. The exit status. */
int lab_run(const struct lab_order *order);

#endif

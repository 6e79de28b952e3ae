/* Ask: an order to a lab that runs, from another terminal: the other side of control.h. */
#ifndef LAB_ASK_H
#define LAB_ASK_H

/* Give it to the lab in `folder`, wait until it is carried out, print what the lab says. `region`
 * NULL: none. The exit status. */
int ask(const char *folder, const char *verb, const char *region);

#endif

/* Lab order: what `posthaste lab …` is told, for whoever runs labs. */
#ifndef CLI_LAB_ORDER_H
#define CLI_LAB_ORDER_H

#include <stdbool.h>

struct lab_order {
    const char *dir;     /* the lab's; NULL: the user's own one */
    const char *regions; /* "fra,iad,sin,gru"; NULL when this is for a lab that runs: */
    bool tour;           /* all steps, one after the other, and then end */
    const char *verb;    /* "cut", "heal", "kill", "start", "status" */
    const char *region;  /* that it is about; NULL: none */
};

#endif

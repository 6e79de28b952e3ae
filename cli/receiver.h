/* Receiver: rows that endpoints of an application and operational ones have in common. --url is the
 * server's, as in every command, so a receiver's is --to. */
#ifndef CLI_RECEIVER_H
#define CLI_RECEIVER_H

#include "cli/option.h"
#include "cli/output.h"

#define FIELD_TO        FIELD("to", OPTION_TEXT, "URL", "where deliveries go", "url")
#define NEEDED_FIELD_TO NEEDED_FIELD("to", OPTION_TEXT, "URL", "where deliveries go", "url")
#define FIELD_EVENT_TYPES(help_)                                                               \
    FIELD("event-types", OPTION_LIST, "TYPE,…", help_, "eventTypes")
#define FIELDS_PACE                                                                            \
    FIELD("disable", OPTION_FLAG, NULL, "let deliveries wait", "disabled"),                    \
        FIELD("enable", OPTION_NO, NULL, "let them go again", "disabled"),                     \
        FIELD("rate-limit", OPTION_COUNT, "N", "at most N attempts a second", "throttleRate")
#define FIELD_SECRET                                                                           \
    FIELD("secret", OPTION_TEXT, "whsec_…", "sign with this; made up unless given", "secret")
#define FIELD_HEADER                                                                           \
    FIELD("header", OPTION_HEADER, "'NAME: VALUE'", "sent along; may be repeated", "headers")

/* Of another secret. */
#define FIELDS_ROTATE                                                                          \
    FIELD("secret", OPTION_TEXT, "whsec_…", "the new one; made up unless given", "key"),       \
        FIELD("grace", OPTION_COUNT, "SECONDS", "how long the old one signs along",            \
              "gracePeriodSeconds")

extern const struct column receiver_secret_columns[];
extern const struct column receiver_header_columns[];

#endif

/* Option: what a command accepts after a dash, and where its value goes. */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include <stdbool.h>

enum option_kind {
    OPTION_FLAG, /* given or not */
    OPTION_NO,   /* a flag that means false */
    OPTION_TEXT,
    OPTION_COUNT,  /* a whole number from 0 */
    OPTION_LIST,   /* A,B,C; may be repeated */
    OPTION_PAIR,   /* NAME=VALUE; may be repeated */
    OPTION_HEADER, /* "Name: value"; may be repeated */
    OPTION_JSON,   /* the text itself, @FILE, or - for stdin */
    OPTION_CHOICE, /* one of the words of `arg`, "a|b|c" */
    OPTION_CODE,   /* the same of numbers */
    OPTION_STATUS, /* one of the words of `arg`, or its number; see status.h */
    OPTION_TIME,   /* an instant, or so long ago; see instant.h */
};

enum option_place {
    OPTION_LOCAL, /* the command's own business */
    OPTION_QUERY, /* a parameter of the request */
    OPTION_BODY,  /* a member of the request's body; see line_unsets() */
};

struct option {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* 0 = none */
    enum option_kind kind;
    const char *arg; /* what help calls the value */
    const char *help;
    enum option_place place;
    /* the parameter's or member's name; "outer/inner": a member of an object in the
     * body, whose options stand in a row */
    const char *member;
    bool required;
    int shift_ms; /* of an OPTION_TIME: from what is given to what is sent */
};

struct option_group {
    const char *title; /* of help's paragraph */
    const struct option *options;
};

/* Groups that several commands have. */
extern const struct option_group server_group; /* --url --token --token-file --config */
extern const struct option_group config_group; /* --config alone */
extern const struct option_group output_group; /* --output */
extern const struct option_group page_group;   /* --limit --iterator --all */

/* Rows: an option of the command's own, a parameter of its request, a member of its body. */
#define LOCAL(name_, kind_, arg_, help_)                                                       \
    {                                                                                          \
        .name = (name_), .kind = (kind_), .arg = (arg_), .help = (help_)                       \
    }
#define QUERY(name_, kind_, arg_, help_, member_)                                              \
    {                                                                                          \
        .name = (name_), .kind = (kind_), .arg = (arg_), .help = (help_),                      \
        .place = OPTION_QUERY, .member = (member_)                                             \
    }
#define FIELD(name_, kind_, arg_, help_, member_)                                              \
    {                                                                                          \
        .name = (name_), .kind = (kind_), .arg = (arg_), .help = (help_),                      \
        .place = OPTION_BODY, .member = (member_)                                              \
    }
#define NEEDED_FIELD(name_, kind_, arg_, help_, member_)                                       \
    {                                                                                          \
        .name = (name_), .kind = (kind_), .arg = (arg_), .help = (help_),                      \
        .place = OPTION_BODY, .member = (member_), .required = true                            \
    }
#define OPTION_END                                                                             \
    {                                                                                          \
        .name = 0                                                                              \
    }

/* Rows that several tables have. */
#define LOCAL_APP                                                                              \
    {                                                                                          \
        .name = "app", .letter = 'a', .kind = OPTION_TEXT, .arg = "APP",                       \
        .help = "the application's id or uid", .required = true                                \
    }
#define FIELD_UID FIELD("uid", OPTION_TEXT, "UID", "a name of your own for it", "uid")
#define FIELD_METADATA                                                                         \
    FIELD("metadata", OPTION_PAIR, "NAME=VALUE", "a note; may be repeated", "metadata")
#define FIELD_DESCRIPTION                                                                      \
    FIELD("description", OPTION_TEXT, "TEXT", "what it is for", "description")
#define STATUS_HELP "the API's number will do"
#define TIME_HELP   "2026-11-24T02:57:36Z, or so long ago: 2h"

/* What lists of messages and attempts are narrowed by. The contract's instants are exclusive, and whole
 * milliseconds; --since and --until are inclusive, as they are everywhere. */
#define QUERY_EVENT_TYPE                                                                       \
    QUERY("event-type", OPTION_LIST, "TYPE,…", "of these event types", "event_types")
#define QUERY_MESSAGES                                                                         \
    QUERY_EVENT_TYPE, QUERY("channel", OPTION_TEXT, "CHANNEL", "for this channel", "channel"), \
        QUERY("tag", OPTION_TEXT, "TAG", "tagged with it", "tag"),                             \
        { .name = "since",                                                                     \
          .kind = OPTION_TIME,                                                                 \
          .arg = "TIME",                                                                       \
          .help = "from it on: " TIME_HELP,                                                    \
          .place = OPTION_QUERY,                                                               \
          .member = "after",                                                                   \
          .shift_ms = -1 },                                                                    \
        { .name = "until",                                                                     \
          .kind = OPTION_TIME,                                                                 \
          .arg = "TIME",                                                                       \
          .help = "up to it",                                                                  \
          .place = OPTION_QUERY,                                                               \
          .member = "before",                                                                  \
          .shift_ms = 1 },                                                                     \
        QUERY("after", OPTION_TIME, "TIME", "later than it", "after"),                         \
        QUERY("before", OPTION_TIME, "TIME", "earlier than it", "before")
#define QUERY_ORDER QUERY("order", OPTION_CHOICE, "ascending|descending", "by age", "order")

#endif

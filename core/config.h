/* Config: every setting of the daemon, read once and never changed.
 *
 * A setting's value comes from the first of these that gives one, and remembers which:
 *
 *     flag          --listen
 *     environment   POSTHASTE_LISTEN; POSTHASTE_DELIVERY_TIMEOUT for delivery.timeout, and so on
 *     file          posthaste.yaml
 *     default
 *
 * Every value given is checked, one that a stronger source replaces as well. An unknown key, a
 * wrong type or a number out of range is one line that names its place:
 * "posthaste.yaml:7: delivery.timeout: …", "POSTHASTE_LISTEN: …" or "--listen: …".
 *
 * In the file a list is a YAML sequence; elsewhere it is separated by commas. Paths in the
 * file, and default ones, are relative to the file's folder; others to the working directory.
 * The file is at most CONFIG_FILE_MAX bytes of YAML 1.1, one document.
 *
 * Thread: immutable once loaded; any. */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/log.h"
#include "core/model.h"
#include "core/topology.h"

#define CONFIG_FILE_MAX    262144 /* bytes */
#define CONFIG_WHY_MAX     1024   /* bytes of an explanation, with NUL; longer ones are cut */
#define CONFIG_RETRIES_MAX 32     /* steps of the retry schedule */

/* log.* */
struct config_log {
    enum log_format format; /* text, json; default text */
    enum log_level level;   /* debug, info, warn, error; default info */
};

/* delivery.*: how messages leave. */
struct config_delivery {
    /* timeout: seconds an attempt may take; 1 … 30, default 30 */
    uint32_t timeout_s;
    uint32_t disable_after_h; /* disable_after: 0 … 8760, default 120 */
    /* retry_schedule: seconds before each retry, each 0 … 604800; none = one attempt; default
     * 5, 300, 1800, 7200, 18000, 36000, 36000 */
    uint32_t retry_s[CONFIG_RETRIES_MAX];
    size_t retry_count;
    /* in_flight: attempts at once; 1 … 65536, default 1024 */
    uint32_t in_flight;
    /* in_flight_per_endpoint: of these, to one endpoint; 1 … 65536, default 64 */
    uint32_t in_flight_per_endpoint;
    /* allow_subnets: CIDRs that may be connected to although they aren't public; not parsed
     * here; default none */
    struct text_list allow_subnets;
    /* ca_file: PEM of the authorities to trust; NULL, the default: the system's */
    char *ca_file;
    /* name_servers: "127.0.0.1:5353,…", not parsed here; NULL, the default: the system's */
    char *name_servers;
};

/* retention.*: for how many days what is in the outbox stays; 0 … 3650, default 90; 0: for ever. */
struct config_retention {
    uint32_t messages_d; /* messages, with all that is of them */
    uint32_t attempts_d; /* attempts, if not their message's */
};

/* portal.* */
struct config_portal {
    /* url: where applications' users go with their tokens, not parsed here; NULL, the default:
     * nowhere in particular */
    char *url;
};

/* limits.*: what clients may ask for at once. */
struct config_limits {
    uint32_t body_len;                /* body: bytes; 1024 … 67108864, default 2097152 */
    uint32_t connections;             /* 1 … 65536, default 4096 */
    uint32_t connections_per_address; /* 1 … 65536, default 1024 */
    uint32_t waiting_requests;        /* on the store; 1 … 1048576, default 8192 */
};

/* Where to listen. */
struct config_listen {
    char *text;    /* ADDRESS:PORT or [ADDRESS]:PORT; NULL = nowhere */
    char *address; /* of it, without brackets */
    uint16_t port; /* of it; 0 = any */
};

struct config_degrees {
    bool given;
    double value;
};

/* region.*: who this region is; bounds as in topology.h. Checked as a whole once loaded: see
 * config_region(). */
struct config_region {
    char *name;       /* NULL, the default: alone, and nothing else below but files is set */
    uint32_t ordinal; /* 1 … 255; 0 = none */
    struct text_list jurisdictions;
    struct config_degrees latitude, longitude; /* both or none */
    char *public_url;                          /* NULL = none */
    struct config_listen link_listen;          /* default nowhere */
    char *link_url;                            /* NULL = none */
    char *certificate_file;                    /* default "link.crt" */
    char *key_file;                            /* default "link.key" */
};

struct config {
    struct config_listen listen; /* default 127.0.0.1:8071 */
    char *data;                  /* the store's folder; default "data" */
    /* default $CREDENTIALS_DIRECTORY/master.key if there is one, else "master.key" */
    char *master_key_file;
    /* default $CREDENTIALS_DIRECTORY/token.key if there is one, else NULL: derived */
    char *token_key_file;
    char *peers_dir; /* of region cards; default "peers"; needn't exist */
    struct config_region region;
    struct config_log log;
    struct config_delivery delivery;
    struct config_retention retention;
    struct config_portal portal;
    struct config_limits limits;

    char *master_key; /* private: POSTHASTE_MASTER_KEY; NULL = in the file */
    char **origins;   /* private: where each value comes from, in the order of config_each() */
};

/* A flag as it stands on the command line, dashes included: --listen, --data, --allow-subnet,
 * --retry-schedule, --log-format, --log-level. A list's flags add up when repeated. */
struct config_flag {
    const char *flag;
    const char *value;
};

/* All borrowed for the call. */
struct config_sources {
    /* of the file; NULL: no file, and paths are relative to the working directory */
    const char *path;
    char *const *environment; /* as environ(7); NULL = empty */
    const struct config_flag *flags;
    size_t flag_count;
};

/* ERR_NOT_FOUND: no such file; ERR_DENIED, ERR_FOLDER, ERR_IO: it can't be read; ERR_INVALID and
 * ERR_LIMIT: what it, a variable or a flag says is wrong. `why` then says it in one line. */
MUST_USE enum err config_load(const struct config_sources *sources, struct config **out,
                              char why[CONFIG_WHY_MAX]);
void config_free(struct config *config); /* NULL does nothing */

/* The master key's text, appended to `out`; wipe it after use. Errors as config_load(), and
 * ERR_DENIED when others than its owner may read the file (a systemd credential excepted). */
MUST_USE enum err config_read_master_key(const struct config *config, struct buf *out,
                                         char why[CONFIG_WHY_MAX]);

/* Where that text comes from: the file, or the variable's name. */
const char *config_master_key_source(const struct config *config);

/* Newer master keys stand beside that file, in FILE.2 to FILE.99, the newest in the highest. Add
 * the paths of those that are there to `out`, oldest first; beside a variable is none. */
void config_newer_master_keys(const struct config *config, struct text_list *out);

/* The text in one of them, the same way. */
MUST_USE enum err config_read_newer_master_key(const struct config *config, const char *path,
                                               struct buf *out, char why[CONFIG_WHY_MAX]);

/* Where the next one goes, as long as there is a number left. ERR_LIMIT; ERR_DENIED: the master
 * key is in a variable, or was given by systemd, and nothing can be put beside it. */
MUST_USE enum err config_next_master_key(const struct config *config, char out[PATH_MAX],
                                         char why[CONFIG_WHY_MAX]);

/* The key that signs tokens, the same way. For a configuration with token_key_file. */
MUST_USE enum err config_read_token_key(const struct config *config, struct buf *out,
                                        char why[CONFIG_WHY_MAX]);

/* The key to this region's certificate, the same way. */
MUST_USE enum err config_read_link_key(const struct config *config, struct buf *out,
                                       char why[CONFIG_WHY_MAX]);

/* This region as it is configured, without its certificate; region_fini() it. For a configuration
 * with region.name. */
struct region config_region(const struct config *config);

/* Where the value of the setting called `key` comes from, as config_each() names it. */
const char *config_source(const struct config *config, const char *key);

/* Call `visit` for each setting: its key in the file ("delivery.timeout"), its value as text
 * (lists with commas, secrets as "(redacted)", "" when there is none), and its source: a flag,
 * a variable's name, "FILE:LINE" or "default". */
void config_each(const struct config *config,
                 void (*visit)(const char *key, const char *value, const char *source,
                               void *ctx),
                 void *ctx);

/* A value for the template; a list has commas. */
struct config_value {
    const char *key;
    const char *value;
};

/* Append the file that `posthaste init` writes: every setting, explained; those of `values` as
 * they say there, the others commented out at their defaults. */
MUST_USE enum err config_template(const struct config_value *values, size_t count,
                                  struct buf *out);

#endif

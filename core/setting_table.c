#include "core/count.h"
#include "core/setting.h"

#include <assert.h>

#define WEEK_S   (7 * 86400)
#define YEAR_H   (365 * 24)
#define DECADE_D 3650

static const char *const FORMATS[] = { "text", "json", NULL };
static const char *const LEVELS[] = { "debug", "info", "warn", "error", NULL };

static_assert(LOG_TEXT == 0 && LOG_JSON == 1, "FORMATS follows enum log_format");
static_assert(LOG_DEBUG == 0 && LOG_ERROR == 3, "LEVELS follows enum log_level");

const struct setting settings[] = {
    {
        .key = "listen",
        .flag = "--listen",
        .kind = SETTING_LISTEN,
        .offset = offsetof(struct config, listen),
        .fallback = "127.0.0.1:8071",
        .about = "Where the HTTP API listens: ADDRESS:PORT or [ADDRESS]:PORT; port 0 is\n"
                 "any free one.",
    },
    {
        .key = "data",
        .flag = "--data",
        .kind = SETTING_PATH,
        .offset = offsetof(struct config, data),
        .fallback = "data",
        .about = "The folder of the store; made if it is missing. One process at a time\n"
                 "may have it.",
    },
    {
        .key = "master_key_file",
        .kind = SETTING_PATH,
        .offset = offsetof(struct config, master_key_file),
        .fallback = "master.key",
        .about = "The file with the master key, readable by its owner only. Without this\n"
                 "setting it is $CREDENTIALS_DIRECTORY/master.key (systemd's\n"
                 "LoadCredential=), if there is one. POSTHASTE_MASTER_KEY may hold the key\n"
                 "itself instead.",
    },
    {
        .key = "token_key_file",
        .kind = SETTING_PATH,
        .offset = offsetof(struct config, token_key_file),
        .example = "token.key",
        .about = "The file with the key that signs tokens, readable by its owner only: the\n"
                 "same one in every region, so that one token serves in all. When not set\n"
                 "it is $CREDENTIALS_DIRECTORY/token.key, if there is one, or the key is\n"
                 "derived from the master key.",
    },
    {
        .key = "peers_dir",
        .kind = SETTING_PATH,
        .offset = offsetof(struct config, peers_dir),
        .fallback = "peers",
        .about = "The folder with the other regions' cards, NAME.yaml each; `posthaste\n"
                 "region add` puts them there.",
    },
    {
        .key = "region.name",
        .kind = SETTING_TEXT,
        .offset = offsetof(struct config, region.name),
        .example = "fra",
        .about = "This region's name: a letter, then a-z, 0-9 and '-', at most 16 in all.\n"
                 "Without it this region is alone, and nothing of this section holds.",
    },
    {
        .key = "region.ordinal",
        .kind = SETTING_NUMBER,
        .offset = offsetof(struct config, region.ordinal),
        .least = 1,
        .most = REGION_ORDINAL_MAX,
        .example = "1",
        .about = "Its number, 1 to 255, which no other region may have and which never\n"
                 "changes: every id made here holds it. The lowest one keeps the event\n"
                 "types.",
    },
    {
        .key = "region.jurisdictions",
        .kind = SETTING_TEXTS,
        .offset = offsetof(struct config, region.jurisdictions),
        .fallback = "",
        .example = "[eu]",
        .about = "The jurisdictions it lies in, at least one; names as a region's.",
    },
    {
        .key = "region.latitude",
        .kind = SETTING_DEGREES,
        .offset = offsetof(struct config, region.latitude),
        .most = 90,
        .example = "50.11",
        .about = "Where it is, degrees north, -90 to 90.",
    },
    {
        .key = "region.longitude",
        .kind = SETTING_DEGREES,
        .offset = offsetof(struct config, region.longitude),
        .most = 180,
        .example = "8.68",
        .about = "The same, degrees east, -180 to 180.",
    },
    {
        .key = "region.public_url",
        .kind = SETTING_TEXT,
        .offset = offsetof(struct config, region.public_url),
        .example = "https://fra.example.com",
        .about = "Where clients reach its API.",
    },
    {
        .key = "region.link_listen",
        .kind = SETTING_LISTEN,
        .offset = offsetof(struct config, region.link_listen),
        .example = "0.0.0.0:8443",
        .about = "Where it listens for the other regions; nowhere when not set.",
    },
    {
        .key = "region.link_url",
        .kind = SETTING_TEXT,
        .offset = offsetof(struct config, region.link_url),
        .example = "https://fra.example.com:8443",
        .about = "Where the other regions reach that.",
    },
    {
        .key = "region.certificate_file",
        .kind = SETTING_PATH,
        .offset = offsetof(struct config, region.certificate_file),
        .fallback = "link.crt",
        .about = "The certificate that it shows them, a PEM file; `posthaste region\n"
                 "certificate create` makes it.",
    },
    {
        .key = "region.key_file",
        .kind = SETTING_PATH,
        .offset = offsetof(struct config, region.key_file),
        .fallback = "link.key",
        .about = "The key to it, readable by its owner only.",
    },
    {
        .key = "log.format",
        .flag = "--log-format",
        .kind = SETTING_CHOICE,
        .offset = offsetof(struct config, log.format),
        .choices = FORMATS,
        .fallback = "text",
        .about = "text, or json: one object a line.",
    },
    {
        .key = "log.level",
        .flag = "--log-level",
        .kind = SETTING_CHOICE,
        .offset = offsetof(struct config, log.level),
        .choices = LEVELS,
        .fallback = "info",
        .about = "The least that is written: debug, info, warn or error.",
    },
    {
        .key = "delivery.timeout",
        .kind = SETTING_NUMBER,
        .offset = offsetof(struct config, delivery.timeout_s),
        .least = 1,
        .most = 30,
        .fallback = "30",
        .about = "Seconds that one attempt may take, 1 to 30.",
    },
    {
        .key = "delivery.retry_schedule",
        .flag = "--retry-schedule",
        .kind = SETTING_SCHEDULE,
        .most = WEEK_S,
        .fallback = "5,300,1800,7200,18000,36000,36000",
        .about = "Seconds before each retry, 0 to 604800, at most 32 of them; [] for no\n"
                 "retry.",
    },
    {
        .key = "delivery.disable_after",
        .kind = SETTING_NUMBER,
        .offset = offsetof(struct config, delivery.disable_after_h),
        .most = YEAR_H,
        .fallback = "120",
        .about = "Hours for which an endpoint's deliveries may run out of attempts, with no\n"
                 "success between, until it is disabled, 0 to 8760; 0: never.",
    },
    {
        .key = "delivery.in_flight",
        .kind = SETTING_NUMBER,
        .offset = offsetof(struct config, delivery.in_flight),
        .least = 1,
        .most = 65536,
        .fallback = "1024",
        .about = "Attempts under way at once, 1 to 65536.",
    },
    {
        .key = "delivery.in_flight_per_endpoint",
        .kind = SETTING_NUMBER,
        .offset = offsetof(struct config, delivery.in_flight_per_endpoint),
        .least = 1,
        .most = 65536,
        .fallback = "64",
        .about = "Of these, to one endpoint, 1 to 65536.",
    },
    {
        .key = "delivery.allow_subnets",
        .flag = "--allow-subnet",
        .kind = SETTING_TEXTS,
        .offset = offsetof(struct config, delivery.allow_subnets),
        .fallback = "",
        .example = "[10.0.0.0/8, \"fd00::/8\"]",
        .about = "Subnets, as CIDRs, that endpoints may be in although they aren't public;\n"
                 "none unless set.",
    },
    {
        .key = "delivery.ca_file",
        .kind = SETTING_PATH,
        .offset = offsetof(struct config, delivery.ca_file),
        .example = "/etc/ssl/certs/ca-certificates.crt",
        .about = "Certificate authorities to trust, a PEM file; the system's when not set.",
    },
    {
        .key = "delivery.name_servers",
        .kind = SETTING_TEXT,
        .offset = offsetof(struct config, delivery.name_servers),
        .example = "127.0.0.1:53,10.0.0.2:53",
        .about = "Name servers to ask, ADDRESS:PORT with commas; the system's when not\n"
                 "set.",
    },
    {
        .key = "retention.messages",
        .kind = SETTING_NUMBER,
        .offset = offsetof(struct config, retention.messages_d),
        .most = DECADE_D,
        .fallback = "90",
        .about = "Days for which a message stays, with its deliveries, attempts and tags, 0\n"
                 "to 3650; 0: for ever. Its payload goes when its sender said, after 90 days\n"
                 "at most.",
    },
    {
        .key = "retention.attempts",
        .kind = SETTING_NUMBER,
        .offset = offsetof(struct config, retention.attempts_d),
        .most = DECADE_D,
        .fallback = "90",
        .about = "Days for which an attempt stays, with what was answered, 0 to 3650; 0: as\n"
                 "long as its message, which it never outlives.",
    },
    {
        .key = "portal.url",
        .kind = SETTING_TEXT,
        .offset = offsetof(struct config, portal.url),
        .example = "https://portal.example.com/login",
        .about = "A page of yours for applications' users: the link that portal access\n"
                 "answers leads there, the token behind a '#'. When not set it leads to\n"
                 "region.public_url, or to where the API was asked.",
    },
    {
        .key = "limits.body",
        .kind = SETTING_NUMBER,
        .offset = offsetof(struct config, limits.body_len),
        .least = 1024,
        .most = 67108864,
        .fallback = "2097152",
        .about = "Bytes of one request's body, 1024 to 67108864; larger ones get a 413.",
    },
    {
        .key = "limits.connections",
        .kind = SETTING_NUMBER,
        .offset = offsetof(struct config, limits.connections),
        .least = 1,
        .most = 65536,
        .fallback = "4096",
        .about = "Connections to the API at once, 1 to 65536.",
    },
    {
        .key = "limits.connections_per_address",
        .kind = SETTING_NUMBER,
        .offset = offsetof(struct config, limits.connections_per_address),
        .least = 1,
        .most = 65536,
        .fallback = "1024",
        .about = "Of these, from one address, 1 to 65536.",
    },
    {
        .key = "limits.waiting_requests",
        .kind = SETTING_NUMBER,
        .offset = offsetof(struct config, limits.waiting_requests),
        .least = 1,
        .most = 1048576,
        .fallback = "8192",
        .about = "Requests that may wait for the store, 1 to 1048576; beyond it clients\n"
                 "get a 503.",
    },
};

const size_t setting_count = COUNT(settings);

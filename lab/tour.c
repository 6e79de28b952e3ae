#include "lab/tour.h"

#include "core/count.h"

#define ALL_DATA "fra/data iad/data sin/data gru/data"
#define SECRET   " --secret \"$(cat receivers.secret)\""

/* Of what is printed of an object, the lines that matter here. */
#define APP      " | grep -E '^(UID|JURISDICTION|HOME)'"
#define SENT     " | grep -E '^(STATUS|MS|REGION)'"
#define ENDPOINT " | grep -E '^(UID|URL|DISPATCH|PIN)'"

static const char *const places[] = { "fra", "iad", "sin", "gru" };

const struct act tour[] = {
    { .kind = ACT_STEP,
      .text = "1  Posted in Virginia, for a tenant whose data stays in Frankfurt" },
    { .kind = ACT_RUN,
      .text = "posthaste app create --config iad/posthaste.yaml --name Acme --uid acme "
              "--jurisdiction eu --home fra" APP,
      .wants = { "^HOME +fra$" } },
    { .kind = ACT_MEET, .text = "posthaste app get --config iad/posthaste.yaml acme" },
    { .kind = ACT_MEET, .text = "posthaste app get --config sin/posthaste.yaml acme" },
    { .kind = ACT_RUN,
      .text = "posthaste endpoint create --config iad/posthaste.yaml --app acme --uid books "
              "--to http://hooks.fra.lab:9000/" SECRET ENDPOINT,
      .wants = { "hooks\\.fra\\.lab" } },
    { .kind = ACT_RUN,
      .text =
          "posthaste send --config iad/posthaste.yaml --app acme order.paid --event-id order-1 "
          "-d '{\"bought\": \"a kettle\"}' --wait" SENT,
      .wants = { "^STATUS +success$", "^REGION +fra$" },
      .receiver = "fra" },

    { .kind = ACT_STEP, .text = "2  Read in Singapore, kept in Frankfurt alone" },
    { .kind = ACT_RUN,
      .text = "posthaste message get --config sin/posthaste.yaml --app acme order-1",
      .wants = { "a kettle" } },
    { .kind = ACT_RUN,
      .text = "posthaste attempt list --config sin/posthaste.yaml --app acme --message order-1",
      .wants = { " success +204 " } },
    { .kind = ACT_SAY, .text = "On whose disk does the kettle lie?" },
    { .kind = ACT_RUN,
      .text = "grep -rlF 'a kettle' " ALL_DATA,
      .wants = { "^fra/data/" },
      .lacks = "^(iad|sin|gru)/" },

    { .kind = ACT_STEP, .text = "3  A subscriber in São Paulo, served from there" },
    { .kind = ACT_SAY,
      .text = "The lab takes connections at once, so `auto` would measure no distance: this "
              "endpoint names the region.\nFrom Frankfurt the answer would take two round "
              "trips, 410 ms." },
    { .kind = ACT_RUN,
      .text = "posthaste app create --config fra/posthaste.yaml --name Globe --uid globe "
              "--jurisdiction world --home fra" APP,
      .wants = { "^JURISDICTION +world$" } },
    { .kind = ACT_RUN,
      .text = "posthaste endpoint create --config fra/posthaste.yaml --app globe --uid loja "
              "--to http://hooks.gru.lab:9000/ --dispatch pin --pin gru" SECRET ENDPOINT,
      .wants = { "hooks\\.gru\\.lab" } },
    { .kind = ACT_MEET,
      .text = "posthaste endpoint get --config gru/posthaste.yaml --app globe loja" },
    { .kind = ACT_RUN,
      .text = "posthaste send --config fra/posthaste.yaml --app globe order.paid "
              "--event-id order-2 -d '{\"bought\": \"two cups\"}' --wait" SENT,
      .wants = { "^STATUS +success$", "^REGION +gru$" },
      .receiver = "gru" },

    { .kind = ACT_STEP, .text = "4  Singapore is cut off; the others go on" },
    { .kind = ACT_RUN, .text = "posthaste lab cut sin{dir}", .wants = { "sin is cut off" } },
    { .kind = ACT_AWAIT,
      .text = "posthaste region status --config iad/posthaste.yaml",
      .wants = { "^sin +dead", "^fra +alive", "^gru +alive" } },
    { .kind = ACT_RUN,
      .text =
          "posthaste send --config gru/posthaste.yaml --app acme order.paid --event-id order-3 "
          "-d '{\"bought\": \"a spoon\"}' --wait" SENT,
      .wants = { "^STATUS +success$" },
      .receiver = "fra" },
    { .kind = ACT_SAY, .text = "Singapore still shows what it has a replica of:" },
    { .kind = ACT_RUN,
      .text = "posthaste endpoint get --config sin/posthaste.yaml --app acme books" ENDPOINT,
      .wants = { "hooks\\.fra\\.lab" } },
    { .kind = ACT_RUN, .text = "posthaste lab heal sin{dir}", .wants = { "sin is joined" } },
    { .kind = ACT_AWAIT,
      .text = "posthaste region status --config iad/posthaste.yaml",
      .wants = { "^sin +alive" } },

    { .kind = ACT_STEP, .text = "5  Frankfurt dies, and comes back" },
    { .kind = ACT_RUN, .text = "posthaste lab kill fra{dir}", .wants = { "fra is down" } },
    { .kind = ACT_AWAIT,
      .text = "posthaste region status --config iad/posthaste.yaml",
      .wants = { "^fra +dead", "^gru +alive", "^sin +alive" } },
    { .kind = ACT_SAY, .text = "Acme's data may be nowhere else, so its messages are held:" },
    { .kind = ACT_RUN,
      .text =
          "posthaste send --config iad/posthaste.yaml --app acme order.paid --event-id order-4 "
          "-d '{\"bought\": \"a pot\"}'",
      .exit = 1,
      .wants = { "home is down" } },
    { .kind = ACT_SAY, .text = "A tenant of Virginia's doesn't notice:" },
    { .kind = ACT_RUN,
      .text = "posthaste app create --config iad/posthaste.yaml --name Pine --uid pine "
              "--jurisdiction us --home iad" APP,
      .wants = { "^HOME +iad$" } },
    { .kind = ACT_RUN,
      .text = "posthaste endpoint create --config iad/posthaste.yaml --app pine --uid store "
              "--to http://hooks.iad.lab:9000/" SECRET ENDPOINT,
      .wants = { "hooks\\.iad\\.lab" } },
    { .kind = ACT_RUN,
      .text = "posthaste send --config iad/posthaste.yaml --app pine order.paid "
              "-d '{\"bought\": \"a tray\"}' --wait" SENT,
      .wants = { "^STATUS +success$" },
      .receiver = "iad" },
    { .kind = ACT_RUN, .text = "posthaste lab start fra{dir}", .wants = { "fra serves" } },
    { .kind = ACT_AWAIT,
      .text = "posthaste region status --config iad/posthaste.yaml",
      .wants = { "^fra +alive" } },
    { .kind = ACT_MEET,
      .text = "posthaste region status --config sin/posthaste.yaml",
      .wants = { "^fra +alive" } },
    { .kind = ACT_RUN,
      .text =
          "posthaste send --config iad/posthaste.yaml --app acme order.paid --event-id order-4 "
          "-d '{\"bought\": \"a pot\"}' --wait" SENT,
      .wants = { "^STATUS +success$" },
      .receiver = "fra" },
    { .kind = ACT_RUN,
      .text = "posthaste message list --config sin/posthaste.yaml --app acme",
      .wants = { "order-1", "order-3", "order-4" } },
};

const size_t tour_count = COUNT(tour);

bool tour_fits(const struct plan *plan)
{
    for (size_t i = 0; i < COUNT(places); i++)
        if (plan_find(plan, places[i]) == plan->count)
            return false;
    return true;
}

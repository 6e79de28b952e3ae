#include "cli/commands.h"

#include "core/count.h"

static const struct command *const tables[] = {
    init_commands,       serve_commands,
    config_commands,     token_commands,
    key_commands,        app_commands,
    event_type_commands, endpoint_commands,
    example_commands,    operational_endpoint_commands,
    send_commands,       message_commands,
    attempt_commands,    replay_commands,
    status_commands,     replication_commands,
    region_commands,     route_commands,
    sign_commands,       listen_commands,
    lab_commands,        openapi_commands,
    completion_commands, version_commands,
};

const struct command *commands_next(struct command_walk *walk)
{
    for (; walk->table < COUNT(tables); walk->table++, walk->row = 0) {
        const struct command *at = &tables[walk->table][walk->row];

        if (at->path) {
            walk->row++;
            return at;
        }
    }
    return NULL;
}

/* Replication: how far one region has applied the others' configuration. */
#include "cli/command.h"
#include "cli/request.h"

#define URL "/api/v1/replication"

static const struct column columns[] = {
    { "REGION", "region" },
    { "ORDINAL", "ordinal" },
    { "SEQ", "seq" },
    { "MADE", "madeAt" },
    { "APPLIED", "appliedAt" },
    { "ADOPTING", "adopting" },
    { "QUARANTINED", "quarantined" },
    { "DIGEST", "digest" },
    { NULL, NULL },
};

static const struct column conflict_columns[] = {
    { "KIND", "kind" },      { "NAME", "name" },       { "ID", "id" }, { "REGION", "region" },
    { "HELD BY", "heldBy" }, { "IN", "heldByRegion" }, { NULL, NULL },
};

static const struct column digest_columns[] = {
    { "REGION", "region" }, { "SEQ", "seq" }, { "OBJECTS", "objects" },
    { "DIGEST", "digest" }, { NULL, NULL },
};

const struct command replication_commands[] = {
    { .path = "replication status",
      .arguments = "",
      .summary = "show how far each region's changes are in the one that is asked",
      .example = "posthaste replication status",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL,
      .columns = columns,
      .is_list = true },
    { .path = "replication conflicts",
      .arguments = "",
      .summary = "list what has the name of something older, made in another region",
      .example = "posthaste replication conflicts",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL "/conflicts",
      .columns = conflict_columns,
      .is_list = true },
    { .path = "replication digest",
      .arguments = "REGION",
      .summary = "show the digest of a region's objects; at one SEQ it is the same everywhere",
      .example = "posthaste replication digest fra",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL "/{1}/digest",
      .columns = digest_columns },
    { .path = "replication reseed",
      .arguments = "REGION",
      .summary = "fetch all of a region's objects anew, in place of what is here",
      .example = "posthaste replication reseed fra",
      .groups = { &server_group },
      .run = request_run,
      .method = "POST",
      .url = URL "/{1}/reseed" },
    { .path = NULL },
};

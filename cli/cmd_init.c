/* Init: a new region's configuration and master key. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/file.h"
#include "cli/say.h"
#include "core/config.h"
#include "signer/keyring.h"

static enum cli_exit run_init(const struct line *line);

const struct command init_commands[] = {
    { .path = "init",
      .arguments = "DIR",
      .summary = "write DIR/posthaste.yaml and DIR/master.key; never overwrites",
      .groups = { NULL },
      .run = run_init },
    { .path = NULL },
};

static enum err create_config(const char *path)
{
    struct buf text = BUF_INIT(CONFIG_FILE_MAX);
    enum err err = config_template(NULL, 0, &text);

    if (!err)
        err = file_create(path, 0644, buf_text(&text));
    buf_fini(&text);
    return err;
}

static enum err create_key(const char *path)
{
    char text[MASTER_KEY_TEXT_MAX + 1];

    keyring_generate(text);
    text[strlen(text) + 1] = '\0';
    text[strlen(text)] = '\n';
    enum err err = file_create(path, 0600, text);
    explicit_bzero(text, sizeof text);
    return err;
}

static enum cli_exit run_init(const struct line *line)
{
    const char *dir = line_argument(line, 0);

    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        say("%s: %s", dir, strerror(errno));
        return CLI_FAILED;
    }
    char config[PATH_MAX], key[PATH_MAX];
    if (snprintf(config, sizeof config, "%s/posthaste.yaml", dir) >= (int)sizeof config ||
        snprintf(key, sizeof key, "%s/master.key", dir) >= (int)sizeof key) {
        say("%s: too long a path", dir);
        return CLI_FAILED;
    }
    if (create_config(config) != ERR_OK)
        return CLI_FAILED;
    if (create_key(key) != ERR_OK) {
        unlink(config);
        return CLI_FAILED;
    }
    printf("%s\n%s\n", config, key);
    return CLI_OK;
}

#include "core/config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/explain.h"
#include "core/file.h"

#define KEY_FILE_MAX 4096 /* bytes; a master key has 50 */
#define CREDENTIALS  "CREDENTIALS_DIRECTORY"
#define NEWER_FIRST  2 /* the number of the first newer master key's file */
#define NEWER_LAST   99

/* `what` is wrong with the file that `key` names. */
static enum err refuse(const struct config *config, const char *key, const char *path,
                       enum err err, const char *what, char why[CONFIG_WHY_MAX])
{
    explain(why, CONFIG_WHY_MAX, "%s: %s: %s: %s", config_source(config, key), key, path, what);
    return err;
}

static enum err read_key(const struct config *config, const char *key, const char *path,
                         struct buf *out, char why[CONFIG_WHY_MAX])
{
    bool is_credential = strcmp(config_source(config, key), CREDENTIALS) == 0;
    struct buf text = BUF_INIT(KEY_FILE_MAX);
    mode_t mode = 0;

    enum err err = file_read_all(path, &text, &mode);
    if (err)
        refuse(config, key, path, err, err_text(err), why);
    else if (S_ISREG(mode) && (mode & (S_IRWXG | S_IRWXO)) && !is_credential)
        err = refuse(config, key, path, ERR_DENIED,
                     "others than its owner have access; chmod 600 it", why);
    else
        err = buf_append(out, text.bytes, text.len);
    if (text.bytes)
        explicit_bzero(text.bytes, text.len);
    buf_fini(&text);
    return err;
}

enum err config_read_master_key(const struct config *config, struct buf *out,
                                char why[CONFIG_WHY_MAX])
{
    if (!config->master_key)
        return read_key(config, "master_key_file", config->master_key_file, out, why);
    enum err err = buf_append_text(out, config->master_key);
    if (err)
        explain(why, CONFIG_WHY_MAX, "%s: %s", config_master_key_source(config), err_text(err));
    return err;
}

/* False: no path is that long. */
static bool newer_path(const struct config *config, unsigned number, char out[PATH_MAX])
{
    return snprintf(out, PATH_MAX, "%s.%u", config->master_key_file, number) < PATH_MAX;
}

/* Of the newest that is there; one below the first when none is. */
static unsigned newest_number(const struct config *config)
{
    char path[PATH_MAX];

    for (unsigned number = NEWER_LAST; number >= NEWER_FIRST; number--)
        if (newer_path(config, number, path) && access(path, F_OK) == 0)
            return number;
    return NEWER_FIRST - 1;
}

void config_newer_master_keys(const struct config *config, struct text_list *out)
{
    unsigned newest = config->master_key ? 0 : newest_number(config);
    char path[PATH_MAX];

    for (unsigned number = NEWER_FIRST; number <= newest; number++)
        if (newer_path(config, number, path) && access(path, F_OK) == 0)
            text_list_add(out, path, strlen(path));
}

enum err config_read_newer_master_key(const struct config *config, const char *path,
                                      struct buf *out, char why[CONFIG_WHY_MAX])
{
    return read_key(config, "master_key_file", path, out, why);
}

enum err config_next_master_key(const struct config *config, char out[PATH_MAX],
                                char why[CONFIG_WHY_MAX])
{
    const char *source = config_source(config, "master_key_file");
    unsigned number;

    if (config->master_key || strcmp(source, CREDENTIALS) == 0) {
        explain(why, CONFIG_WHY_MAX,
                "%s: nothing can be put beside a master key that is given this way",
                config->master_key ? config_master_key_source(config) : source);
        return ERR_DENIED;
    }
    number = newest_number(config) + 1;
    if (number <= NEWER_LAST && newer_path(config, number, out))
        return ERR_OK;
    explain(why, CONFIG_WHY_MAX, "%s: no number is left for a newer one",
            config->master_key_file);
    return ERR_LIMIT;
}

enum err config_read_token_key(const struct config *config, struct buf *out,
                               char why[CONFIG_WHY_MAX])
{
    return read_key(config, "token_key_file", config->token_key_file, out, why);
}

enum err config_read_link_key(const struct config *config, struct buf *out,
                              char why[CONFIG_WHY_MAX])
{
    return read_key(config, "region.key_file", config->region.key_file, out, why);
}

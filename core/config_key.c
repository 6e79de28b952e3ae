#include "core/config.h"

#include <string.h>
#include <sys/stat.h>

#include "core/explain.h"
#include "core/file.h"

#define KEY_FILE_MAX 4096 /* bytes; a master key has 50 */
#define CREDENTIALS  "CREDENTIALS_DIRECTORY"

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

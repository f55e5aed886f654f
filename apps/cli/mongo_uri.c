/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/mongo_uri.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/error.h"
#include "cli/output.h"
#include "cli/wipe.h"

/* The password in a URI: behind the first colon of what stands before the last @. False
 * if there is none. */
static bool find_password(char *uri, char **out, size_t *out_len)
{
    char *scheme = strstr(uri, "://");
    char *end = strrchr(uri, '@');
    char *colon = scheme ? strchr(scheme + 3, ':') : NULL;

    if (!colon || !end || colon > end) {
        return false;
    }
    *out = colon + 1;
    *out_len = (size_t)(end - colon - 1);
    return *out_len > 0;
}

static liana_status take(struct cli_mongo_uri *out,
                         const char *text,
                         const char *where,
                         struct liana_error *err)
{
    size_t len = strlen(text);

    if (len == 0) {
        return cli_err(err, LIANA_EINVAL, "%s: there is no MongoDB URI", where);
    }
    if (len >= sizeof(out->text)) {
        return cli_err(err, LIANA_EINVAL, "%s: the MongoDB URI is too long", where);
    }
    memcpy(out->text, text, len + 1);
    return LIANA_OK;
}

/* The words of a command are the process's own memory, which the system shows to others. */
static liana_status take_word(struct cli *cli,
                              const char *word,
                              struct cli_mongo_uri *out,
                              struct liana_error *err)
{
    liana_status status = take(out, word, "the command line", err);
    char *password;
    size_t len;

    if (!status && find_password((char *)(uintptr_t)word, &password, &len)) {
        memset(password, '*', len);
        cli_note(cli, "a password in the command line is for everybody to see: "
                      "--mongo-file=FILE, or $MONGODB_URI");
    }
    return status;
}

static liana_status read_line(FILE *file,
                              const char *path,
                              struct cli_mongo_uri *out,
                              struct liana_error *err)
{
    struct stat info;
    char *password;
    size_t len;

    if (!fgets(out->text, sizeof(out->text), file)) {
        return ferror(file)
                   ? cli_err(err, LIANA_EIO, "%s: %s", path, strerror(errno))
                   : cli_err(err, LIANA_EINVAL, "%s: there is no MongoDB URI", path);
    }
    len = strcspn(out->text, "\r\n");
    if (out->text[len] == '\0' && len + 1 == sizeof(out->text)) {
        return cli_err(err, LIANA_EINVAL, "%s: the MongoDB URI is too long", path);
    }
    out->text[len] = '\0';
    if (len == 0) {
        return cli_err(err, LIANA_EINVAL, "%s: there is no MongoDB URI", path);
    }
    if (find_password(out->text, &password, &len) && fstat(fileno(file), &info) == 0 &&
        (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return cli_err(err, LIANA_EINSECURE,
                       "%s: others may read the password in it: chmod 600", path);
    }
    return LIANA_OK;
}

static liana_status take_file(const char *path,
                              struct cli_mongo_uri *out,
                              struct liana_error *err)
{
    FILE *file = fopen(path, "re");
    liana_status status;

    if (!file) {
        return cli_err(err, errno == ENOENT ? LIANA_ENOTFOUND : LIANA_EIO, "%s: %s",
                       path, strerror(errno));
    }
    /* A buffer would keep the password. */
    status = setvbuf(file, NULL, _IONBF, 0) == 0
                 ? read_line(file, path, out, err)
                 : cli_err(err, LIANA_EIO, "%s: it cannot be read unbuffered", path);
    if (fclose(file) != 0 && !status) {
        status = cli_err(err, LIANA_EIO, "%s: %s", path, strerror(errno));
    }
    return status;
}

liana_status cli_mongo_uri(struct cli *cli,
                           const struct cli_args *args,
                           const char *given,
                           bool from_env,
                           struct cli_mongo_uri *out,
                           struct liana_error *err)
{
    const char *path = cli_text(args, "mongo-file");
    const char *inherited = from_env ? getenv("MONGODB_URI") : NULL;
    liana_status status = LIANA_OK;

    out->text[0] = '\0';
    if (given && path) {
        return cli_err(err, LIANA_EINVAL, "a URI or --mongo-file, not both");
    }
    if (given) {
        status = take_word(cli, given, out, err);
    } else if (path) {
        status = take_file(path, out, err);
    } else if (inherited && *inherited) {
        status = take(out, inherited, "$MONGODB_URI", err);
    }
    if (status) {
        cli_mongo_uri_wipe(out);
    }
    return status;
}

void cli_mongo_uri_wipe(struct cli_mongo_uri *uri)
{
    cli_wipe(uri, sizeof(*uri));
}

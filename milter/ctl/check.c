/*
 * check.c - contactctl check: one line for each thing that can be wrong
 */
#include <sys/types.h>

#include <arpa/nameser.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <resolv.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "crm/sync.h"
#include "ctl/check_mta.h"
#include "ctl/ctl.h"
#include "ctl/table.h"

enum { TOKEN_KEY_MIN = 16 };

typedef struct {
    bool json;
    bool failed;
} Check;

static void
check_report(bool ok, const char *line, void *data)
{
    Check *check = data;
    check->failed |= !ok;
    if (check->json) {
        ctl_json(json_pack("{s:b, s:s}", "ok", ok, "check", line));
        return;
    }
    printf("%s%-4s%s %s\n", style_on(stdout, ok ? STYLE_GOOD : STYLE_BAD),
           ok ? "ok" : "FAIL", style_off(stdout), line);
}

static void
check_problem(const char *problem, void *data)
{
    check_report(false, problem, data);
}

static void
check_store(const Settings *settings, Check *check)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Store) store =
        store_open(settings->store.uri, g_get_host_name(), &error);
    StoreStatus status;
    if (store == NULL || !store_status(store, &status, &error)) {
        g_autofree char *line = g_strdup_printf("store: %s", error->message);
        check_report(false, line, check);
    } else {
        g_autofree char *line =
            g_strdup_printf("store: %" G_GINT64_FORMAT " contacts, %" //
                            G_GINT64_FORMAT " pending",
                            status.contacts, status.pending);
        check_report(true, line, check);
    }

    g_autoptr(GError) spool_error = NULL;
    g_autofree char *notice = NULL;
    g_autoptr(Spool) spool =
        spool_open(settings->store.spool, &notice, &spool_error);
    ctl_give_databases(settings);
    g_autofree char *line =
        spool == NULL    ? g_strdup_printf("spool: %s", spool_error->message)
        : notice != NULL ? g_strdup_printf("spool: %s", notice)
                         : g_strdup_printf("spool: %s", settings->store.spool);
    check_report(spool != NULL && notice == NULL, line, check);
}

/* May this user do what `bit` says (4: read, 1: enter)? */
static bool
permits(const struct stat *info, const struct passwd *user, unsigned bit)
{
    gid_t groups[256];
    int n = G_N_ELEMENTS(groups);
    bool member = info->st_gid == user->pw_gid;
    if (getgrouplist(user->pw_name, user->pw_gid, groups, &n) >= 0) {
        for (int i = 0; i < n; i++)
            member = member || groups[i] == info->st_gid;
    }
    unsigned shift = info->st_uid == user->pw_uid ? 6 : member ? 3 : 0;
    return (info->st_mode >> shift & bit) != 0;
}

/* What keeps the user from reading the file: the file or a folder above it;
 * NULL: nothing. */
static char *
find_barrier(const char *path, const struct passwd *user)
{
    struct stat info;
    g_autofree char *folder = g_path_get_dirname(path);
    for (;;) {
        if (stat(folder, &info) == 0 && !permits(&info, user, 1))
            return g_steal_pointer(&folder);
        char *above = g_path_get_dirname(folder);
        bool top = strcmp(above, folder) == 0;
        g_free(folder);
        folder = above;
        if (top)
            break;
    }
    if (stat(path, &info) == 0 && !permits(&info, user, 4))
        return g_strdup(path);
    return NULL;
}

/* Can the daemon read what root can? Its user is whom the spool's folder
 * belongs to. */
static void
check_readable(const Settings *settings, const char *config, Check *check)
{
    const struct {
        const char *name, *path;
        bool secret; /* read by nobody else: the daemon's user must own it */
        const char *more;
    } files[] = {
        { "configuration", config, false, "" },
        { "[api] secret_file", settings->api.secret_file, true,
          ", or leave secret_file out: systemd hands over "
          "/etc/contact-milter/api-secret" },
        { "[api] ca_file", settings->api.ca_file, false, "" },
        { "[unsubscribe] phrases_file", settings->unsubscribe.phrases_file,
          false, "" },
        { "[unsubscribe] token_secret_file",
          settings->unsubscribe.token_secret_file, true, "" },
    };
    g_autofree char *home = g_path_get_dirname(settings->store.spool);
    struct stat daemon;
    if (geteuid() != 0 || stat(home, &daemon) != 0 || daemon.st_uid == 0)
        return;
    const struct passwd *user = getpwuid(daemon.st_uid);
    const struct group *group = getgrgid(user != NULL ? user->pw_gid : 0);
    if (user == NULL)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *barrier =
            files[i].path != NULL ? find_barrier(files[i].path, user) : NULL;
        if (barrier == NULL)
            continue;
        g_autofree char *command =
            strcmp(barrier, files[i].path) != 0
                ? g_strdup_printf("chmod o+x %s", barrier)
            : files[i].secret
                ? g_strdup_printf("chown %s %s", user->pw_name, barrier)
                : g_strdup_printf("chgrp %s %s && chmod g+r %s",
                                  group != NULL ? group->gr_name : "GROUP",
                                  barrier, barrier);
        g_autofree char *line = g_strdup_printf(
            "%s: %s cannot be read by the daemon's user %s; `%s`%s",
            files[i].name, files[i].path, user->pw_name, command,
            files[i].more);
        check_report(false, line, check);
    }
}

/* A short key can be guessed from one address that it signed. */
static void
check_token_key(const Settings *settings, Check *check)
{
    const char *path = settings->unsubscribe.token_secret_file;
    const char *key = settings->unsubscribe.token_secret;
    if (key == NULL || strlen(key) >= TOKEN_KEY_MIN)
        return;
    g_autofree char *line = g_strdup_printf(
        "[unsubscribe] token_secret_file: the key in %s has %zu bytes, which "
        "can be guessed; `openssl rand -hex 32 > %s` (addresses signed before "
        "are no longer valid then)",
        path, strlen(key), path);
    check_report(false, line, check);
}

/* Who holds the lock beside the spool; 0: nobody. */
static guint64
lock_holder(const char *spool, const char *part)
{
    g_autofree char *path = g_strdup_printf("%s.%s.lock", spool, part);
    g_autofree char *locks = NULL;
    struct stat info;
    if (stat(path, &info) != 0 ||
        !g_file_get_contents("/proc/locks", &locks, NULL, NULL))
        return 0;
    g_autofree char *inode = g_strdup_printf(":%lu ", info.st_ino);
    g_auto(GStrv) lines = g_strsplit(locks, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        /* "1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF" */
        const char *pid = strstr(*line, " WRITE ");
        if (pid != NULL && strstr(*line, inode) != NULL)
            return g_ascii_strtoull(pid + strlen(" WRITE "), NULL, 10);
    }
    return 0;
}

static void
check_running(const Settings *settings, Check *check)
{
    static const struct {
        const char *part, *label, *unit;
    } roles[] = {
        { "mta", "milter", "contact-milter" },
        { "sync", "sync", "contact-sync" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(roles); i++) {
        guint64 pid = lock_holder(settings->store.spool, roles[i].part);
        g_autofree char *line =
            pid != 0
                ? g_strdup_printf("%s: running, process %" G_GUINT64_FORMAT,
                                  roles[i].label, pid)
                : g_strdup_printf("%s: not running; `systemctl start %s`, and "
                                  "`journalctl -u %s` if it does not stay",
                                  roles[i].label, roles[i].unit, roles[i].unit);
        check_report(pid != 0, line, check);
    }
}

/* Settings that are valid one by one, and useless together. */
static void
check_trust(const Settings *settings, Check *check)
{
    bool any_source = settings->trust.spf || settings->trust.authserv_ids[0];
    if (settings->trust.contact == TRUST_PASS && !any_source)
        check_report(false,
                     "trust: no mail can pass: set authserv_ids to the host "
                     "that writes Authentication-Results, or spf = yes",
                     check);
    else
        check_report(true,
                     settings->trust.authserv_ids[0]
                         ? "trust: Authentication-Results are believed"
                         : "trust: SPF only (no authserv_ids)",
                     check);
    if (!settings->trust.spf)
        return;
    unsigned char answer[NS_PACKETSZ];
    struct __res_state state = { 0 };
    g_autofree char *line = NULL;
    bool ok = false;
    if (res_ninit(&state) == 0) {
        state.retrans = 2;
        state.retry = 1;
        const char *domain = settings->mta.local_domains[0];
        ok = res_nquery(&state, domain, ns_c_in, ns_t_txt, answer,
                        sizeof answer) >= 0 ||
             state.res_h_errno == HOST_NOT_FOUND ||
             state.res_h_errno == NO_DATA;
        line = ok ? g_strdup_printf("SPF resolver: answers for %s", domain)
                  : g_strdup_printf("SPF resolver: no answer for %s; see "
                                    "/etc/resolv.conf, or set spf = no",
                                    domain);
        res_nclose(&state);
    }
    check_report(ok, line ? line : "SPF resolver: /etc/resolv.conf is faulty",
                 check);
}

int
ctl_check(Ctl *ctl, int argc, char **argv)
{
    gboolean json = FALSE;
    int status;
    const GOptionEntry entries[] = { CTL_JSON_OPTION(&json),
                                     G_OPTION_ENTRY_NULL };
    if (!ctl_options(entries, "- is everything as it should be?", &argc, &argv,
                     &status))
        return status;
    Check check = { .json = json };
    const char *path = ctl->config ? ctl->config : CTL_CONFIG;
    g_autoptr(Settings) settings =
        settings_load(path, ROLE_ALL, check_problem, &check);
    if (settings == NULL)
        return 1;
    g_autofree char *line = g_strdup_printf("configuration: %s", path);
    check_report(true, line, &check);
    check_readable(settings, path, &check);
    check_token_key(settings, &check);
    check_trust(settings, &check);
    check_store(settings, &check);
    check_running(settings, &check);
    check_socket(settings, check_report, &check);
    check_mail_server(settings, check_report, &check);
    (void) sync_check(settings, check_report, &check);
    return check.failed ? 1 : 0;
}

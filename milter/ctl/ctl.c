/*
 * ctl.c - see ctl.h
 */
#include "ctl/ctl.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

void
ctl_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    (void) fflush(stdout);
    fprintf(stderr, "contactctl: %s\n", text);
}

bool
ctl_is_address(const char *text)
{
    const char *at = strrchr(text, '@');
    return at != NULL && at != text && at[1] != '\0' &&
           strpbrk(text, " \t\r\n<>") == NULL;
}

void
ctl_json(json_t *object)
{
    if (object == NULL)
        return; /* not UTF-8: what the store holds is */
    (void) json_dumpf(object, stdout, JSON_COMPACT);
    (void) putchar('\n');
    json_decref(object);
}

bool
ctl_options(const GOptionEntry *entries, const char *summary, int *argc,
            char ***argv, int *out_status)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(summary);
    g_autofree char *name = g_strdup_printf("contactctl %s", (*argv)[0]);
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_help_enabled(context, FALSE);
    g_set_prgname(name);
    for (int i = 1; i < *argc && strcmp((*argv)[i], "--") != 0; i++) {
        if (strcmp((*argv)[i], "--help") == 0 ||
            strcmp((*argv)[i], "-h") == 0) {
            g_autofree char *help =
                g_option_context_get_help(context, TRUE, NULL);
            fputs(help, stdout);
            *out_status = 0;
            return false;
        }
    }
    if (!g_option_context_parse(context, argc, argv, &error)) {
        ctl_error("%s; see %s --help", error->message, name);
        *out_status = EX_USAGE;
        return false;
    }
    if (*argc > 1 && strcmp((*argv)[1], "--") == 0) {
        (*argv)[1] = (*argv)[0];
        (*argv)++;
        (*argc)--;
    }
    return true;
}

static void
print_problem(const char *problem, void *data)
{
    (void) data;
    fprintf(stderr, "%s\n", problem);
}

Settings *
ctl_settings(const Ctl *ctl, Role role)
{
    return settings_load(ctl->config ? ctl->config : CTL_CONFIG, role,
                         print_problem, NULL);
}

/* A database that root made belongs to whom its folder belongs: else the
 * daemon, which runs as another user, could not write to it. (The files beside
 * a database get its owner from SQLite.) */
static void
give_to_folder_owner(const char *path)
{
    struct stat folder_is;
    g_autofree char *folder = g_path_get_dirname(path);
    if (geteuid() != 0 || stat(folder, &folder_is) != 0 ||
        folder_is.st_uid == 0)
        return;
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *name = g_strconcat(path, suffixes[i], NULL);
        int fd = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        struct stat is;
        if (fd < 0)
            continue;
        /* Never somebody else's file that was linked into the folder. */
        if (fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && is.st_nlink == 1 &&
            is.st_uid == 0 &&
            fchown(fd, folder_is.st_uid, folder_is.st_gid) != 0)
            ctl_error("%s: cannot give it to the owner of %s", name, folder);
        (void) close(fd);
    }
}

const char *
ctl_sqlite_path(const char *uri)
{
    static const char scheme[] = "sqlite:";
    return g_str_has_prefix(uri, scheme) ? uri + strlen(scheme) : NULL;
}

void
ctl_give_databases(const Settings *settings)
{
    const char *path = ctl_sqlite_path(settings->store.uri);
    give_to_folder_owner(settings->store.spool);
    if (path != NULL)
        give_to_folder_owner(path);
}

Store *
ctl_store(const Settings *settings)
{
    g_autoptr(GError) error = NULL;
    Store *store = store_open(settings->store.uri, g_get_host_name(), &error);
    ctl_give_databases(settings);
    if (store == NULL)
        ctl_error("store: %s",
                  error->message); /* the URI may hold a password */
    return store;
}

Spool *
ctl_spool(const Settings *settings)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *notice = NULL;
    Spool *spool = spool_open(settings->store.spool, &notice, &error);
    ctl_give_databases(settings);
    if (spool == NULL)
        ctl_error("%s: %s", settings->store.spool, error->message);
    if (notice != NULL)
        ctl_error("%s", notice);
    return spool;
}

void
ctl_analyzer_options(const Settings *settings, AnalyzerOptions *out)
{
    *out = (AnalyzerOptions){
        .local_domains = (const char *const *) settings->mta.local_domains,
        .default_country = settings->contact.default_country,
        .languages = (const char *const *) settings->unsubscribe.languages,
        .phrases_file = settings->unsubscribe.phrases_file,
        .unsubscribe_addresses =
            (const char *const *) settings->unsubscribe.addresses,
        .unsubscribe_key = settings->unsubscribe.token_secret,
        .unsubscribe_key_len = settings->unsubscribe.token_secret != NULL
                                   ? strlen(settings->unsubscribe.token_secret)
                                   : 0,
    };
}

void
ctl_observe_policy(const Settings *settings, ObservePolicy *out)
{
    *out = (ObservePolicy){
        .local_domains = (const char *const *) settings->mta.local_domains,
        .recipients = (const char *const *) settings->mta.recipients,
        .ignore_senders = (const char *const *) settings->mta.ignore_senders,
        .record_sent = settings->bounce.evidence == EVIDENCE_SENT,
    };
}

Analyzer *
ctl_analyzer(const Settings *settings)
{
    AnalyzerOptions options;
    g_autoptr(GError) error = NULL;
    ctl_analyzer_options(settings, &options);
    Analyzer *analyzer = analyzer_new(&options, &error);
    if (analyzer == NULL)
        ctl_error("%s", error->message);
    return analyzer;
}

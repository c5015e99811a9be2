/*
 * main.c - the daemon: wires the stages together
 *
 * Roles       all   milter, spool, judge, sync in one process
 *             mta   milter and spool: hostile mail, no network, no secret
 *             sync  judge and sync: the secret, and never a mail
 * Threads     the main thread only waits for signals; libmilter, the judge,
 *             the sync, the spool's writer and the metrics page have their own.
 * Signals     TERM INT HUP  stop at once; what is spooled stays spooled
 *             USR2          stop listening, let sessions finish, then stop
 *             USR1          read the configuration again
 *
 * libmilter has a thread that waits for TERM, INT and HUP, too. The kernel
 * gives a signal to the main thread first if that waits for it, so the main
 * thread does nothing else; when libmilter gets one nevertheless, filter_run()
 * returns, and the thread that called it sends us TERM.
 */
#include "backend.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/settings.h"
#include "mta/filter.h"
#include "pages.h"
#include "store/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* How long SIGUSR2 lets sessions finish, and how long a stop waits for the
 * judge and the call in flight. */
enum { DRAIN_MS = 5000, STOP_MS = 5000, SAMPLE_S = 60 };

#define DEFAULT_CONFIG SYSCONFDIR "/contact-milter/contact-milter.conf"

typedef struct {
    char *config;
    bool check, verbose, allow_root;
    Role role;
} Arguments;

typedef struct {
    Arguments arguments;
    Settings *settings;
    int mta_lock, sync_lock; /* descriptors, -1: not held */
    Spool *spool;
    Backend *backend; /* NULL in the mta role */
    Pages *pages;     /* NULL: no [metrics] listen */
    pthread_t main_thread, filter_thread;
    bool filter_started;
    Ruleset *ruleset; /* until the filter takes it over */
    int exit_code;    /* set by the filter's thread before it ends */
} Daemon;

/* --- command line -------------------------------------------------------- */

static gboolean
print_version(const char *option G_GNUC_UNUSED, const char *value G_GNUC_UNUSED,
              gpointer data G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    printf("%s\n", PACKAGE_STRING);
    exit(EX_OK);
}

static gboolean
print_help_config(const char *option G_GNUC_UNUSED,
                  const char *value G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED,
                  GError **error G_GNUC_UNUSED)
{
    settings_print_help(stdout);
    exit(EX_OK);
}

static void
parse_arguments(int argc, char **argv, Arguments *out_arguments)
{
    gboolean check = FALSE, verbose = FALSE, allow_root = FALSE;
    g_autofree char *config = NULL;
    g_autofree char *role = NULL;
    const GOptionEntry entries[] = {
        { "config", 'c', 0, G_OPTION_ARG_FILENAME, &config,
          "Configuration file (default: " DEFAULT_CONFIG ")", "FILE" },
        { "check", 'n', 0, G_OPTION_ARG_NONE, &check,
          "Check the configuration, say what is wrong, and exit", NULL },
        { "verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose,
          "Log everything, and to standard error", NULL },
        { "role", 0, 0, G_OPTION_ARG_STRING, &role,
          "all: everything in one process (default); mta: only the milter; "
          "sync: only what talks to the CRM",
          "ROLE" },
        { "allow-root", 0, 0, G_OPTION_ARG_NONE, &allow_root,
          "Run even as root", NULL },
        { "help-config", 0, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK,
          print_help_config, "List the configuration options, and exit", NULL },
        { "version", 0, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK,
          print_version, "Print the version, and exit", NULL },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };

    GOptionContext *context = g_option_context_new(NULL);
    g_option_context_set_summary(
        context, "A milter that keeps the contacts of a CRM up to date from "
                 "the mail that passes by.");
    g_option_context_add_main_entries(context, entries, NULL);
    g_autoptr(GError) error = NULL;
    bool parsed = g_option_context_parse(context, &argc, &argv, &error);
    g_option_context_free(context);

    Role chosen = ROLE_ALL;
    if (parsed && argc > 1)
        g_set_error(&error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "unexpected argument \"%s\"", argv[1]);
    else if (parsed && role != NULL &&
             (!role_from_name(role, &chosen) || chosen == ROLE_TOOL))
        g_set_error(&error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--role %s: must be all, mta or sync", role);
    if (error != NULL) {
        fprintf(stderr, "contact-milter: %s (try --help)\n", error->message);
        exit(EX_USAGE);
    }
    *out_arguments = (Arguments){
        .config = config != NULL ? g_steal_pointer(&config)
                                 : g_strdup(DEFAULT_CONFIG),
        .check = check,
        .verbose = verbose,
        .allow_root = allow_root,
        .role = chosen,
    };
}

/* --- settings ------------------------------------------------------------ */

static void
report_to_stderr(const char *problem, void *data G_GNUC_UNUSED)
{
    fprintf(stderr, "%s\n", problem);
}

static void
report_to_log(const char *problem, void *data G_GNUC_UNUSED)
{
    log_error("%s", problem);
}

/* Settings and ruleset, or neither; the sync role reads no mail and has no
 * ruleset. */
static bool
load(const Arguments *arguments, SettingsReport report, Settings **out_settings,
     Ruleset **out_ruleset)
{
    g_autoptr(Settings) settings =
        settings_load(arguments->config, arguments->role, report, NULL);
    if (settings == NULL)
        return false;
    g_autoptr(GError) error = NULL;
    *out_ruleset = NULL;
    if (arguments->role != ROLE_SYNC &&
        (*out_ruleset = ruleset_new(settings, &error)) == NULL) {
        report(error->message, NULL);
        return false;
    }
    *out_settings = g_steal_pointer(&settings);
    return true;
}

static void
open_log(const Daemon *daemon)
{
    const Settings *settings = daemon->settings;
    if (daemon->arguments.verbose)
        log_open("contact-milter", LOG_TARGET_STDERR, LOG_LEVEL_DEBUG_,
                 (LogAddresses) settings->log.addresses);
    else
        log_open("contact-milter", (LogTarget) settings->log.target,
                 (LogLevel) settings->log.level,
                 (LogAddresses) settings->log.addresses);
}

/* What a reload cannot change while the process lives. */
static void
warn_of_fixed(const Settings *old, const Settings *new)
{
    const struct {
        const char *key;
        const char *before, *after;
    } fixed[] = {
        { "[mta] socket", old->mta.socket, new->mta.socket },
        { "[mta] socket_group", old->mta.socket_group, new->mta.socket_group },
        { "[store] spool", old->store.spool, new->store.spool },
        { "[store] uri", old->store.uri, new->store.uri },
        { "[metrics] listen", old->metrics.listen, new->metrics.listen },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++) {
        if (g_strcmp0(fixed[i].before, fixed[i].after) != 0)
            log_warning("reload: %s changes only with a restart", fixed[i].key);
    }
    if (old->mta.socket_mode != new->mta.socket_mode)
        log_warning("reload: [mta] socket_mode changes only with a restart");
}

static void
reload(Daemon *daemon)
{
    notify_reloading();
    g_autoptr(Settings) settings = NULL;
    g_autoptr(Ruleset) ruleset = NULL;
    if (load(&daemon->arguments, report_to_log, &settings, &ruleset)) {
        warn_of_fixed(daemon->settings, settings);
        if (daemon->filter_started)
            filter_configure(g_steal_pointer(&ruleset));
        if (daemon->backend != NULL)
            backend_configure(daemon->backend, settings);
        settings_free(daemon->settings);
        daemon->settings = g_steal_pointer(&settings);
        open_log(daemon);
        log_info("reload: %s is in force", daemon->arguments.config);
    } else {
        log_error("reload: refused, the old configuration stays in force");
    }
    notify_ready("serving");
}

/* --- one instance -------------------------------------------------------- */

/* A lock beside the spool, for as long as the process lives: two judges would
 * take each other's rows. */
static int
take_lock(const char *spool, const char *part)
{
    g_autofree char *path = g_strdup_printf("%s.%s.lock", spool, part);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        log_error("%s: %s", path, g_strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (errno == EWOULDBLOCK)
        log_error("%s: another contact-milter (%s) is running on this spool",
                  path, part);
    else
        log_error("%s: %s", path, g_strerror(errno));
    close(fd);
    return -1;
}

static bool
take_locks(Daemon *daemon)
{
    Role role = daemon->arguments.role;
    const char *spool = daemon->settings->store.spool;
    if (role != ROLE_SYNC && (daemon->mta_lock = take_lock(spool, "mta")) < 0)
        return false;
    if (role != ROLE_MTA && (daemon->sync_lock = take_lock(spool, "sync")) < 0)
        return false;
    return true;
}

/* --- start, life, stop --------------------------------------------------- */

static void
wake_backend(void *data)
{
    backend_wake(data);
}

static void *
run_filter(void *data)
{
    Daemon *daemon = data;
    g_autoptr(GError) error = NULL;
    if (!filter_run(g_steal_pointer(&daemon->ruleset), daemon->spool, &error)) {
        log_error("%s", error->message);
        daemon->exit_code = EX_TEMPFAIL;
    }
    (void) pthread_kill(daemon->main_thread, SIGTERM);
    return NULL;
}

/* True when everything runs; else the exit code is set. */
static bool
start(Daemon *daemon)
{
    const Settings *settings = daemon->settings;
    g_autoptr(GError) error = NULL;
    daemon->exit_code = EX_UNAVAILABLE;

    if (!take_locks(daemon))
        return false;
    if (daemon->arguments.role != ROLE_SYNC &&
        !filter_listen(settings, &error)) {
        log_error("%s", error->message);
        return false;
    }

    g_autofree char *notice = NULL;
    /* A full disk at the start is no reason either to hold up mail. */
    daemon->spool = spool_open_or_wait(settings->store.spool, &notice, &error);
    if (notice != NULL)
        log_error("%s", notice);
    if (daemon->spool == NULL) {
        log_error("spool: %s", error->message);
        daemon->exit_code = EX_CANTCREAT;
        return false;
    }
    if (daemon->arguments.role != ROLE_MTA) {
        daemon->backend =
            backend_start(daemon->settings, daemon->spool, &error);
        if (daemon->backend == NULL) {
            log_error("%s", error->message);
            daemon->exit_code = EX_CONFIG;
            return false;
        }
        spool_on_commit(daemon->spool, wake_backend, daemon->backend);
    }
    if (settings->metrics.listen != NULL) {
        /* Never a reason not to serve mail. */
        daemon->pages = pages_start(settings, daemon->arguments.role,
                                    daemon->spool, daemon->backend, &error);
        if (daemon->pages == NULL)
            log_warning("[metrics] listen: %s", error->message);
    }

    daemon->exit_code = EX_OK;
    if (daemon->arguments.role != ROLE_SYNC) {
        int code =
            pthread_create(&daemon->filter_thread, NULL, run_filter, daemon);
        if (code != 0) {
            log_error("cannot start a thread: %s", g_strerror(code));
            daemon->exit_code = EX_OSERR;
            return false;
        }
        daemon->filter_started = true;
    }
    return true;
}

/* Waits for signals until one says stop; returns it. */
static int
serve(Daemon *daemon, const sigset_t *signals)
{
    int64_t interval = notify_interval();
    for (;;) {
        pages_sample(daemon->pages);
        struct timespec timeout = { .tv_sec = SAMPLE_S };
        if (interval > 0) {
            notify_alive();
            timeout.tv_sec = (time_t) (interval / 1000);
            timeout.tv_nsec = (long) (interval % 1000) * 1000000;
        }
        int signal = sigtimedwait(signals, NULL, &timeout);
        if (signal == SIGUSR1)
            reload(daemon);
        else if (signal > 0)
            return signal;
    }
}

static void
stop(Daemon *daemon, int signal)
{
    notify_stopping();
    pages_stop(daemon->pages);
    daemon->pages = NULL;
    if (daemon->filter_started) {
        if (signal == SIGUSR2)
            filter_drain(DRAIN_MS);
        else
            filter_stop();
        (void) pthread_join(daemon->filter_thread, NULL);
    }
    if (daemon->spool != NULL)
        spool_on_commit(daemon->spool, NULL, NULL);
    if (!backend_stop(daemon->backend, STOP_MS)) {
        /* It still uses the spool. All rows that it had are on disk. */
        log_warning("the judge did not stop in time; its work is repeated "
                    "after the next start");
        _exit(daemon->exit_code);
    }
    spool_close(daemon->spool);
}

/* Sessions and database connections cost descriptors, and libmilter spins when
 * there are none: take what the system gives. */
static void
raise_limits(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
        limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = MIN(limit.rlim_max, (rlim_t) 65536);
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
#ifdef M_ARENA_MAX
    /* libmilter makes a thread for each session that is busy at a time; with
     * an arena each, freed memory would stay spread over all of them. */
    (void) mallopt(M_ARENA_MAX, 2);
#endif
}

int
main(int argc, char **argv)
{
    Daemon daemon = { .mta_lock = -1,
                      .sync_lock = -1,
                      .main_thread = pthread_self() };
    parse_arguments(argc, argv, &daemon.arguments);
    if (!load(&daemon.arguments, report_to_stderr, &daemon.settings,
              &daemon.ruleset)) {
        g_free(daemon.arguments.config);
        return EX_CONFIG;
    }
    bool refused = !daemon.arguments.check && !daemon.arguments.allow_root &&
                   geteuid() == 0;
    if (refused)
        fputs("contact-milter: refuses to run as root: it reads hostile mail. "
              "Start it as a user of its own, or with --allow-root\n",
              stderr);
    if (daemon.arguments.check || refused) {
        ruleset_free(daemon.ruleset);
        settings_free(daemon.settings);
        g_free(daemon.arguments.config);
        return refused ? EX_NOPERM : EX_OK;
    }

    /* Before any thread: they inherit it, and only serve() takes them. */
    sigset_t signals;
    sigemptyset(&signals);
    static const int handled[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };
    for (size_t i = 0; i < G_N_ELEMENTS(handled); i++)
        sigaddset(&signals, handled[i]);
    (void) pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void) signal(SIGPIPE, SIG_IGN);

    raise_limits();
    open_log(&daemon);
    if (start(&daemon)) {
        log_info("%s serves %s", PACKAGE_STRING,
                 daemon.filter_started ? daemon.settings->mta.socket
                                       : daemon.settings->store.spool);
        notify_ready("serving");
        int number = serve(&daemon, &signals);
        log_info("%s: %s", g_strsignal(number),
                 number == SIGUSR2 ? "finishing sessions, then stopping"
                                   : "stopping");
        stop(&daemon, number);
        log_info("stopped");
    } else {
        stop(&daemon, SIGTERM);
    }

    ruleset_free(daemon.ruleset);
    settings_free(daemon.settings);
    g_free(daemon.arguments.config);
    return daemon.exit_code;
}

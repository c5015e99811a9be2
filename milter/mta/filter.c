/*
 * filter.c - see filter.h
 *
 * What a session costs the mail server is the number of times that the server
 * waits for us. On a unix socket no step before the body is answered
 * (SMFIP_NR_*); on TCP the same flags run into Nagle and delayed ACK and make
 * it slower, so there each step is answered. Steps that tell nothing new (DATA,
 * end of header, unknown commands) are not asked for at all. The body is
 * answered: only so can SKIP end it at the capture limit.
 *
 * The queue ID is not known to smtpd(8) before the first recipient, but to
 * cleanup(8) always: a queue ID at connect time says that no SMTP client is
 * there, the message comes from inside (a bounce that the server writes, or
 * sendmail(1)). A client cannot forge that.
 *
 * Nothing here decides the fate of mail. The one place where something can
 * fail is finish(): it logs, counts, and the answer is the same.
 */
#include "mta/filter.h"

#include "base/log.h"
#include "base/metrics.h"
#include "message/envelope.h"
#include "mta/capture.h"
#include "mta/listener.h"
#include "mta/recent.h"
#include "store/observation_words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gio/gio.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

/* A header field or command longer than libmilter's own 64 KiB would close the
 * connection without a word. Postfix cuts a field at 60,000 bytes once it has a
 * milter; this leaves room for servers that do not. */
enum { MAX_DATA_SIZE = 4 * 1024 * 1024 };
/* An address beyond this is no address (RFC 5321, 4.5.3.1: 256 octets). */
enum { MAX_ADDRESS = 1024 };
/* How long filter_run() waits for messages that are being finished. */
enum { FINISH_MS = 10000, WAKE_MS = 10 };

/* One message. */
typedef struct {
    Ruleset *ruleset;
    Envelope *envelope;
    Capture *capture;
} Transaction;

/* One SMTP session; what MAIL repeats for each message is kept here. */
typedef struct {
    bool no_reply; /* NR flags are agreed upon */
    bool spaced;   /* header bodies come with their leading space */
    bool skip;     /* the server knows SKIP */
    bool local;    /* emulated by cleanup(8) */
    char *client_addr, *client_name, *helo, *daemon_name;
    Transaction *transaction; /* or NULL */
} Session;

/* What sessions share; the lock is for all of it. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    Ruleset *ruleset;
    Spool *spool;
    Recent *recent; /* made by filter_listen(), has its own lock */
    unsigned sessions;
    unsigned finishing; /* callbacks between end-of-message and answer */
    unsigned analyses;
    bool serving; /* smfi_main() runs */
    bool stopping;
} filter = { .lock = PTHREAD_MUTEX_INITIALIZER,
             .changed = PTHREAD_COND_INITIALIZER };

static void
transaction_free(Transaction *transaction)
{
    if (transaction == NULL)
        return;
    ruleset_free(transaction->ruleset);
    envelope_free(transaction->envelope);
    capture_free(transaction->capture);
    g_free(transaction);
}

static void
end_transaction(Session *session)
{
    transaction_free(session->transaction);
    session->transaction = NULL;
}

static Session *
session_of(SMFICTX *ctx)
{
    return smfi_getpriv(ctx);
}

/* The answer to a step that may have been agreed to have none. */
static sfsistat
answer(const Session *session)
{
    return session != NULL && session->no_reply ? SMFIS_NOREPLY
                                                : SMFIS_CONTINUE;
}

static const char *
macro(SMFICTX *ctx, const char *name)
{
    char *symbol = (char *) (uintptr_t) name; /* libmilter only reads it */
    const char *value = smfi_getsymval(ctx, symbol);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static sfsistat
mlfi_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
               unsigned long f2 G_GNUC_UNUSED, unsigned long f3 G_GNUC_UNUSED,
               unsigned long *out_actions, unsigned long *out_steps,
               unsigned long *out_f2, unsigned long *out_f3)
{
    Session *session = g_new0(Session, 1);
    if (smfi_setpriv(ctx, session) != MI_SUCCESS) {
        g_free(session);
        return SMFIS_CONTINUE;
    }
    pthread_mutex_lock(&filter.lock);
    unsigned sessions = ++filter.sessions;
    pthread_mutex_unlock(&filter.lock);
    metrics_set("sessions", NULL, NULL, sessions);
    metrics_inc("sessions_total", NULL, NULL);

    static const unsigned long no_reply = SMFIP_NR_CONN | SMFIP_NR_HELO |
                                          SMFIP_NR_MAIL | SMFIP_NR_RCPT |
                                          SMFIP_NR_HDR;
    session->no_reply = listener_is_unix() && (steps & no_reply) == no_reply;
    session->spaced = (steps & SMFIP_HDR_LEADSPC) != 0;
    session->skip = (steps & SMFIP_SKIP) != 0;

    /* *out_steps already names the steps without a callback. */
    *out_steps |= steps & (SMFIP_HDR_LEADSPC | SMFIP_SKIP);
    if (session->no_reply)
        *out_steps |= no_reply;
    *out_actions = actions & SMFIF_SETSYMLIST;
    *out_f2 = *out_f3 = 0;
    if (*out_actions != 0) {
        static const struct {
            int stage;
            const char *macros;
        } wanted[] = {
            { SMFIM_CONNECT, "i {daemon_name} {client_addr}" },
            { SMFIM_HELO, "{daemon_name}" },
            { SMFIM_ENVFROM, "i {auth_authen}" },
            { SMFIM_ENVRCPT, "i" },
            { SMFIM_EOM, "i" },
        };
        for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
            g_autofree char *macros = g_strdup(wanted[i].macros);
            (void) smfi_setsymlist(ctx, wanted[i].stage, macros);
        }
    }
    return SMFIS_CONTINUE;
}

/* "192.0.2.1", "2001:db8::1"; NULL for anything else. */
static char *
address_text(const _SOCK_ADDR *address)
{
    char text[INET6_ADDRSTRLEN];
    if (address == NULL)
        return NULL;
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return g_strdup(inet_ntop(AF_INET, &in.sin_addr, text, sizeof text));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
            return g_strdup(inet_ntop(AF_INET, &in6.sin6_addr.s6_addr[12], text,
                                      sizeof text));
        return g_strdup(inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text));
    }
    return NULL;
}

static bool
is_loopback(const char *address)
{
    return address == NULL || g_str_has_prefix(address, "127.") ||
           strcmp(address, "::1") == 0;
}

static void
replace(char **where, const char *text)
{
    g_free(*where);
    *where = g_strdup(text);
}

static sfsistat
mlfi_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
    Session *session = session_of(ctx);
    if (session == NULL)
        return SMFIS_CONTINUE;

    g_free(session->client_addr);
    session->client_addr = address_text(address);
    /* A name in brackets, or "unknown", says that there is none. */
    bool named = name != NULL && name[0] != '[' && name[0] != '\0' &&
                 g_ascii_strcasecmp(name, "unknown") != 0;
    replace(&session->client_name, named ? name : NULL);
    replace(&session->daemon_name, macro(ctx, "{daemon_name}"));
    session->local =
        macro(ctx, "i") != NULL && is_loopback(session->client_addr);
    return answer(session);
}

static sfsistat
mlfi_helo(SMFICTX *ctx, char *helo)
{
    Session *session = session_of(ctx);
    if (session == NULL)
        return SMFIS_CONTINUE;
    if (helo != NULL && strlen(helo) <= MAX_ADDRESS)
        replace(&session->helo, helo);
    return answer(session);
}

static Ruleset *
take_ruleset(void)
{
    pthread_mutex_lock(&filter.lock);
    Ruleset *ruleset =
        filter.ruleset != NULL ? ruleset_ref(filter.ruleset) : NULL;
    pthread_mutex_unlock(&filter.lock);
    return ruleset;
}

static sfsistat
mlfi_envfrom(SMFICTX *ctx, char **argv)
{
    Session *session = session_of(ctx);
    if (session == NULL)
        return SMFIS_CONTINUE;
    end_transaction(session);

    Ruleset *ruleset = take_ruleset();
    if (ruleset == NULL)
        return answer(session);

    Transaction *transaction = g_new0(Transaction, 1);
    transaction->ruleset = ruleset;
    transaction->capture =
        capture_new((size_t) ruleset_settings(ruleset)->mta.capture_limit);
    Envelope *envelope = envelope_new();
    envelope->client_addr = g_strdup(session->client_addr);
    envelope->client_name = g_strdup(session->client_name);
    envelope->helo = g_strdup(session->helo);
    envelope->daemon_name = g_strdup(session->daemon_name);
    envelope->local = session->local;
    envelope->auth_user = g_strdup(macro(ctx, "{auth_authen}"));
    envelope->time = (int64_t) time(NULL);
    if (argv[0] != NULL && strlen(argv[0]) <= MAX_ADDRESS)
        envelope->mail_from = envelope_address(argv[0]);
    transaction->envelope = envelope;
    session->transaction = transaction;
    return answer(session);
}

static sfsistat
mlfi_envrcpt(SMFICTX *ctx, char **argv)
{
    Session *session = session_of(ctx);
    if (session == NULL || session->transaction == NULL)
        return answer(session);
    GPtrArray *recipients = session->transaction->envelope->recipients;
    if (recipients->len < FILTER_MAX_RECIPIENTS && argv[0] != NULL &&
        strlen(argv[0]) <= MAX_ADDRESS)
        g_ptr_array_add(recipients, envelope_address(argv[0]));
    return answer(session);
}

static sfsistat
mlfi_header(SMFICTX *ctx, char *name, char *value)
{
    Session *session = session_of(ctx);
    if (session != NULL && session->transaction != NULL)
        capture_header(session->transaction->capture, name, value,
                       session->spaced);
    return answer(session);
}

/* Body and end of message are the steps that are always answered. */
static sfsistat
mlfi_body(SMFICTX *ctx, unsigned char *bytes, size_t len)
{
    Session *session = session_of(ctx);
    if (session == NULL || session->transaction == NULL)
        return session != NULL && session->skip ? SMFIS_SKIP : SMFIS_CONTINUE;

    Transaction *transaction = session->transaction;
    switch (ruleset_extent(transaction->ruleset, transaction->envelope)) {
    case READ_NOTHING:
        metrics_inc("messages_total", "verdict", "outbound");
        end_transaction(session);
        return SMFIS_ACCEPT; /* the end of the message is not told us */
    case READ_HEADER:
        return session->skip ? SMFIS_SKIP : SMFIS_CONTINUE;
    case READ_ALL:
        break;
    }
    capture_body(transaction->capture, bytes, len);
    if (session->skip && capture_full(transaction->capture))
        return SMFIS_SKIP;
    return SMFIS_CONTINUE;
}

/* --- end of message ------------------------------------------------------ */

/* After filter_stop() no message is answered any more: its observations could
 * not be stored, and an answer says that they are. The process ends in a
 * moment, and the server does what it does without a filter. */
static Spool *
enter_finish(void)
{
    pthread_mutex_lock(&filter.lock);
    while (filter.stopping)
        pthread_cond_wait(&filter.changed, &filter.lock);
    filter.finishing++;
    Spool *spool = filter.spool;
    pthread_mutex_unlock(&filter.lock);
    return spool;
}

static void
leave_finish(void)
{
    pthread_mutex_lock(&filter.lock);
    filter.finishing--;
    pthread_cond_broadcast(&filter.changed);
    pthread_mutex_unlock(&filter.lock);
}

static GPtrArray *
analyse(Transaction *transaction, Analysis **out_analysis)
{
    pthread_mutex_lock(&filter.lock);
    while (filter.analyses >= FILTER_ANALYSES)
        pthread_cond_wait(&filter.changed, &filter.lock);
    filter.analyses++;
    pthread_mutex_unlock(&filter.lock);

    size_t len;
    const char *bytes = capture_bytes(transaction->capture, &len);
    GPtrArray *observations = ruleset_observe(
        transaction->ruleset, bytes, len, transaction->envelope, out_analysis);

    pthread_mutex_lock(&filter.lock);
    filter.analyses--;
    pthread_cond_broadcast(&filter.changed);
    pthread_mutex_unlock(&filter.lock);
    return observations;
}

/* What could not be stored at once is the only news here; the line about what
 * was found is written where it is judged. */
static void
report_result(const Envelope *envelope, const GPtrArray *observations,
              SpoolResult result)
{
    static const char *const words[] = {
        [SPOOL_STORED] = "stored",
        [SPOOL_WAITING] = "waiting",
        [SPOOL_LOST] = "lost",
    };
    metrics_add("observations_total", "result", words[result],
                observations->len);
    if (result == SPOOL_STORED)
        return;
    const char *id =
        envelope->queue_id != NULL ? envelope->queue_id : "NOQUEUE";
    if (result == SPOOL_LOST) {
        log_error("%s: lost %u observations: the disk does not take them and "
                  "the memory queue is full",
                  id, observations->len);
    } else {
        log_warning("%s: %u observations wait in memory: the disk does not "
                    "take them",
                    id, observations->len);
    }
}

static void
report_debug(const Transaction *transaction, const Analysis *analysis,
             unsigned found, int64_t us)
{
    const Envelope *envelope = transaction->envelope;
    g_autofree char *from = log_address(envelope->mail_from);
    g_autofree char *client = log_text(envelope->client_addr);
    log_debug("%s: verdict=%s reason=%s observations=%u from=%s client=%s "
              "local=%d auth=%d us=%" G_GINT64_FORMAT,
              envelope->queue_id != NULL ? envelope->queue_id : "NOQUEUE",
              verdict_name(analysis->verdict),
              analysis->reason[0] != '\0' ? analysis->reason : "-", found, from,
              client, envelope->local, envelope->auth_user != NULL,
              (gint64) us);
}

/* Nobody judges it again, so its line is written here. */
static void
report_known(const Envelope *envelope, const Observation *observation)
{
    metrics_inc("observations_total", "result", "known");
    if (!log_is_info())
        return;
    g_autofree char *queue_id =
        log_text(envelope->queue_id != NULL ? envelope->queue_id : "NOQUEUE");
    g_autofree char *email = log_address(observation->email);
    g_autofree char *fields = contact_field_names(observation->contact);
    log_info("%s: contact=%s fields=%s trust=known reason=\"the same was seen "
             "within the hour\" action=none",
             queue_id, email, fields);
}

static void
store(Spool *spool, const GPtrArray *observations, int64_t wait,
      const Envelope *envelope)
{
    RecentKey key;
    bool keyed = recent_key(observations, &key);
    if (keyed && recent_has(filter.recent, &key)) {
        report_known(envelope, g_ptr_array_index(observations, 0));
        return;
    }
    SpoolResult result = spool_append(spool, observations, wait);
    if (keyed && result == SPOOL_STORED)
        recent_add(filter.recent, &key);
    report_result(envelope, observations, result);
}

static void
finish(Transaction *transaction)
{
    Spool *spool = enter_finish();
    int64_t start = g_get_monotonic_time();
    int64_t wait = ruleset_settings(transaction->ruleset)->store.wait;

    g_autoptr(Analysis) analysis = NULL;
    g_autoptr(GPtrArray) observations = analyse(transaction, &analysis);
    int64_t analysed = g_get_monotonic_time();
    metrics_inc("messages_total", "verdict", verdict_name(analysis->verdict));
    metrics_observe("analysis_seconds", NULL, NULL,
                    (double) (analysed - start) / G_USEC_PER_SEC);

    /* The copy is not needed while we wait for the disk. */
    g_clear_pointer(&transaction->capture, capture_free);
    if (observations->len > 0) {
        store(spool, observations, wait, transaction->envelope);
    }
    if (log_is_debug())
        report_debug(transaction, analysis, observations->len,
                     g_get_monotonic_time() - start);
    metrics_observe("end_of_message_seconds", NULL, NULL,
                    (double) (g_get_monotonic_time() - start) / G_USEC_PER_SEC);
    leave_finish();
}

static sfsistat
mlfi_eom(SMFICTX *ctx)
{
    Session *session = session_of(ctx);
    if (session == NULL || session->transaction == NULL)
        return SMFIS_CONTINUE;
    Transaction *transaction = session->transaction;
    replace(&transaction->envelope->queue_id, macro(ctx, "i"));
    if (ruleset_extent(transaction->ruleset, transaction->envelope) ==
        READ_NOTHING)
        metrics_inc("messages_total", "verdict", "outbound");
    else
        finish(transaction);
    end_transaction(session);
    return SMFIS_CONTINUE;
}

static sfsistat
mlfi_abort(SMFICTX *ctx)
{
    Session *session = session_of(ctx);
    if (session != NULL)
        end_transaction(session);
    return SMFIS_CONTINUE;
}

static sfsistat
mlfi_close(SMFICTX *ctx)
{
    Session *session = session_of(ctx);
    if (session == NULL)
        return SMFIS_CONTINUE;
    (void) smfi_setpriv(ctx, NULL);
    end_transaction(session);
    g_free(session->client_addr);
    g_free(session->client_name);
    g_free(session->helo);
    g_free(session->daemon_name);
    g_free(session);

    pthread_mutex_lock(&filter.lock);
    unsigned sessions = --filter.sessions;
    pthread_cond_broadcast(&filter.changed);
    pthread_mutex_unlock(&filter.lock);
    metrics_set("sessions", NULL, NULL, sessions);
    return SMFIS_CONTINUE;
}

/* --- life ---------------------------------------------------------------- */

bool
filter_listen(const Settings *settings, GError **error)
{
    static char name[] = "contact-milter";
    struct smfiDesc description = {
        .xxfi_name = name,
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFIF_SETSYMLIST,
        .xxfi_negotiate = mlfi_negotiate,
        .xxfi_connect = mlfi_connect,
        .xxfi_helo = mlfi_helo,
        .xxfi_envfrom = mlfi_envfrom,
        .xxfi_envrcpt = mlfi_envrcpt,
        .xxfi_header = mlfi_header,
        .xxfi_body = mlfi_body,
        .xxfi_eom = mlfi_eom,
        .xxfi_abort = mlfi_abort,
        .xxfi_close = mlfi_close,
    };
    if (smfi_register(description) != MI_SUCCESS) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                            "libmilter refuses to start");
        return false;
    }
    (void) smfi_setmaxdatasize(MAX_DATA_SIZE);
    /* Lives as long as the process: libmilter's threads do, too. */
    filter.recent = recent_new();
    return listener_open(settings, error);
}

/* By the clock that nobody can set. */
static struct timespec
deadline_after(int64_t ms)
{
    struct timespec when;
    (void) clock_gettime(CLOCK_MONOTONIC, &when);
    when.tv_sec += (time_t) (ms / 1000);
    when.tv_nsec += (long) (ms % 1000) * 1000000;
    if (when.tv_nsec >= 1000000000) {
        when.tv_sec++;
        when.tv_nsec -= 1000000000;
    }
    return when;
}

bool
filter_run(Ruleset *ruleset, Spool *spool, GError **error)
{
    pthread_mutex_lock(&filter.lock);
    filter.ruleset = ruleset;
    filter.spool = spool;
    filter.serving = true;
    pthread_mutex_unlock(&filter.lock);

    int result = smfi_main();

    struct timespec until = deadline_after(FINISH_MS);
    pthread_mutex_lock(&filter.lock);
    filter.serving = false;
    pthread_cond_broadcast(&filter.changed);
    bool asked = filter.stopping;
    filter.stopping = true;
    while (filter.finishing > 0 &&
           pthread_cond_clockwait(&filter.changed, &filter.lock,
                                  CLOCK_MONOTONIC, &until) == 0)
        ;
    g_clear_pointer(&filter.ruleset, ruleset_free);
    pthread_mutex_unlock(&filter.lock);

    if (result != MI_SUCCESS && !asked) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                            "libmilter stopped serving; its reason is in the "
                            "system log");
        return false;
    }
    return true;
}

void
filter_configure(Ruleset *ruleset)
{
    pthread_mutex_lock(&filter.lock);
    Ruleset *old = filter.ruleset;
    filter.ruleset = ruleset;
    pthread_mutex_unlock(&filter.lock);
    ruleset_free(old);
    recent_clear(filter.recent);
}

static void *
call_smfi_stop(void *data)
{
    (void) smfi_stop();
    return data;
}

/* smfi_stop() sets a flag and then waits for a lock that libmilter's listener
 * holds for as long as it polls; so the listener is woken meanwhile until it
 * has seen the flag. */
void
filter_stop(void)
{
    pthread_mutex_lock(&filter.lock);
    filter.stopping = true;
    pthread_mutex_unlock(&filter.lock);
    listener_close();

    pthread_t thread;
    if (pthread_create(&thread, NULL, call_smfi_stop, NULL) != 0) {
        (void) smfi_stop();
        return;
    }
    pthread_mutex_lock(&filter.lock);
    while (filter.serving) {
        struct timespec until = deadline_after(WAKE_MS);
        (void) pthread_cond_clockwait(&filter.changed, &filter.lock,
                                      CLOCK_MONOTONIC, &until);
        pthread_mutex_unlock(&filter.lock);
        listener_wake();
        pthread_mutex_lock(&filter.lock);
    }
    pthread_mutex_unlock(&filter.lock);
    (void) pthread_join(thread, NULL);
}

void
filter_drain(int64_t wait_ms)
{
    listener_close();
    struct timespec until = deadline_after(wait_ms);
    pthread_mutex_lock(&filter.lock);
    while (filter.sessions > 0 &&
           pthread_cond_clockwait(&filter.changed, &filter.lock,
                                  CLOCK_MONOTONIC, &until) == 0)
        ;
    pthread_mutex_unlock(&filter.lock);
    filter_stop();
}

/*
 * The milter, spoken to as a mail server does. What lies behind it (analysis
 * and spool) is replaced here by functions that keep what they were given, so
 * that these tests see the bytes, the envelope and the answers.
 *
 * Built twice: test_filter on a unix socket, test_filter_tcp on TCP.
 */
#include "base/log.h"
#include "milter_client.h"
#include "mta/filter.h"
#include "mta/listener.h"

#include <glib/gstdio.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LIMIT = 256 * 1024, SMALL_LIMIT = 10000 };

/* --- what stands behind the filter ---------------------------------------- */

struct Ruleset {
    int references; /* lock */
    unsigned serial;
    Settings settings;
    bool outbound;
};

static struct {
    pthread_mutex_t lock;
    GString *bytes; /* of the last message */
    Envelope *envelope;
    unsigned serial; /* of the ruleset */
    unsigned messages, appended;
    bool same_again;
    int64_t append_us; /* how long the spool takes */
    SpoolResult result;
} seen = { .lock = PTHREAD_MUTEX_INITIALIZER };

static unsigned rulesets_alive;

static Ruleset *
make_ruleset(int64_t limit, bool outbound)
{
    Ruleset *ruleset = g_new0(Ruleset, 1);
    ruleset->references = 1;
    ruleset->settings.mta.capture_limit = limit;
    ruleset->settings.store.wait = 200;
    ruleset->outbound = outbound;
    pthread_mutex_lock(&seen.lock);
    static unsigned serial;
    ruleset->serial = ++serial;
    rulesets_alive++;
    pthread_mutex_unlock(&seen.lock);
    return ruleset;
}

Ruleset *
ruleset_ref(Ruleset *ruleset)
{
    pthread_mutex_lock(&seen.lock);
    ruleset->references++;
    pthread_mutex_unlock(&seen.lock);
    return ruleset;
}

void
ruleset_free(Ruleset *ruleset)
{
    if (ruleset == NULL)
        return;
    pthread_mutex_lock(&seen.lock);
    bool last = --ruleset->references == 0;
    if (last)
        rulesets_alive--;
    pthread_mutex_unlock(&seen.lock);
    if (last)
        g_free(ruleset);
}

const Settings *
ruleset_settings(const Ruleset *ruleset)
{
    return &ruleset->settings;
}

ReadExtent
ruleset_extent(const Ruleset *ruleset, const Envelope *envelope)
{
    if (envelope->auth_user == NULL)
        return READ_ALL;
    return ruleset->outbound ? READ_HEADER : READ_NOTHING;
}

static void
free_observation(gpointer data)
{
    observation_free(data);
}

GPtrArray *
ruleset_observe(const Ruleset *ruleset, const char *bytes, size_t len,
                const Envelope *envelope, Analysis **out_analysis)
{
    Envelope *copy = envelope_new();
    copy->queue_id = g_strdup(envelope->queue_id);
    copy->client_addr = g_strdup(envelope->client_addr);
    copy->client_name = g_strdup(envelope->client_name);
    copy->helo = g_strdup(envelope->helo);
    copy->mail_from = g_strdup(envelope->mail_from);
    copy->auth_user = g_strdup(envelope->auth_user);
    copy->daemon_name = g_strdup(envelope->daemon_name);
    copy->local = envelope->local;
    copy->time = envelope->time;
    for (guint i = 0; i < envelope->recipients->len; i++)
        g_ptr_array_add(copy->recipients,
                        g_strdup(g_ptr_array_index(envelope->recipients, i)));

    pthread_mutex_lock(&seen.lock);
    if (seen.bytes == NULL)
        seen.bytes = g_string_new(NULL);
    g_string_truncate(seen.bytes, 0);
    g_string_append_len(seen.bytes, bytes, (gssize) len);
    envelope_free(seen.envelope);
    seen.envelope = copy;
    seen.serial = ruleset->serial;
    seen.messages++;
    /* Somebody new each time, unless a test wants the same again. */
    g_autofree char *email = g_strdup_printf(
        "ann%u@example.org", seen.same_again ? 0 : seen.messages);
    pthread_mutex_unlock(&seen.lock);

    Analysis *analysis = g_new0(Analysis, 1);
    analysis->verdict = VERDICT_CONTACT;
    analysis->reason = "";
    analysis->signature = g_ptr_array_new();
    analysis->bounces = g_array_new(FALSE, FALSE, sizeof(Bounce));
    analysis->notes = g_ptr_array_new();
    *out_analysis = analysis;
    GPtrArray *observations = g_ptr_array_new_with_free_func(free_observation);
    g_ptr_array_add(observations, observation_new(OBSERVATION_CONTACT, email));
    return observations;
}

SpoolResult
spool_append(Spool *spool, const GPtrArray *observations, int64_t wait_ms)
{
    (void) spool;
    g_assert_cmpuint(observations->len, ==, 1);
    g_assert_cmpint(wait_ms, ==, 200);
    pthread_mutex_lock(&seen.lock);
    seen.appended++;
    int64_t us = seen.append_us;
    SpoolResult result = seen.result;
    pthread_mutex_unlock(&seen.lock);
    if (us > 0)
        g_usleep((gulong) us);
    return result;
}

/* --- the filter under test ------------------------------------------------ */

static char *folder, *socket_name;
static pthread_t filter_thread;

static void *
run_filter(void *data)
{
    g_autoptr(GError) error = NULL;
    bool done = filter_run(data, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(done);
    return NULL;
}

static Settings
listen_settings(char *name)
{
    Settings settings = { 0 };
    settings.mta.socket = name;
    settings.mta.socket_mode = 0660;
    settings.mta.capture_limit = LIMIT;
    return settings;
}

#ifdef TEST_TCP
static char *
free_address(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    g_assert_true(bind(fd, (const struct sockaddr *) &address, len) == 0);
    g_assert_true(getsockname(fd, (struct sockaddr *) &address, &len) == 0);
    close(fd);
    return g_strdup_printf("inet:%u@127.0.0.1", ntohs(address.sin_port));
}
#else
/* A socket file with nobody behind it, as a crash leaves it. */
static void
leave_stale_socket(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    g_assert_true(
        bind(fd, (const struct sockaddr *) &address, sizeof address) == 0);
    close(fd);
}
#endif

static void
start_filter(void)
{
    folder = g_dir_make_tmp("filter-XXXXXX", NULL);
    g_assert_nonnull(folder);
#ifdef TEST_TCP
    socket_name = free_address();
#else
    socket_name = g_strdup_printf("unix:%s/socket", folder);
    leave_stale_socket(socket_name + strlen("unix:"));
#endif
    Settings settings = listen_settings(socket_name);
    g_autoptr(GError) error = NULL;
    bool opened = filter_listen(&settings, &error);
    g_assert_no_error(error);
    g_assert_true(opened);
    pthread_create(&filter_thread, NULL, run_filter,
                   make_ruleset(LIMIT, false));
}

static MilterClient *
connect_raw(void)
{
    MilterClient *client = milter_client_connect(socket_name);
    g_assert_nonnull(client);
    return client;
}

static MilterClient *
connect_client(void)
{
    MilterClient *client = connect_raw();
    milter_client_negotiate(client, ~0u);
    (void) milter_client_hello(client, "mx.example.net", "192.0.2.7",
                               "helo.example.net");
    return client;
}

static const char message[] = "From: Ann <ann@example.org>\r\n"
                              "To: b@ours.example,\r\n\tc@ours.example\r\n"
                              "Subject:no space\r\n"
                              "\r\n"
                              "line one\r\n\r\n..\r\nline \xc3\xa9\r\n";

/* libmilter passes over a message that has no recipient. */
static void
begin_message(MilterClient *client, const char *sender)
{
    (void) milter_client_mail(client, sender);
    (void) milter_client_rcpt(client, "<b@ours.example>");
}

static char
send_message(MilterClient *client, size_t chunk)
{
    begin_message(client, "<ann@example.org>");
    static const char *const macros[] = { "i", "4bXyz", NULL };
    milter_client_macros(client, SMFIC_BODYEOB, macros);
    return milter_client_message(client, message, strlen(message), chunk);
}

static void
assert_seen(const char *bytes, size_t len)
{
    pthread_mutex_lock(&seen.lock);
    g_assert_cmpuint(seen.bytes->len, ==, len);
    g_assert_true(memcmp(seen.bytes->str, bytes, len) == 0);
    pthread_mutex_unlock(&seen.lock);
}

/* --- tests ---------------------------------------------------------------- */

static void
test_negotiate(void)
{
    g_autoptr(MilterClient) client = connect_raw();
    milter_client_negotiate(client, ~0u);
    /* No right to change anything. */
    g_assert_cmphex(client->actions, ==, SMFIF_SETSYMLIST);
    uint32_t no_reply = SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL |
                        SMFIP_NR_RCPT | SMFIP_NR_HDR;
#ifdef TEST_TCP
    g_assert_cmphex(client->steps & no_reply, ==, 0);
#else
    g_assert_cmphex(client->steps & no_reply, ==, no_reply);
#endif
    g_assert_cmphex(client->steps & SMFIP_NR_BODY, ==, 0);
    g_assert_cmphex(client->steps & (SMFIP_SKIP | SMFIP_HDR_LEADSPC), ==,
                    SMFIP_SKIP | SMFIP_HDR_LEADSPC);
    g_assert_cmphex(client->steps & SMFIP_NODATA, ==, SMFIP_NODATA);
    g_assert_cmphex(client->steps & SMFIP_NOUNKNOWN, ==, SMFIP_NOUNKNOWN);
    g_assert_cmphex(client->steps & SMFIP_NOEOH, ==, SMFIP_NOEOH);
    g_assert_nonnull(strstr(client->symbols->str, "2:i {auth_authen};"));
    g_assert_nonnull(strstr(client->symbols->str, "5:i;"));
}

/* A server that offers next to nothing is answered at each step. */
static void
test_negotiate_old(void)
{
    g_autoptr(MilterClient) client = connect_raw();
    milter_client_negotiate(client, 0x7F | SMFIP_NODATA | SMFIP_NOUNKNOWN);
    g_assert_cmpint(milter_client_hello(client, "a", "192.0.2.7", "h"), ==,
                    SMFIR_CONTINUE);
    g_assert_cmpint(milter_client_mail(client, "<>"), ==, SMFIR_CONTINUE);
    g_assert_cmpint(milter_client_rcpt(client, "<b@ours.example>"), ==,
                    SMFIR_CONTINUE);
    g_assert_cmpint(milter_client_header(client, "Subject", "x"), ==,
                    SMFIR_CONTINUE);
    g_assert_cmpint(milter_client_body(client, "y\r\n", 3), ==, SMFIR_CONTINUE);
    g_assert_cmpint(milter_client_end(client), ==, SMFIR_CONTINUE);
    assert_seen("Subject: x\r\n\r\ny\r\n", 17);
}

static void
test_message(void)
{
    g_autoptr(MilterClient) client = connect_client();
    g_assert_cmpint(send_message(client, 65535), ==, SMFIR_CONTINUE);
    assert_seen(message, strlen(message));
    pthread_mutex_lock(&seen.lock);
    const Envelope *envelope = seen.envelope;
    g_assert_cmpstr(envelope->queue_id, ==, "4bXyz");
    g_assert_cmpstr(envelope->client_addr, ==, "192.0.2.7");
    g_assert_cmpstr(envelope->client_name, ==, "mx.example.net");
    g_assert_cmpstr(envelope->helo, ==, "helo.example.net");
    g_assert_cmpstr(envelope->mail_from, ==, "ann@example.org");
    g_assert_cmpuint(envelope->recipients->len, ==, 1);
    g_assert_cmpstr(g_ptr_array_index(envelope->recipients, 0), ==,
                    "b@ours.example");
    g_assert_null(envelope->auth_user);
    g_assert_false(envelope->local);
    g_assert_cmpint(envelope->time, >, 1600000000);
    pthread_mutex_unlock(&seen.lock);
}

static void
test_chunks(void)
{
    g_autoptr(MilterClient) client = connect_client();
    for (size_t chunk = 1; chunk < 60; chunk++) {
        g_assert_cmpint(send_message(client, chunk), ==, SMFIR_CONTINUE);
        assert_seen(message, strlen(message));
    }
}

typedef struct {
    const char *name;
    const char *argument, *want;
} SenderCase;

static const SenderCase senders[] = {
    { "null from smtpd", "<>", "" },
    { "null from cleanup", "", "" },
    { "plain", "<ann@example.org>", "ann@example.org" },
    { "without brackets", "ann@example.org", "ann@example.org" },
};

static void
test_sender(gconstpointer data)
{
    const SenderCase *c = data;
    g_autoptr(MilterClient) client = connect_client();
    begin_message(client, c->argument);
    g_assert_cmpint(milter_client_end(client), ==, SMFIR_CONTINUE);
    g_assert_cmpstr(seen.envelope->mail_from, ==, c->want);
    assert_seen("\r\n", 2);
}

typedef struct {
    const char *name;
    const char *host, *address;
    bool queue_id;
    const char *want_addr, *want_name;
    bool want_local;
} ClientCase;

static const ClientCase clients[] = {
    { "named", "mx.example.net", "192.0.2.7", false, "192.0.2.7",
      "mx.example.net", false },
    { "unnamed", "[192.0.2.7]", "192.0.2.7", false, "192.0.2.7", NULL, false },
    { "unknown", "unknown", "192.0.2.7", false, "192.0.2.7", NULL, false },
    { "IPv6", "mx.example.net", "IPv6:2001:db8::1", false, "2001:db8::1",
      "mx.example.net", false },
    { "IPv4 in IPv6", "mx.example.net", "IPv6:::ffff:192.0.2.7", false,
      "192.0.2.7", "mx.example.net", false },
    { "cleanup", "localhost", "127.0.0.1", true, "127.0.0.1", "localhost",
      true },
    { "loopback client", "localhost", "127.0.0.1", false, "127.0.0.1",
      "localhost", false },
    { "queue ID, but from outside", "mx.example.net", "192.0.2.7", true,
      "192.0.2.7", "mx.example.net", false },
};

static void
test_client(gconstpointer data)
{
    const ClientCase *c = data;
    g_autoptr(MilterClient) client = connect_raw();
    milter_client_negotiate(client, ~0u);
    if (c->queue_id) {
        static const char *const macros[] = { "i", "4bXyz", NULL };
        milter_client_macros(client, SMFIC_CONNECT, macros);
    }
    (void) milter_client_hello(client, c->host, c->address, "h");
    g_assert_cmpint(send_message(client, 100), ==, SMFIR_CONTINUE);
    g_assert_cmpstr(seen.envelope->client_addr, ==, c->want_addr);
    g_assert_cmpstr(seen.envelope->client_name, ==, c->want_name);
    g_assert_true(seen.envelope->local == c->want_local);
}

static void
test_capture_limit(void)
{
    g_autoptr(MilterClient) client = connect_client();
    filter_configure(make_ruleset(SMALL_LIMIT, false));
    begin_message(client, "<ann@example.org>");
    (void) milter_client_header(client, "A", " b");
    g_autofree char *chunk = g_strnfill(4000, 'x');
    size_t head = strlen("A: b\r\n\r\n");
    g_assert_cmpint(milter_client_body(client, chunk, 4000), ==,
                    SMFIR_CONTINUE);
    g_assert_cmpint(milter_client_body(client, chunk, 4000), ==,
                    SMFIR_CONTINUE);
    /* Full to the byte, and one beyond, both say SKIP. */
    g_assert_cmpint(
        milter_client_body(client, chunk, SMALL_LIMIT - 8000 - head), ==,
        SMFIR_SKIP);
    (void) milter_client_body(client, chunk, 4000);
    g_assert_cmpuint(client->skipped, ==, 1);
    g_assert_cmpint(milter_client_end(client), ==, SMFIR_CONTINUE);
    g_assert_cmpuint(seen.bytes->len, ==, SMALL_LIMIT);

    /* A server that does not know SKIP goes on sending. */
    g_autoptr(MilterClient) old = connect_raw();
    milter_client_negotiate(old, ~(uint32_t) SMFIP_SKIP);
    (void) milter_client_hello(old, "a", "192.0.2.7", "h");
    begin_message(old, "<ann@example.org>");
    for (int i = 0; i < 5; i++)
        g_assert_cmpint(milter_client_body(old, chunk, 4000), ==,
                        SMFIR_CONTINUE);
    g_assert_cmpint(milter_client_end(old), ==, SMFIR_CONTINUE);
    g_assert_cmpuint(seen.bytes->len, ==, SMALL_LIMIT);
    filter_configure(make_ruleset(LIMIT, false));
}

static void
test_outbound(void)
{
    g_autoptr(MilterClient) client = connect_client();
    static const char *const user[] = { "{auth_authen}", "joe", NULL };
    unsigned messages = seen.messages;

    /* Nothing can come of it: let go at the first chunk. */
    milter_client_macros(client, SMFIC_MAIL, user);
    g_assert_cmpint(send_message(client, 10), ==, SMFIR_ACCEPT);
    g_assert_cmpuint(client->skipped, >, 0);
    g_assert_cmpuint(seen.messages, ==, messages);

    /* The Message-ID is wanted: header section only. */
    filter_configure(make_ruleset(LIMIT, true));
    milter_client_macros(client, SMFIC_MAIL, user);
    g_assert_cmpint(send_message(client, 10), ==, SMFIR_CONTINUE);
    g_assert_cmpuint(seen.messages, ==, messages + 1);
    g_assert_cmpstr(seen.envelope->auth_user, ==, "joe");
    size_t head = (size_t) (strstr(message, "\r\n\r\n") - message) + 4;
    assert_seen(message, head);
    filter_configure(make_ruleset(LIMIT, false));
}

static void
test_reset(void)
{
    g_autoptr(MilterClient) client = connect_client();
    unsigned messages = seen.messages;
    (void) milter_client_mail(client, "<other@example.org>");
    (void) milter_client_rcpt(client, "<x@ours.example>");
    (void) milter_client_header(client, "Subject", " other");
    (void) milter_client_body(client, "other", 5);
    milter_client_abort(client);
    /* The same connection goes on, and nothing of the first is left. */
    g_assert_cmpint(send_message(client, 100), ==, SMFIR_CONTINUE);
    g_assert_cmpuint(seen.messages, ==, messages + 1);
    assert_seen(message, strlen(message));
    g_assert_cmpuint(seen.envelope->recipients->len, ==, 1);
}

static void
test_vanish(void)
{
    unsigned messages = seen.messages;
    for (int i = 0; i < 30; i++) {
        MilterClient *client = connect_raw();
        if (i % 5 > 0)
            milter_client_negotiate(client, ~0u);
        if (i % 5 > 1)
            (void) milter_client_hello(client, "a", "192.0.2.7", "h");
        if (i % 5 > 2)
            begin_message(client, "<ann@example.org>");
        if (i % 5 > 3)
            (void) milter_client_body(client, "half a li", 9);
        if (i % 2 == 0)
            milter_client_quit(client);
        milter_client_free(client);
    }
    g_autoptr(MilterClient) client = connect_client();
    g_assert_cmpint(send_message(client, 100), ==, SMFIR_CONTINUE);
    g_assert_cmpuint(seen.messages, ==, messages + 1);
}

/* Neither step order nor nonsense brings it down. */
static void
test_out_of_order(void)
{
    g_autoptr(MilterClient) client = connect_raw();
    milter_client_negotiate(client, ~0u);
    milter_client_abort(client);
    milter_client_abort(client);
    (void) milter_client_mail(client, "<a@example.org>");
    (void) milter_client_mail(client, "<b@example.org>");
    milter_client_free(g_steal_pointer(&client));

    g_autoptr(MilterClient) after = connect_client();
    g_assert_cmpint(send_message(after, 100), ==, SMFIR_CONTINUE);
}

static void
test_many_on_one(void)
{
    g_autoptr(MilterClient) client = connect_client();
    unsigned messages = seen.messages;
    unsigned count = g_test_quick() ? 2000 : 5000;
    for (unsigned i = 0; i < count; i++)
        g_assert_cmpint(send_message(client, 65535), ==, SMFIR_CONTINUE);
    g_assert_cmpuint(seen.messages, ==, messages + count);
}

static void
test_long_header(void)
{
    g_autoptr(MilterClient) client = connect_client();
    begin_message(client, "<ann@example.org>");
    g_autofree char *value = g_strnfill(1024 * 1024, 'v');
    (void) milter_client_header(client, "X-Long", value);
    (void) milter_client_header(client, "Subject", " after");
    g_assert_cmpint(milter_client_end(client), ==, SMFIR_CONTINUE);
    g_assert_cmpuint(seen.bytes->len, ==, LIMIT);
}

static void
test_many_recipients(void)
{
    g_autoptr(MilterClient) client = connect_client();
    begin_message(client, "<ann@example.org>");
    for (int i = 0; i < FILTER_MAX_RECIPIENTS + 50; i++)
        (void) milter_client_rcpt(client, "<b@ours.example>");
    g_autofree char *monster = g_strnfill(100000, 'm');
    (void) milter_client_rcpt(client, monster);
    g_assert_cmpint(milter_client_end(client), ==, SMFIR_CONTINUE);
    g_assert_cmpuint(seen.envelope->recipients->len, ==, FILTER_MAX_RECIPIENTS);
}

/* A message keeps the ruleset that it began with. */
static void
test_reload(void)
{
    g_autoptr(MilterClient) client = connect_client();
    g_assert_cmpint(send_message(client, 100), ==, SMFIR_CONTINUE);
    unsigned first = seen.serial;
    begin_message(client, "<ann@example.org>");
    g_assert_cmpint(milter_client_body(client, "x", 1), ==, SMFIR_CONTINUE);
    filter_configure(make_ruleset(LIMIT, false));
    g_assert_cmpint(milter_client_end(client), ==, SMFIR_CONTINUE);
    g_assert_cmpuint(seen.serial, ==, first);
    g_assert_cmpint(send_message(client, 100), ==, SMFIR_CONTINUE);
    g_assert_cmpuint(seen.serial, ==, first + 1);
    pthread_mutex_lock(&seen.lock);
    g_assert_cmpuint(rulesets_alive, ==, 1);
    pthread_mutex_unlock(&seen.lock);
}

/* Whatever becomes of the observations, the mail goes on. */
static void
test_spool_results(void)
{
    static const SpoolResult results[] = { SPOOL_STORED, SPOOL_WAITING,
                                           SPOOL_LOST };
    g_autoptr(MilterClient) client = connect_client();
    for (size_t i = 0; i < G_N_ELEMENTS(results); i++) {
        pthread_mutex_lock(&seen.lock);
        seen.result = results[i];
        pthread_mutex_unlock(&seen.lock);
        g_assert_cmpint(send_message(client, 100), ==, SMFIR_CONTINUE);
    }
    pthread_mutex_lock(&seen.lock);
    seen.result = SPOOL_STORED;
    pthread_mutex_unlock(&seen.lock);
}

/* The same contact again is not stored again, but has its log line; after a
 * reload it is stored. */
static void
test_recent(void)
{
    g_autoptr(MilterClient) client = connect_client();
    g_autofree char *path = NULL;
    int to = g_file_open_tmp("test-filter-XXXXXX", &path, NULL);
    int before = dup(STDERR_FILENO);
    g_assert_cmpint(to, >=, 0);
    g_assert_cmpint(dup2(to, STDERR_FILENO), ==, STDERR_FILENO);
    log_open("test_filter", LOG_TARGET_STDERR, LOG_LEVEL_INFO_, ADDRESSES_FULL);
    pthread_mutex_lock(&seen.lock);
    seen.same_again = true;
    unsigned appended = seen.appended;
    pthread_mutex_unlock(&seen.lock);
    for (int i = 0; i < 5; i++)
        g_assert_cmpint(send_message(client, 100), ==, SMFIR_CONTINUE);
    g_assert_cmpuint(seen.appended, ==, appended + 1);
    log_open("test_filter", LOG_TARGET_STDERR, LOG_LEVEL_ERROR_,
             ADDRESSES_FULL);
    g_assert_cmpint(dup2(before, STDERR_FILENO), ==, STDERR_FILENO);
    close(before);
    close(to);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    (void) g_unlink(path);
    g_auto(GStrv) lines = g_strsplit(text, ": contact=", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 1 + 4);
    g_assert_nonnull(strstr(text, " fields="));
    g_assert_nonnull(strstr(text, " trust=known "));
    filter_configure(make_ruleset(LIMIT, false));
    for (int i = 0; i < 5; i++)
        g_assert_cmpint(send_message(client, 100), ==, SMFIR_CONTINUE);
    g_assert_cmpuint(seen.appended, ==, appended + 2);
    pthread_mutex_lock(&seen.lock);
    seen.same_again = false;
    pthread_mutex_unlock(&seen.lock);
}

static void *
send_many(void *data)
{
    unsigned *failures = data;
    for (int round = 0; round < 5; round++) {
        g_autoptr(MilterClient) client = connect_client();
        for (int i = 0; i < 20; i++) {
            if (send_message(client, 7) != SMFIR_CONTINUE)
                ++*failures;
        }
        milter_client_quit(client);
    }
    return NULL;
}

static void
test_concurrent(void)
{
    enum { THREADS = 16 };
    pthread_t threads[THREADS];
    unsigned failures[THREADS] = { 0 };
    unsigned messages = seen.messages;
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, send_many, &failures[i]);
    for (int i = 0; i < 50; i++) {
        filter_configure(make_ruleset(LIMIT, false));
        g_usleep(2000);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        g_assert_cmpuint(failures[i], ==, 0);
    }
    g_assert_cmpuint(seen.messages, ==, messages + THREADS * 5 * 20);
}

static void
test_second_instance(void)
{
#ifdef TEST_TCP
    g_test_skip("the kernel refuses a second listener");
#else
    Settings settings = listen_settings(socket_name);
    g_autoptr(GError) error = NULL;
    g_assert_false(listener_open(&settings, &error));
    g_assert_nonnull(strstr(error->message, "another process serves"));
    g_clear_error(&error);

    /* Nor is a file of somebody else removed. */
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    g_autofree char *name = g_strconcat("unix:", path, NULL);
    g_assert_true(g_file_set_contents(path, "precious", -1, NULL));
    settings = listen_settings(name);
    g_assert_false(listener_open(&settings, &error));
    g_assert_nonnull(strstr(error->message, "not a socket"));
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    g_unlink(path);
#endif
}

static void
test_socket_mode(void)
{
#ifdef TEST_TCP
    g_test_skip("TCP");
#else
    GStatBuf info;
    g_assert_cmpint(g_stat(socket_name + strlen("unix:"), &info), ==, 0);
    g_assert_cmphex(info.st_mode & 0777, ==, 0660);
#endif
}

static void *
drain(void *data)
{
    (void) data;
    filter_drain(10000);
    return NULL;
}

/* The last test: a session that has begun is finished, nobody new comes in,
 * and then the filter ends at once. */
static void
test_drain(void)
{
    g_autoptr(MilterClient) client = connect_client();
    begin_message(client, "<ann@example.org>");
    (void) milter_client_body(client, "half", 4);
    unsigned appended = seen.appended;
    pthread_mutex_lock(&seen.lock);
    seen.append_us = 100000;
    pthread_mutex_unlock(&seen.lock);

    int64_t start = g_get_monotonic_time();
    pthread_t thread;
    pthread_create(&thread, NULL, drain, NULL);
    g_usleep(200000);
    MilterClient *late = milter_client_connect(socket_name);
    g_assert_null(late);
    g_assert_cmpint(milter_client_end(client), ==, SMFIR_CONTINUE);
    g_assert_cmpuint(seen.appended, ==, appended + 1);
    milter_client_quit(client);
    pthread_join(thread, NULL);
    pthread_join(filter_thread, NULL);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 2 * G_USEC_PER_SEC);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    log_open("test_filter", LOG_TARGET_STDERR, LOG_LEVEL_ERROR_,
             ADDRESSES_FULL);
    start_filter();
    g_test_add_func("/filter/negotiate", test_negotiate);
    g_test_add_func("/filter/negotiate old", test_negotiate_old);
    g_test_add_func("/filter/message", test_message);
    g_test_add_func("/filter/chunks", test_chunks);
    for (size_t i = 0; i < G_N_ELEMENTS(senders); i++) {
        g_autofree char *path =
            g_strdup_printf("/filter/sender/%s", senders[i].name);
        g_test_add_data_func(path, &senders[i], test_sender);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(clients); i++) {
        g_autofree char *path =
            g_strdup_printf("/filter/client/%s", clients[i].name);
        g_test_add_data_func(path, &clients[i], test_client);
    }
    g_test_add_func("/filter/capture limit", test_capture_limit);
    g_test_add_func("/filter/outbound", test_outbound);
    g_test_add_func("/filter/reset", test_reset);
    g_test_add_func("/filter/vanish", test_vanish);
    g_test_add_func("/filter/out of order", test_out_of_order);
    g_test_add_func("/filter/many on one connection", test_many_on_one);
    g_test_add_func("/filter/long header", test_long_header);
    g_test_add_func("/filter/many recipients", test_many_recipients);
    g_test_add_func("/filter/reload", test_reload);
    g_test_add_func("/filter/spool results", test_spool_results);
    g_test_add_func("/filter/recent", test_recent);
    g_test_add_func("/filter/concurrent", test_concurrent);
    g_test_add_func("/filter/second instance", test_second_instance);
    g_test_add_func("/filter/socket mode", test_socket_mode);
    g_test_add_func("/filter end/drain", test_drain);
    int result = g_test_run();

    if (seen.bytes != NULL)
        g_string_free(seen.bytes, TRUE);
    envelope_free(seen.envelope);
    g_rmdir(folder);
    g_free(folder);
    g_free(socket_name);
    return result;
}

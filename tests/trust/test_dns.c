/*
 * The resolver for real: dnsmasq on a loopback address, and our own
 * resolv.conf in a mount namespace. Needs root and dnsmasq; says loudly when
 * it cannot run.
 */
#include "base/log.h"
#include "trust/dns.h"
#include "trust/judge.h"
#include "trust/spf.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER "127.53.0.1"
#define MUTE "127.53.0.2" /* bound by us, never answers */

static char *folder;
static char *why_not; /* the reason to skip everything */
static GPid server;

static char *
path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void
write_file(const char *name, const char *text)
{
    g_autofree char *path = path_of(name);
    g_autoptr(GError) error = NULL;
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
}

/* g_file_set_contents() makes a new file; the bind mount keeps the old. */
static void
use_server(const char *address)
{
    g_autofree char *text = g_strdup_printf("nameserver %s\n", address);
    int fd = open("/etc/resolv.conf", O_WRONLY | O_TRUNC | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, text, strlen(text)), ==, (ssize_t) strlen(text));
    (void) close(fd);
}

static void
write_zone(void)
{
    g_autoptr(GString) s = g_string_new(
        "no-resolv\nno-hosts\nlocal=/example/\nlocal-ttl=300\n"
        "bind-interfaces\nlisten-address=" SERVER "\nport=53\n"
        "user=root\nlog-queries\n"
        "txt-record=good.example,\"v=spf1 ip4:192.0.2.10 -all\"\n"
        "txt-record=six.example,\"v=spf1 ip6:2001:db8::/32 -all\"\n"
        "txt-record=a.example,\"v=spf1 a -all\"\n"
        "host-record=a.example,192.0.2.10,2001:db8::10\n"
        "txt-record=mx.example,\"v=spf1 mx -all\"\n"
        "mx-host=mx.example,a.example,10\n"
        "txt-record=ptr.example,\"v=spf1 ptr -all\"\n"
        "host-record=h.ptr.example,192.0.2.10\n"
        "ptr-record=10.2.0.192.in-addr.arpa,h.ptr.example\n"
        "txt-record=split.example,\"v=spf1 ip4:192.0\",\".2.10 -all\"\n"
        "txt-record=soft.example,\"v=spf1 ~all\"\n"
        "txt-record=two.example,\"v=spf1 -all\"\n"
        "txt-record=two.example,\"v=spf1 +all\"\n"
        "cname=alias.example,a.example\n"
        "txt-record=viacname.example,\"v=spf1 a:alias.example -all\"\n"
        "host-record=nospf.example,192.0.2.1\n"
        "txt-record=helo.example,\"v=spf1 a -all\"\n"
        "host-record=helo.example,192.0.2.10\n");
    /* An answer too big for UDP. */
    for (int i = 0; i < 40; i++)
        g_string_append_printf(s, "txt-record=big.example,\"%02d%0100d\"\n", i,
                               i);
    g_string_append(s,
                    "txt-record=big.example,\"v=spf1 ip4:192.0.2.10 -all\"\n");
    for (int level = 1; level <= 6; level++) {
        for (int i = 0; i < 9; i++) {
            g_string_append_printf(s, "txt-record=n%d.bomb%d.example,\"v=spf1",
                                   i, level);
            for (int k = 0; k < 9 && level < 6; k++)
                g_string_append_printf(s, " include:n%d.bomb%d.example", k,
                                       level + 1);
            g_string_append(s, " ?all\"\n");
        }
    }
    write_file("dnsmasq.conf", s->str);
}

/* Everything that can be missing is a reason to skip, never to fail. */
static void
start(void)
{
    g_autofree char *dnsmasq = g_find_program_in_path("dnsmasq");
    if (dnsmasq == NULL && g_file_test("/usr/sbin/dnsmasq", G_FILE_TEST_EXISTS))
        dnsmasq = g_strdup("/usr/sbin/dnsmasq");
    if (geteuid() != 0)
        why_not = g_strdup("not root");
    else if (dnsmasq == NULL)
        why_not = g_strdup("dnsmasq is not installed (dnsmasq-base)");
    else if (unshare(CLONE_NEWNS) != 0)
        why_not = g_strdup_printf("no mount namespace: %s", g_strerror(errno));
    else if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        why_not = g_strdup_printf("mounts: %s", g_strerror(errno));
    if (why_not != NULL)
        return;

    folder = g_dir_make_tmp("dns-XXXXXX", NULL);
    g_autofree char *resolv = path_of("resolv.conf");
    g_autofree char *conf = path_of("dnsmasq.conf");
    g_autofree char *log = path_of("log");
    write_file("resolv.conf", "nameserver " SERVER "\n");
    write_zone();
    if (mount(resolv, "/etc/resolv.conf", NULL, MS_BIND, NULL) != 0) {
        why_not = g_strdup_printf("/etc/resolv.conf: %s", g_strerror(errno));
        return;
    }
    g_autofree char *conf_arg = g_strdup_printf("--conf-file=%s", conf);
    g_autofree char *log_arg = g_strdup_printf("--log-facility=%s", log);
    char *argv[] = { dnsmasq, (char *) "--keep-in-foreground", conf_arg,
                     log_arg, NULL };
    g_autoptr(GError) error = NULL;
    if (!g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                       &server, &error)) {
        why_not = g_strdup(error->message);
        return;
    }
    /* It says when it is ready by answering. */
    for (int i = 0; i < 50; i++) {
        g_autoptr(DnsAnswer) a = dns_query("good.example", ns_t_txt, 1000);
        if (a->status == DNS_FOUND)
            return;
        if (waitpid(server, NULL, WNOHANG) == server) {
            server = 0;
            why_not = g_strdup("dnsmasq ended at once (port 53 on " SERVER
                               " not to be had?)");
            return;
        }
        g_usleep(100000);
    }
    why_not = g_strdup("dnsmasq does not answer");
}

static void
stop(void)
{
    if (server != 0) {
        (void) kill(server, SIGTERM);
        (void) waitpid(server, NULL, 0);
    }
    if (folder != NULL) {
        (void) umount2("/etc/resolv.conf", MNT_DETACH);
        g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
        const char *name;
        while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
            g_autofree char *path = path_of(name);
            (void) g_unlink(path);
        }
        (void) g_rmdir(folder);
    }
    g_free(folder);
    g_free(why_not);
}

static bool
skipped(void)
{
    if (why_not == NULL)
        return false;
    g_autofree char *text =
        g_strdup_printf("SKIPPED, the resolver is not tested: %s", why_not);
    g_test_skip(text);
    return true;
}

/* Questions that reached the server so far. */
static unsigned
questions(void)
{
    g_autofree char *path = path_of("log");
    g_autofree char *text = NULL;
    unsigned n = 0;
    if (g_file_get_contents(path, &text, NULL, NULL))
        for (const char *p = text; (p = strstr(p, ": query[")) != NULL; p++)
            n++;
    return n;
}

typedef struct {
    const char *name, *client, *helo, *sender;
    SpfVerdict want;
} Case;

static const Case cases[] = {
    { "ip4", "192.0.2.10", "h.example", "x@good.example", SPF_PASS },
    { "ip4 other", "192.0.2.11", "h.example", "x@good.example", SPF_FAIL },
    { "ip6", "2001:db8::7", "h.example", "x@six.example", SPF_PASS },
    { "a", "192.0.2.10", "h.example", "x@a.example", SPF_PASS },
    { "a v6", "2001:db8::10", "h.example", "x@a.example", SPF_PASS },
    { "mx", "192.0.2.10", "h.example", "x@mx.example", SPF_PASS },
    { "mx other", "192.0.2.11", "h.example", "x@mx.example", SPF_FAIL },
    { "ptr", "192.0.2.10", "h.example", "x@ptr.example", SPF_PASS },
    { "split strings", "192.0.2.10", "h.example", "x@split.example", SPF_PASS },
    { "cname", "192.0.2.10", "h.example", "x@viacname.example", SPF_PASS },
    { "big answer by TCP", "192.0.2.10", "h.example", "x@big.example",
      SPF_PASS },
    { "softfail", "192.0.2.10", "h.example", "x@soft.example", SPF_SOFTFAIL },
    { "two records", "192.0.2.10", "h.example", "x@two.example",
      SPF_PERMERROR },
    { "no record", "192.0.2.10", "h.example", "x@nospf.example", SPF_NONE },
    { "no such name", "192.0.2.10", "h.example", "x@gone.example", SPF_NONE },
    { "null sender", "192.0.2.10", "helo.example", "", SPF_PASS },
    { "refused", "192.0.2.10", "h.example", "x@elsewhere.test", SPF_TEMPERROR },
};

static void
test_cases(void)
{
    if (skipped())
        return;
    SpfChecker *checker = spf_checker_new(NULL, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Case *c = &cases[i];
        SpfOutcome outcome;
        spf_check(checker, c->client, c->helo, c->sender, &outcome);
        if (outcome.verdict != c->want)
            g_test_fail_printf("%s: %s (%s)", c->name,
                               spf_verdict_name(outcome.verdict), outcome.why);
        spf_outcome_clear(&outcome);
    }
    spf_checker_free(checker);
}

static void
test_ttl(void)
{
    if (skipped())
        return;
    g_autoptr(DnsAnswer) found = dns_query("good.example", ns_t_txt, 5000);
    g_assert_cmpint(found->status, ==, DNS_FOUND);
    g_assert_cmpint(found->ttl, ==, 300);
    SpfChecker *checker = spf_checker_new(NULL, NULL);
    unsigned before = questions();
    for (int i = 0; i < 5; i++) {
        SpfOutcome outcome;
        spf_check(checker, "192.0.2.10", "h", "x@good.example", &outcome);
        g_assert_cmpint(outcome.verdict, ==, SPF_PASS);
        spf_outcome_clear(&outcome);
    }
    g_assert_cmpuint(questions() - before, ==, 1);
    spf_checker_free(checker);
}

static void
test_bomb(void)
{
    if (skipped())
        return;
    SpfChecker *checker = spf_checker_new(NULL, NULL);
    unsigned before = questions();
    SpfOutcome outcome;
    spf_check(checker, "192.0.2.10", "h", "x@n0.bomb1.example", &outcome);
    g_assert_cmpint(outcome.verdict, ==, SPF_PERMERROR);
    unsigned n = questions() - before;
    g_test_message("%u questions reached the server", n);
    g_assert_cmpuint(n, >, 1);
    g_assert_cmpuint(n, <=, 12);
    spf_outcome_clear(&outcome);
    spf_checker_free(checker);
}

/* A server that never answers costs what we allow, by UDP. */
static void
test_mute(void)
{
    if (skipped())
        return;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(53) };
    g_assert_cmpint(inet_pton(AF_INET, MUTE, &address.sin_addr), ==, 1);
    g_assert_cmpint(
        bind(fd, (const struct sockaddr *) &address, sizeof(address)), ==, 0);
    use_server(MUTE);
    int64_t start_time = g_get_monotonic_time();
    g_autoptr(DnsAnswer) answer = dns_query("good.example", ns_t_txt, 1000);
    int64_t ms = (g_get_monotonic_time() - start_time) / 1000;
    g_assert_cmpint(answer->status, ==, DNS_AGAIN);
    g_test_message("gave up after %" G_GINT64_FORMAT " ms", ms);
    g_assert_cmpint(ms, <, 3500);
    use_server(SERVER);
    (void) close(fd);
    /* The changed resolv.conf counts at once. */
    g_autoptr(DnsAnswer) again = dns_query("good.example", ns_t_txt, 5000);
    g_assert_cmpint(again->status, ==, DNS_FOUND);
}

/* The whole way: spool, judge with the system's resolver, store. */
static void
test_judge(void)
{
    if (skipped())
        return;
    static char *ours[] = { (char *) "ours.example", NULL };
    static char *none[] = { NULL };
    Settings settings = { .references = 1 };
    settings.mta.local_domains = ours;
    settings.trust.authserv_ids = none;
    settings.trust.arc_sealers = none;
    settings.trust.spf = true;
    settings.trust.contact = TRUST_PASS;

    g_autoptr(GError) error = NULL;
    g_autofree char *spool_path = path_of("spool.db");
    g_autofree char *uri = g_strdup_printf("sqlite:%s/contacts.db", folder);
    g_autofree char *notice = NULL;
    g_autoptr(Spool) spool = spool_open(spool_path, &notice, &error);
    g_assert_no_error(error);
    g_autoptr(Store) store = store_open(uri, "host.example", &error);
    g_assert_no_error(error);

    static const struct {
        const char *email, *client;
        bool counts;
    } mails[] = {
        { "bob@good.example", "192.0.2.10", true },
        { "eve@good.example", "198.51.100.9", false },
        { "kim@six.example", "2001:db8::1", true },
        { "joe@soft.example", "192.0.2.10", false },
        { "sue@nospf.example", "192.0.2.10", false },
        { "big@big.example", "192.0.2.10", true },
    };
    g_autoptr(GPtrArray) list =
        g_ptr_array_new_with_free_func((GDestroyNotify) observation_free);
    for (size_t i = 0; i < G_N_ELEMENTS(mails); i++) {
        Observation *o = observation_new(OBSERVATION_CONTACT, mails[i].email);
        o->contact = contact_new(mails[i].email);
        field_set(&o->contact->last_name, "Example", "Example", 0.9);
        g_ptr_array_add(o->authors, g_strdup(mails[i].email));
        o->mail_from = g_strdup(mails[i].email);
        o->helo = g_strdup("h.example");
        o->client_addr = g_strdup(mails[i].client);
        o->queue_id = g_strdup_printf("4b%zu", i);
        o->message_id = g_strdup_printf("%zu@mail.example", i);
        o->time = 1700000000;
        g_ptr_array_add(list, o);
    }
    g_assert_cmpint(spool_append(spool, list, 10000), ==, SPOOL_STORED);
    Judge *judge = judge_new(&settings, store, &error);
    while (judge_run(judge, spool, 100, 1700000000, &error) > 0)
        ;
    g_assert_no_error(error);
    for (size_t i = 0; i < G_N_ELEMENTS(mails); i++) {
        g_autoptr(ContactRecord) r = store_get(store, mails[i].email, NULL);
        if ((r != NULL) != mails[i].counts)
            g_test_fail_printf("%s", mails[i].email);
    }
    judge_free(judge);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    log_open("test_dns", LOG_TARGET_STDERR, LOG_LEVEL_WARNING_, ADDRESSES_FULL);
    start();
    if (why_not != NULL)
        fprintf(stderr, "test_dns: SKIPPED: %s\n", why_not);
    g_test_add_func("/dns/cases", test_cases);
    g_test_add_func("/dns/ttl", test_ttl);
    g_test_add_func("/dns/bomb", test_bomb);
    g_test_add_func("/dns/mute", test_mute);
    g_test_add_func("/dns/judge", test_judge);
    int rc = g_test_run();
    stop();
    return rc;
}

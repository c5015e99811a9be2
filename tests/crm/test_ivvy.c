/*
 * test_ivvy.c - the HTTP client: TLS, one kept connection, limits, stop
 */
#include "crm/ivvy.h"
#include "standin.h"

#include <glib/gstdio.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static Standin *standin;

static void
call(Ivvy *ivvy, const char *action, Answer *answer)
{
    json_t *params = json_pack("{s:i}", "id", 6);
    ivvy_call(ivvy, strcmp(action, "ping") == 0 ? "test" : "contact", action,
              strcmp(action, "ping") == 0 ? NULL : params, answer);
    json_decref(params);
}

static void
test_kept_connection(void)
{
    standin_do(standin, "reset", NULL);
    g_autoptr(Settings) settings = test_settings(standin->url);
    g_autoptr(Ivvy) ivvy = ivvy_new(settings, NULL);
    for (int i = 0; i < 5; i++) {
        g_auto(Answer) answer = { 0 };
        call(ivvy, "ping", &answer);
        g_assert_cmpint(answer.kind, ==, ANSWER_OK);
        g_assert_cmpint(answer.server_time, >, 1700000000);
    }
    g_assert_cmpint(ivvy_connections(ivvy), ==, 1);
}

static void
test_kinds(void)
{
    static const struct {
        const char *fault;
        AnswerKind kind;
        int64_t retry_after;
    } rows[] = {
        { "{'kind':'ratelimit','retry_after':7}", ANSWER_RATE, 7000 },
        { "{'kind':'ratelimit'}", ANSWER_RATE, -1 },
        { "{'kind':'redirect','location':'/api/1.0/test?action=ping'}",
          ANSWER_ENDPOINT, -1 },
        { "{'kind':'hang','seconds':3}", ANSWER_TROUBLE, -1 },
        { "{'kind':'trickle','seconds':3}", ANSWER_TROUBLE, -1 },
        { "{'kind':'huge','bytes':50000000}", ANSWER_TROUBLE, -1 },
        { "{'kind':'reset'}", ANSWER_TROUBLE, -1 },
        { "{'kind':'garbage'}", ANSWER_TROUBLE, -1 },
    };
    standin_do(standin, "reset", NULL);
    standin_do(standin, "seed",
               json_of("{'contacts':[{'id':6,'email':'ann@example.org'}]}"));
    g_autoptr(Settings) settings = test_settings(standin->url);
    settings->api.timeout = 1000;
    g_autoptr(Ivvy) ivvy = ivvy_new(settings, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        standin_do(standin, "faults", json_pack("[o]", json_of(rows[i].fault)));
        g_auto(Answer) answer = { 0 };
        call(ivvy, "getContact", &answer);
        if (answer.kind != rows[i].kind ||
            answer.retry_after != rows[i].retry_after)
            g_error("%s: %s", rows[i].fault, answer_kind_name(answer.kind));
        g_auto(Answer) good = { 0 };
        call(ivvy, "getContact", &good);
        g_assert_cmpint(good.kind, ==, ANSWER_OK);
    }
}

static void
test_clock(void)
{
    standin_do(standin, "reset", NULL);
    standin_do(standin, "set", json_of("{'clock_skew':-4000}"));
    g_autoptr(Settings) settings = test_settings(standin->url);
    g_autoptr(Ivvy) ivvy = ivvy_new(settings, NULL);
    g_auto(Answer) answer = { 0 };
    call(ivvy, "ping", &answer);
    g_assert_cmpint(answer.kind, ==, ANSWER_OK);
    g_assert_cmpint(ABS(ivvy_clock_offset(ivvy) + 4000), <=, 2);
    g_assert_cmpint(standin_count(standin, NULL), ==, 2);
}

static void *
cancel_soon(void *data)
{
    g_usleep(200000);
    ivvy_cancel(data);
    return NULL;
}

static void
test_cancel(void)
{
    standin_do(standin, "reset", NULL);
    standin_do(standin, "faults", json_of("[{'kind':'hang','seconds':10}]"));
    g_autoptr(Settings) settings = test_settings(standin->url);
    settings->api.timeout = 30000;
    g_autoptr(Ivvy) ivvy = ivvy_new(settings, NULL);
    pthread_t thread;
    g_assert_cmpint(pthread_create(&thread, NULL, cancel_soon, ivvy), ==, 0);
    int64_t began = g_get_monotonic_time();
    g_auto(Answer) answer = { 0 };
    call(ivvy, "ping", &answer);
    pthread_join(thread, NULL);
    g_assert_cmpint(answer.kind, ==, ANSWER_CANCELLED);
    g_assert_cmpint(g_get_monotonic_time() - began, <, 3000000);
}

static void
test_tls(void)
{
    g_autofree char *openssl = g_find_program_in_path("openssl");
    if (openssl == NULL) {
        g_test_skip("openssl is not installed");
        return;
    }
    g_autofree char *folder = g_dir_make_tmp("test-ivvy-XXXXXX", NULL);
    g_autofree char *cert = g_build_filename(folder, "cert.pem", NULL);
    g_autofree char *key = g_build_filename(folder, "key.pem", NULL);
    const char *argv[] = { openssl,
                           "req",
                           "-x509",
                           "-newkey",
                           "ec",
                           "-pkeyopt",
                           "ec_paramgen_curve:prime256v1",
                           "-nodes",
                           "-keyout",
                           key,
                           "-out",
                           cert,
                           "-days",
                           "2",
                           "-subj",
                           "/CN=stand-in",
                           "-addext",
                           "subjectAltName=IP:127.0.0.1",
                           NULL };
    g_assert_true(
        g_spawn_sync(NULL, (char **) argv, NULL,
                     G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                     NULL, NULL, NULL, NULL, NULL, NULL));
    const char *options[] = { "--tls-cert", cert, "--tls-key", key, NULL };
    Standin *secure = standin_start(options);
    g_assert_true(g_str_has_prefix(secure->url, "https://"));
    g_autoptr(Settings) settings = test_settings(secure->url);

    g_autoptr(Ivvy) unknown = ivvy_new(settings, NULL);
    g_auto(Answer) refused = { 0 };
    call(unknown, "ping", &refused);
    g_assert_cmpint(refused.kind, ==, ANSWER_TROUBLE);

    test_set(&settings->api.ca_file, cert);
    g_autoptr(Ivvy) ivvy = ivvy_new(settings, NULL);
    for (int i = 0; i < 3; i++) {
        g_auto(Answer) answer = { 0 };
        call(ivvy, "ping", &answer);
        g_assert_cmpint(answer.kind, ==, ANSWER_OK);
    }
    g_assert_cmpint(ivvy_connections(ivvy), ==, 1);
    standin_stop(secure);
    (void) g_unlink(cert);
    (void) g_unlink(key);
    (void) g_rmdir(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    standin = standin_start(NULL);
    g_test_add_func("/ivvy/kept-connection", test_kept_connection);
    g_test_add_func("/ivvy/kinds", test_kinds);
    g_test_add_func("/ivvy/clock", test_clock);
    g_test_add_func("/ivvy/cancel", test_cancel);
    g_test_add_func("/ivvy/tls", test_tls);
    int result = g_test_run();
    standin_stop(standin);
    return result;
}

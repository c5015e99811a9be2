/*
 * ivvy.c - the HTTP client: libcurl, one handle, one kept connection
 *
 * HTTPS only, except to loopback; no redirects, so that a signed request never
 * goes to another place; no signals, so that threads may use it; a cap on the
 * answer; a progress callback that looks at the cancel flag, so that a stop
 * does not wait for a server that hangs. Each try is signed anew, because the
 * date is part of the signature.
 */
#include "crm/ivvy.h"

#include "base/metrics.h"
#include "crm/sign.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define CONTENT_TYPE "application/json"

struct Ivvy {
    CURL *curl;
    char *endpoint; /* without a slash at the end */
    char *path;     /* of the endpoint, "" mostly */
    char *key, *secret;
    GString *body;
    char error[CURL_ERROR_SIZE];
    int64_t server_time; /* of the Date header; 0 none */
    int64_t clock_offset;
    long connections;
    atomic_bool cancelled;
};

static void
curl_init_once(void)
{
    (void) curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t
on_body(char *data, size_t size, size_t count, void *user)
{
    Ivvy *ivvy = user;
    size_t length = size * count;
    if (length > IVVY_ANSWER_MAX - ivvy->body->len)
        return 0; /* makes libcurl give up */
    g_string_append_len(ivvy->body, data, (gssize) length);
    return length;
}

static size_t
on_header(char *data, size_t size, size_t count, void *user)
{
    Ivvy *ivvy = user;
    size_t length = size * count;
    if (length > 6 && length < 100 &&
        g_ascii_strncasecmp(data, "Date: ", 6) == 0) {
        g_autofree char *value = g_strstrip(g_strndup(data + 6, length - 6));
        time_t when = curl_getdate(value, NULL);
        ivvy->server_time = when > 0 ? (int64_t) when : 0;
    }
    return length;
}

static int
on_progress(void *user, curl_off_t dltotal, curl_off_t dlnow,
            curl_off_t ultotal, curl_off_t ulnow)
{
    Ivvy *ivvy = user;
    (void) dltotal, (void) dlnow, (void) ultotal, (void) ulnow;
    return atomic_load(&ivvy->cancelled) ? 1 : 0;
}

static bool
endpoint_is_plain(const char *endpoint)
{
    return g_ascii_strncasecmp(endpoint, "http://", 7) == 0;
}

static void
set_protocols(CURL *curl, bool plain)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS,
                     (long) (plain ? CURLPROTO_HTTP : CURLPROTO_HTTPS));
#endif
}

Ivvy *
ivvy_new(const Settings *settings, GError **error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void) pthread_once(&once, curl_init_once);
    if (settings->api.endpoint == NULL || settings->api.key == NULL ||
        settings->api.secret == NULL) {
        g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                            "[api] key and secret_file are required");
        return NULL;
    }
    CURL *curl = curl_easy_init();
    if (curl == NULL) {
        g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                            "libcurl cannot be initialised");
        return NULL;
    }
    Ivvy *ivvy = g_new0(Ivvy, 1);
    ivvy->curl = curl;
    ivvy->endpoint = g_strdup(settings->api.endpoint);
    size_t length = strlen(ivvy->endpoint);
    while (length > 0 && ivvy->endpoint[length - 1] == '/')
        ivvy->endpoint[--length] = '\0';
    const char *host = strstr(ivvy->endpoint, "://");
    const char *path = host != NULL ? strchr(host + 3, '/') : NULL;
    ivvy->path = g_strdup(path != NULL ? path : "");
    ivvy->key = g_strdup(settings->api.key);
    ivvy->secret = g_strdup(settings->api.secret);
    ivvy->body = g_string_new(NULL);

    bool plain = endpoint_is_plain(ivvy->endpoint);
    long timeout = (long) settings->api.timeout;
    set_protocols(curl, plain);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, MIN(timeout, 10000L));
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "contact-milter");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, ivvy->error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, ivvy);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, ivvy);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, ivvy);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long) IVVY_ANSWER_MAX);
    if (plain) /* loopback: never through a proxy of the environment */
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    if (settings->api.ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, settings->api.ca_file);
    return ivvy;
}

void
ivvy_free(Ivvy *ivvy)
{
    if (ivvy == NULL)
        return;
    curl_easy_cleanup(ivvy->curl);
    g_string_free(ivvy->body, TRUE);
    g_free(ivvy->endpoint);
    g_free(ivvy->path);
    g_free(ivvy->key);
    if (ivvy->secret != NULL)
        explicit_bzero(ivvy->secret, strlen(ivvy->secret));
    g_free(ivvy->secret);
    g_free(ivvy);
}

void
ivvy_cancel(Ivvy *ivvy)
{
    atomic_store(&ivvy->cancelled, true);
}

int64_t
ivvy_clock_offset(const Ivvy *ivvy)
{
    return ivvy->clock_offset;
}

void
ivvy_set_clock_offset(Ivvy *ivvy, int64_t seconds)
{
    ivvy->clock_offset = seconds;
}

long
ivvy_connections(const Ivvy *ivvy)
{
    return ivvy->connections;
}

static struct curl_slist *
headers_of(const Ivvy *ivvy, const char *uri, const char *body, size_t length)
{
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(
        g_get_real_time() / G_USEC_PER_SEC + ivvy->clock_offset);
    g_autofree char *date = g_date_time_format(now, "%Y-%m-%d %H:%M:%S");
    g_autofree char *md5 = sign_body(body, length);
    g_autofree char *authorization = sign_authorization(
        ivvy->key, ivvy->secret, md5, CONTENT_TYPE, uri, date);
    const char *const lines[][2] = {
        { "Content-Type: ", CONTENT_TYPE },
        { "Content-MD5: ", md5 },
        { "IVVY-Date: ", date },
        { "X-Api-Version: ", "1.0" },
        { "X-Api-Authorization: ", authorization },
        { "Accept: ", "application/json" },
        { "Expect:", "" }, /* no round trip before a large body */
    };
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *line = g_strconcat(lines[i][0], lines[i][1], NULL);
        list = curl_slist_append(list, line);
    }
    return list;
}

static void
send_once(Ivvy *ivvy, const char *url, const char *uri, const char *body,
          size_t length, Answer *answer)
{
    CURL *curl = ivvy->curl;
    struct curl_slist *headers = headers_of(ivvy, uri, body, length);
    g_string_truncate(ivvy->body, 0);
    ivvy->error[0] = '\0';
    ivvy->server_time = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) length);
    CURLcode result = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);

    long status = 0, opened = 0;
    curl_off_t retry_after = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
    curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &opened);
    ivvy->connections += opened;
    if (result == CURLE_OK) {
        answer_parse(answer, (int) status, ivvy->body->str, ivvy->body->len);
        if (retry_after > 0)
            answer->retry_after = retry_after * 1000;
    } else if (result == CURLE_ABORTED_BY_CALLBACK) {
        answer_fail(answer, ANSWER_CANCELLED, "stopped");
    } else {
        answer_fail(answer, ANSWER_TROUBLE,
                    result == CURLE_WRITE_ERROR ? "the answer is too large"
                    : ivvy->error[0] != '\0'    ? ivvy->error
                                                : curl_easy_strerror(result));
        answer->http = (int) status;
    }
    answer->server_time = ivvy->server_time;
}

void
ivvy_call(Ivvy *ivvy, const char *name_space, const char *action,
          const json_t *params, Answer *answer)
{
    if (atomic_load(&ivvy->cancelled)) {
        answer_fail(answer, ANSWER_CANCELLED, "stopped");
        return;
    }
    char *dump =
        params != NULL ? json_dumps(params, JSON_COMPACT) : strdup("{}");
    if (dump == NULL) {
        answer_fail(answer, ANSWER_REQUEST, "the request is not valid JSON");
        return;
    }
    size_t length = strlen(dump);
    g_autofree char *query =
        g_strdup_printf("/api/1.0/%s?action=%s", name_space, action);
    g_autofree char *url = g_strconcat(ivvy->endpoint, query, NULL);
    g_autofree char *uri = g_strconcat(ivvy->path, query, NULL);
    int64_t began = g_get_monotonic_time();
    send_once(ivvy, url, uri, dump, length, answer);
    if (answer->specific == SPECIFIC_STALE && answer->server_time != 0) {
        ivvy->clock_offset =
            answer->server_time - g_get_real_time() / G_USEC_PER_SEC;
        answer_clear(answer);
        send_once(ivvy, url, uri, dump, length, answer);
    }
    free(dump);
    g_autofree char *labels =
        g_strconcat(action, ",", answer_kind_name(answer->kind), NULL);
    metrics_inc("api_calls_total", "action,result", labels);
    metrics_observe("api_call_seconds", "action", action,
                    (double) (g_get_monotonic_time() - began) / 1e6);
}

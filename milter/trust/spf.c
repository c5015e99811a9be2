/*
 * spf.c - see spf.h
 *
 * libspf2 evaluates; spf_layer.c is its only view of the world. It gets the
 * client's address and stand-ins, nothing that a stranger wrote.
 *
 * libspf2 calls abort() on what it takes for its own bugs and when memory is
 * short. Its error handler, which must not return, jumps back here: the check
 * is a temperror then, and what libspf2 held is leaked. That happens in its
 * own frames only; nothing of ours between setjmp() and the jump holds a
 * lock, for the handler is reached from libspf2's code alone.
 */
#include "trust/spf.h"

#include "trust/alignment.h"
#include "trust/spf_layer.h"

#include <pthread.h>
#include <setjmp.h>
#include <spf2/spf_log.h>
#include <string.h>

struct SpfChecker {
    SpfCache *cache;
};

static pthread_once_t handlers_once = PTHREAD_ONCE_INIT;
static _Thread_local sigjmp_buf *bail_out;

static void __attribute__((noreturn))
on_error(const char *file, int line, const char *message)
{
    if (bail_out == NULL)
        g_error("libspf2: %s (%s:%d)", message, file, line);
    siglongjmp(*bail_out, 1);
}

static void
on_chatter(const char *file, int line, const char *message)
{
    (void) file;
    (void) line;
    (void) message;
}

static void
set_handlers(void)
{
    SPF_error_handler = on_error;
    SPF_warning_handler = on_chatter;
    SPF_info_handler = on_chatter;
    SPF_debug_handler = on_chatter;
}

SpfChecker *
spf_checker_new(struct SPF_dns_server_struct *below, int64_t (*clock)(void))
{
    (void) pthread_once(&handlers_once, set_handlers);
    SpfChecker *checker = g_new0(SpfChecker, 1);
    checker->cache = spf_cache_new(below, clock);
    return checker;
}

void
spf_checker_free(SpfChecker *checker)
{
    if (checker == NULL)
        return;
    spf_cache_free(checker->cache);
    g_free(checker);
}

void
spf_outcome_clear(SpfOutcome *outcome)
{
    g_free(outcome->domain);
    *outcome = (SpfOutcome){ .why = "" };
}

const char *
spf_verdict_name(SpfVerdict verdict)
{
    static const char *const names[] = {
        "unchecked", "none",     "neutral",   "pass",
        "fail",      "softfail", "temperror", "permerror",
    };
    return names[verdict];
}

/* Fills subject->address; false for no address and for loopback. */
static bool
parse_client(const char *text, SpfSubject *subject)
{
    struct in_addr four;
    struct in6_addr six;
    if (text == NULL)
        return false;
    if (g_ascii_strncasecmp(text, "IPv6:", 5) == 0)
        text += 5;
    if (inet_pton(AF_INET, text, &four) == 1) {
        memcpy(subject->address, &four, 4);
    } else if (inet_pton(AF_INET6, text, &six) != 1) {
        return false;
    } else if (IN6_IS_ADDR_V4MAPPED(&six)) {
        memcpy(subject->address, six.s6_addr + 12, 4);
    } else {
        memcpy(subject->address, &six, 16);
        subject->ipv6 = true;
        return !IN6_IS_ADDR_LOOPBACK(&six) && !IN6_IS_ADDR_UNSPECIFIED(&six);
    }
    return subject->address[0] != 127 && subject->address[0] != 0;
}

static SpfVerdict
from_libspf2(SPF_result_t result)
{
    switch (result) {
    case SPF_RESULT_NEUTRAL:
        return SPF_NEUTRAL;
    case SPF_RESULT_PASS:
        return SPF_PASS;
    case SPF_RESULT_FAIL:
        return SPF_FAIL;
    case SPF_RESULT_SOFTFAIL:
        return SPF_SOFTFAIL;
    case SPF_RESULT_NONE:
        return SPF_NONE;
    case SPF_RESULT_TEMPERROR:
        return SPF_TEMPERROR;
    case SPF_RESULT_PERMERROR:
    case SPF_RESULT_INVALID:
    default:
        return SPF_PERMERROR;
    }
}

/* Runs libspf2 over the layer. A function of its own, so that no local of the
 * caller is in doubt after the jump. */
static SpfVerdict __attribute__((noinline))
evaluate(SpfLayer *layer, const char *domain)
{
    sigjmp_buf here;
    if (sigsetjmp(here, 0) != 0) {
        bail_out = NULL;
        return SPF_TEMPERROR;
    }
    bail_out = &here;

    SpfVerdict verdict = SPF_TEMPERROR;
    SPF_server_t *server = SPF_server_new_dns(&layer->server, 0);
    SPF_request_t *request = server != NULL ? SPF_request_new(server) : NULL;
    if (request != NULL) {
        const char *stand_in = spf_layer_name(layer, domain);
        if (layer->subject.ipv6) {
            struct in6_addr six;
            memcpy(&six, layer->subject.address, 16);
            (void) SPF_request_set_ipv6(request, six);
        } else {
            struct in_addr four;
            memcpy(&four, layer->subject.address, 4);
            (void) SPF_request_set_ipv4(request, four);
        }
        (void) SPF_request_set_helo_dom(request, stand_in);
        (void) SPF_request_set_env_from(request, stand_in);
        /* The rewritten records are short; our own count is the one. */
        (void) SPF_server_set_max_dns_mech(server, 1000);

        SPF_response_t *response = NULL;
        (void) SPF_request_query_mailfrom(request, &response);
        if (response != NULL) {
            verdict = from_libspf2(SPF_response_result(response));
            SPF_response_free(response);
        }
        SPF_request_free(request);
    }
    if (server != NULL)
        SPF_server_free(server);
    bail_out = NULL;
    return verdict;
}

static SpfVerdict
explain(SpfVerdict verdict, SpfStop stop, const char **out_why)
{
    static const struct {
        SpfVerdict verdict;
        const char *why;
    } stops[] = {
        [SPF_STOP_TERMS] = { SPF_PERMERROR, "more than 10 lookups" },
        [SPF_STOP_VOID] = { SPF_PERMERROR, "more than 2 void lookups" },
        [SPF_STOP_MX] = { SPF_PERMERROR, "more than 10 MX hosts" },
        [SPF_STOP_SYNTAX] = { SPF_PERMERROR, "syntax error in a record" },
        [SPF_STOP_QUERIES] = { SPF_TEMPERROR, "more than 12 DNS questions" },
        [SPF_STOP_TIME] = { SPF_TEMPERROR, "out of time" },
        [SPF_STOP_DNS] = { SPF_TEMPERROR, "a name server failed" },
    };
    /* The answer after a stop is TRY_AGAIN, which is the end, whatever
     * libspf2 makes of it. */
    if (stop != SPF_STOP_NONE) {
        *out_why = stops[stop].why;
        return stops[stop].verdict;
    }
    if (verdict == SPF_TEMPERROR)
        *out_why = "libspf2 gave up";
    else if (verdict == SPF_PERMERROR)
        *out_why = "no usable policy";
    return verdict;
}

void
spf_check(SpfChecker *checker, const char *client_addr, const char *helo,
          const char *mail_from, SpfOutcome *out_outcome)
{
    *out_outcome = (SpfOutcome){ .why = "" };
    SpfSubject subject = { .helo = helo != NULL ? helo : "" };
    if (!parse_client(client_addr, &subject))
        return;

    /* MAIL FROM, or HELO for the null sender (RFC 7208, 2.4). */
    const char *at = mail_from != NULL ? strrchr(mail_from, '@') : NULL;
    bool null_sender = mail_from == NULL || *mail_from == '\0';
    g_autofree char *local = NULL;
    g_autofree char *domain = NULL;
    if (null_sender) {
        out_outcome->helo = true;
        domain = domain_normal(helo);
        local = g_strdup("postmaster");
    } else {
        domain = domain_normal(at != NULL ? at + 1 : mail_from);
        local = at != NULL && at != mail_from
                    ? g_strndup(mail_from, (size_t) (at - mail_from))
                    : g_strdup("postmaster");
    }
    /* RFC 7208, 4.3: what is no multi-label name has no policy. An address
     * literal is none either. */
    out_outcome->verdict = SPF_NONE;
    if (domain == NULL || strchr(domain, '.') == NULL ||
        !spf_name_valid(domain))
        return;

    subject.local = local;
    subject.domain = domain;
    SpfLayer *layer = spf_layer_new(
        checker->cache, &subject,
        g_get_monotonic_time() + SPF_DEADLINE_S * (int64_t) G_USEC_PER_SEC);
    SpfVerdict verdict = evaluate(layer, domain);
    out_outcome->verdict = explain(verdict, layer->stop, &out_outcome->why);
    out_outcome->queries = layer->queries;
    out_outcome->domain = g_steal_pointer(&domain);
    spf_layer_free(layer);
}

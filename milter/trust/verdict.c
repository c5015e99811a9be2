/*
 * verdict.c - see verdict.h
 *
 * For each author's domain, in this order:
 *
 *  1. dmarc=fail is fail, dmarc=pass is pass: who wrote it knew the policy;
 *  2. an aligned dkim=pass, spf=pass or auth=pass is pass;
 *  3. an aligned spf=fail is fail;
 *  4. nothing of these is neutral;
 *  5. a trusted ARC sealer who saw a pass turns fail and neutral into pass:
 *     forwarding breaks SPF, mailing lists break DKIM;
 *  6. our own domain from outside without a pass is fail.
 *
 * The message has the worst of its authors' verdicts.
 *
 * Header fields are believed only if their authserv-id is trusted and they
 * stand above the topmost Received that is not ours. Anything below came in
 * with the mail and may be forged (RFC 8601, 5). Forged ones on top must be
 * removed by whoever writes the real ones, as that section demands; should it
 * not, the topmost field of a method is the only one that counts for it.
 *
 * ARC (RFC 8617): which sealers count is told by the ARC-Seal fields. They
 * need not be checked here, because arc=pass, from a trusted host, says that
 * the whole chain was. All sealers from the one whose report is used up to
 * the last must be trusted, for each could change the message and seal anew.
 */
#include "trust/verdict.h"

#include "trust/alignment.h"
#include "trust/authres.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* The believed fields of one message. */
typedef struct {
    GPtrArray *fields; /* of AuthRes */
    GPtrArray *arc;    /* of AuthRes, ARC sets */
    GArray *seals;     /* of ArcSeal */
    unsigned ignored;
} Believed;

static bool
id_trusted(const char *id, const char *const *ids)
{
    if (ids == NULL)
        return false;
    for (size_t i = 0; ids[i] != NULL; i++)
        if (g_ascii_strcasecmp(id, ids[i]) == 0 || domain_equal(id, ids[i]))
            return true;
    return false;
}

static void
believed_init(Believed *b, const TrustFacts *facts, const TrustPolicy *policy)
{
    *b = (Believed){ 0 };
    b->fields = g_ptr_array_new_with_free_func((GDestroyNotify) authres_free);
    b->arc = g_ptr_array_new_with_free_func((GDestroyNotify) authres_free);
    b->seals = g_array_new(FALSE, TRUE, sizeof(ArcSeal));
    g_array_set_clear_func(b->seals, (GDestroyNotify) arc_seal_clear);
    g_autofree char *topmost = NULL;

    for (guint i = 0;
         facts->auth_results != NULL && i < facts->auth_results->len; i++) {
        const AuthResults *raw =
            &g_array_index(facts->auth_results, AuthResults, i);
        size_t len = strlen(raw->value);
        ArcSeal seal;
        if (raw->arc && arc_seal_parse(raw->value, len, &seal)) {
            g_array_append_val(b->seals, seal);
            continue;
        }
        AuthRes *field = authres_parse(raw->value, len, raw->arc);
        if (field != NULL && raw->arc && field->version == 1) {
            g_ptr_array_add(b->arc, field);
            continue;
        }
        bool trusted = field != NULL && !raw->arc && raw->above_received &&
                       field->version == 1;
        if (trusted && policy->any_authserv) {
            if (topmost == NULL)
                topmost = g_strdup(field->authserv_id);
            trusted = g_ascii_strcasecmp(topmost, field->authserv_id) == 0;
        } else if (trusted) {
            trusted = id_trusted(field->authserv_id, policy->authserv_ids);
        }
        if (trusted) {
            g_ptr_array_add(b->fields, field);
        } else {
            b->ignored++;
            authres_free(field);
        }
    }
}

static void
believed_clear(Believed *b)
{
    g_ptr_array_unref(b->fields);
    g_ptr_array_unref(b->arc);
    g_array_unref(b->seals);
}

/* What one or more fields say about one author's domain. */
typedef struct {
    bool dmarc_pass, dmarc_fail, dkim_pass, spf_pass, spf_fail, auth_pass;
    bool spf_known; /* any SPF result, aligned or not */
    char *dkim_domain, *spf_domain;
} Findings;

static void
findings_clear(Findings *f)
{
    g_free(f->dkim_domain);
    g_free(f->spf_domain);
}

/* The domain of "user@domain", "@domain" or "domain"; NULL for none. */
static const char *
domain_part(const char *value)
{
    if (value == NULL || *value == '\0' || strcmp(value, "<>") == 0)
        return NULL;
    const char *at = strrchr(value, '@');
    return at != NULL ? at + 1 : value;
}

static void
read_spf(const AuthResult *r, const char *domain, bool null_sender, Findings *f)
{
    const char *identity = domain_part(authres_property(r, "smtp", "mailfrom"));
    if (identity == NULL)
        identity = domain_part(authres_property(r, "smtp", "mail"));
    if (identity == NULL)
        identity = domain_part(authres_property(r, "smtp", "envfrom"));
    /* HELO stands for the sender only when there is none (RFC 7489, 4.1). */
    if (identity == NULL && null_sender)
        identity = domain_part(authres_property(r, "smtp", "helo"));
    f->spf_known = true;
    if (identity == NULL || !domain_aligned(identity, domain))
        return;
    bool pass = strcmp(r->result, "pass") == 0;
    bool fail =
        strcmp(r->result, "fail") == 0 || strcmp(r->result, "hardfail") == 0;
    f->spf_pass = f->spf_pass || pass;
    f->spf_fail = f->spf_fail || fail;
    if ((pass || fail) && f->spf_domain == NULL)
        f->spf_domain = g_strdup(identity);
}

static unsigned
method_bit(const char *method)
{
    static const char *const methods[] = { "dmarc", "dkim", "spf", "auth" };
    for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++)
        if (strcmp(method, methods[i]) == 0)
            return 1U << i;
    return 0;
}

/* Methods in *seen were in a field above and are passed over; those of this
 * field are added. */
static void
read_field(const AuthRes *field, const char *domain, bool null_sender,
           unsigned *seen, Findings *f)
{
    unsigned above = *seen;
    for (guint i = 0; i < field->results->len; i++) {
        const AuthResult *r = &g_array_index(field->results, AuthResult, i);
        bool pass = strcmp(r->result, "pass") == 0;
        unsigned bit = method_bit(r->method);
        if (r->version != 1 || (above & bit) != 0)
            continue;
        *seen |= bit;
        if (strcmp(r->method, "dmarc") == 0) {
            const char *from =
                domain_part(authres_property(r, "header", "from"));
            if (from != NULL && !domain_aligned(from, domain))
                continue;
            f->dmarc_pass = f->dmarc_pass || pass;
            f->dmarc_fail = f->dmarc_fail || strcmp(r->result, "fail") == 0;
        } else if (strcmp(r->method, "dkim") == 0 && pass) {
            const char *signer =
                domain_part(authres_property(r, "header", "d"));
            if (signer == NULL)
                signer = domain_part(authres_property(r, "header", "i"));
            if (signer == NULL || !domain_aligned(signer, domain))
                continue;
            f->dkim_pass = true;
            if (f->dkim_domain == NULL)
                f->dkim_domain = g_strdup(signer);
        } else if (strcmp(r->method, "spf") == 0) {
            read_spf(r, domain, null_sender, f);
        } else if (strcmp(r->method, "auth") == 0 && pass) {
            const char *user = domain_part(authres_property(r, "smtp", "auth"));
            f->auth_pass =
                f->auth_pass || (user != NULL && domain_aligned(user, domain));
        }
    }
}

/* --- ARC ------------------------------------------------------------------ */

static bool
arc_passed(const Believed *b, const AuthResult **out_result)
{
    bool pass = false;
    for (guint i = 0; i < b->fields->len; i++) {
        const AuthRes *field = g_ptr_array_index(b->fields, i);
        for (guint k = 0; k < field->results->len; k++) {
            const AuthResult *r = &g_array_index(field->results, AuthResult, k);
            if (strcmp(r->method, "arc") != 0 || r->version != 1)
                continue;
            /* Any other word than pass is a veto. */
            if (strcmp(r->result, "pass") != 0)
                return false;
            *out_result = r;
            pass = true;
        }
        if (pass)
            break; /* fields below may be forged */
    }
    return pass;
}

/* The lowest instance such that it and all above it were sealed by trusted
 * sealers; 0: not even the last. *out_sealer is whom the last instance names;
 * borrowed. */
static unsigned
arc_trusted_from(const Believed *b, const TrustPolicy *policy,
                 const AuthResult *arc, const char **out_sealer)
{
    const char *sealers[ARC_MAX_INSTANCE + 1] = { NULL };
    unsigned last = 0;
    for (guint i = 0; i < b->seals->len; i++) {
        const ArcSeal *seal = &g_array_index(b->seals, ArcSeal, i);
        if (sealers[seal->instance] != NULL || seal->cv == 'f')
            return 0; /* such a chain cannot have passed */
        sealers[seal->instance] = seal->domain;
        last = MAX(last, seal->instance);
    }
    if (last == 0) {
        /* No ARC-Seal was kept: header.d names the only sealer. */
        const char *sealer = authres_property(arc, "header", "d");
        if (sealer == NULL || b->arc->len != 1)
            return 0;
        sealers[1] = sealer;
        last = 1;
    }
    unsigned from = 0;
    for (unsigned i = last; i >= 1; i--) {
        if (sealers[i] == NULL || !id_trusted(sealers[i], policy->arc_sealers))
            break;
        from = i;
        *out_sealer = sealers[i];
    }
    /* A gap below means that the chain is not what passed. */
    for (unsigned i = 1; i <= last; i++)
        if (sealers[i] == NULL)
            return 0;
    return from;
}

/* Did a trusted sealer see a pass for this domain? */
static bool
arc_vouches(const Believed *b, const TrustPolicy *policy, const char *domain,
            const char **out_sealer)
{
    const AuthResult *arc = NULL;
    if (policy->arc_sealers == NULL || !arc_passed(b, &arc))
        return false;
    unsigned from = arc_trusted_from(b, policy, arc, out_sealer);
    const AuthRes *report = NULL;
    for (guint i = 0; from > 0 && i < b->arc->len; i++) {
        const AuthRes *field = g_ptr_array_index(b->arc, i);
        if (field->instance == from) {
            if (report != NULL)
                return false; /* two of one instance */
            report = field;
        }
    }
    if (report == NULL)
        return false;
    Findings f = { 0 };
    unsigned seen = 0;
    read_field(report, domain, false, &seen, &f);
    bool vouched = !f.dmarc_fail && (f.dmarc_pass || f.dkim_pass || f.spf_pass);
    findings_clear(&f);
    return vouched;
}

/* --- one author ----------------------------------------------------------- */

bool
client_is_inside_network(const char *addr)
{
    struct in_addr four;
    struct in6_addr six;
    if (addr == NULL)
        return false;
    if (g_ascii_strncasecmp(addr, "IPv6:", 5) == 0)
        addr += 5;
    if (inet_pton(AF_INET6, addr, &six) == 1) {
        if (!IN6_IS_ADDR_V4MAPPED(&six))
            return IN6_IS_ADDR_LOOPBACK(&six) || IN6_IS_ADDR_LINKLOCAL(&six) ||
                   (six.s6_addr[0] & 0xfe) == 0xfc;
        memcpy(&four, six.s6_addr + 12, 4);
    } else if (inet_pton(AF_INET, addr, &four) != 1) {
        return false;
    }
    uint32_t a = ntohl(four.s_addr);
    return a >> 24 == 127 || a >> 24 == 10 || a >> 20 == 0xac1 ||
           a >> 16 == 0xc0a8 || a >> 16 == 0xa9fe;
}

/* The domain whose SPF policy speaks for the sender; NULL for none. */
static char *
spf_identity(const TrustFacts *facts)
{
    if (facts->mail_from == NULL || *facts->mail_from == '\0')
        return domain_normal(facts->helo);
    return domain_of(facts->mail_from);
}

static AuthVerdict
judge_domain(const TrustFacts *facts, const TrustPolicy *policy,
             const Believed *b, const char *domain, char **out_reason)
{
    bool null_sender = facts->mail_from == NULL || *facts->mail_from == '\0';
    Findings f = { 0 };
    unsigned seen = 0;
    for (guint i = 0; i < b->fields->len; i++)
        read_field(g_ptr_array_index(b->fields, i), domain, null_sender, &seen,
                   &f);

    const SpfOutcome *spf = facts->spf;
    bool own_spf = spf != NULL && spf->domain != NULL && !f.spf_known &&
                   domain_aligned(spf->domain, domain);
    AuthVerdict verdict = AUTH_NEUTRAL;
    const char *sealer = NULL;
    char *reason = NULL;

    if (f.dmarc_fail) {
        verdict = AUTH_FAIL;
        reason = g_strdup_printf("dmarc=fail for %s", domain);
    } else if (f.dmarc_pass) {
        verdict = AUTH_PASS;
        reason = g_strdup_printf("dmarc=pass for %s", domain);
    } else if (f.dkim_pass) {
        verdict = AUTH_PASS;
        reason = g_strdup_printf("dkim=pass d=%s, aligned", f.dkim_domain);
    } else if (f.spf_pass) {
        verdict = AUTH_PASS;
        reason = g_strdup_printf("spf=pass for %s, aligned", f.spf_domain);
    } else if (f.auth_pass) {
        verdict = AUTH_PASS;
        reason = g_strdup_printf("auth=pass for %s", domain);
    } else if (own_spf && spf->verdict == SPF_PASS) {
        verdict = AUTH_PASS;
        reason = g_strdup_printf("spf=pass for %s, aligned", spf->domain);
    } else if (f.spf_fail) {
        verdict = AUTH_FAIL;
        reason = g_strdup_printf("spf=fail for %s, aligned", f.spf_domain);
    } else if (own_spf && spf->verdict == SPF_FAIL) {
        verdict = AUTH_FAIL;
        reason = g_strdup_printf("spf=fail for %s, aligned", spf->domain);
    } else if (own_spf) {
        reason = g_strdup_printf("spf=%s for %s%s%s",
                                 spf_verdict_name(spf->verdict), spf->domain,
                                 *spf->why != '\0' ? ": " : "", spf->why);
    } else {
        reason = g_strdup_printf("nothing aligned with %s", domain);
    }

    if (verdict != AUTH_PASS && arc_vouches(b, policy, domain, &sealer)) {
        verdict = AUTH_PASS;
        char *before = reason;
        reason =
            g_strdup_printf("arc=pass, vouched for by %s (%s)", sealer, before);
        g_free(before);
    }
    findings_clear(&f);
    *out_reason = reason;
    return verdict;
}

void
trust_judge(const TrustFacts *facts, const TrustPolicy *policy,
            TrustVerdict *out_verdict)
{
    *out_verdict = (TrustVerdict){ .verdict = AUTH_PASS };
    Believed b;
    believed_init(&b, facts, policy);
    out_verdict->ignored = b.ignored;

    guint n = facts->authors != NULL ? facts->authors->len : 0;
    if (n == 0 || n > VERDICT_MAX_AUTHORS) {
        out_verdict->verdict = AUTH_NEUTRAL;
        out_verdict->reason =
            g_strdup(n == 0 ? "no author" : "too many authors");
    }
    bool inside = facts->local || client_is_inside_network(facts->client_addr);
    for (guint i = 0; i < n && i < VERDICT_MAX_AUTHORS; i++) {
        const char *author = g_ptr_array_index(facts->authors, i);
        g_autofree char *domain = domain_of(author);
        g_autofree char *reason = NULL;
        AuthVerdict verdict = AUTH_NEUTRAL;
        if (domain == NULL) {
            reason = g_strdup("an author without a domain");
        } else if (facts->local &&
                   domain_among(domain, policy->local_domains)) {
            verdict = AUTH_PASS;
            reason = g_strdup("submitted here");
        } else {
            verdict = judge_domain(facts, policy, &b, domain, &reason);
        }
        if (verdict != AUTH_PASS && !inside && domain != NULL &&
            domain_among(domain, policy->local_domains)) {
            char *before = reason;
            verdict = AUTH_FAIL;
            out_verdict->spoof = true;
            reason = g_strdup_printf("claims our own %s from outside (%s)",
                                     domain, before);
            g_free(before);
        }
        if (out_verdict->reason == NULL || verdict < out_verdict->verdict) {
            out_verdict->verdict = MIN(verdict, out_verdict->verdict);
            g_free(out_verdict->reason);
            out_verdict->reason = g_steal_pointer(&reason);
        }
    }
    believed_clear(&b);
}

bool
trust_needs_spf(const TrustFacts *facts, const TrustPolicy *policy)
{
    if (facts->local || facts->client_addr == NULL || facts->authors == NULL)
        return false;
    g_autofree char *identity = spf_identity(facts);
    if (identity == NULL)
        return false;
    Believed b;
    believed_init(&b, facts, policy);
    bool null_sender = facts->mail_from == NULL || *facts->mail_from == '\0';
    bool needed = false;
    for (guint i = 0; i < facts->authors->len && i < VERDICT_MAX_AUTHORS; i++) {
        g_autofree char *domain =
            domain_of(g_ptr_array_index(facts->authors, i));
        if (domain == NULL || !domain_aligned(identity, domain))
            continue;
        Findings f = { 0 };
        unsigned seen = 0;
        for (guint k = 0; k < b.fields->len; k++)
            read_field(g_ptr_array_index(b.fields, k), domain, null_sender,
                       &seen, &f);
        needed = needed || !(f.dmarc_pass || f.dmarc_fail || f.dkim_pass ||
                             f.auth_pass || f.spf_known);
        findings_clear(&f);
    }
    believed_clear(&b);
    return needed;
}

void
trust_facts_of(const Observation *observation, const SpfOutcome *spf,
               TrustFacts *out_facts)
{
    *out_facts = (TrustFacts){
        .authors = observation->authors,
        .auth_results = observation->auth_results,
        .mail_from = observation->mail_from,
        .helo = observation->helo,
        .client_addr = observation->client_addr,
        .local = observation->local,
        .spf = spf,
    };
}

void
trust_policy_of(const Settings *settings, TrustPolicy *out_policy)
{
    *out_policy = (TrustPolicy){
        .authserv_ids = (const char *const *) settings->trust.authserv_ids,
        .arc_sealers = (const char *const *) settings->trust.arc_sealers,
        .local_domains = (const char *const *) settings->mta.local_domains,
    };
}

void
trust_from_headers(const Message *message, const TrustPolicy *policy,
                   TrustVerdict *out_verdict)
{
    g_autoptr(GPtrArray) authors = g_ptr_array_new();
    g_autoptr(GArray) results = g_array_new(FALSE, TRUE, sizeof(AuthResults));
    TrustPolicy effective = *policy;
    effective.any_authserv =
        policy->authserv_ids == NULL || policy->authserv_ids[0] == NULL;

    for (size_t i = 0; i < message->from.n; i++)
        g_ptr_array_add(authors, message->from.items[i].email);
    unsigned received = 0;
    g_autofree char *by = NULL; /* host of the last Received above */
    for (size_t i = 0; i < message->headers.n && results->len < 20; i++) {
        const Header *header = &message->headers.items[i];
        bool arc = g_ascii_strcasecmp(header->name,
                                      "ARC-Authentication-Results") == 0 ||
                   g_ascii_strcasecmp(header->name, "ARC-Seal") == 0;
        if (g_ascii_strcasecmp(header->name, "Received") == 0) {
            received += received_is_lmtp(header->raw) ? 0 : 1;
            g_free(by);
            by = received_by(header->raw);
        }
        if (!arc &&
            g_ascii_strcasecmp(header->name, "Authentication-Results") != 0)
            continue;
        /* A stored message bears our own Received on top. Without
         * configuration nobody knows who "we" are: then it is the host that
         * wrote both fields. */
        bool believed = received < 2;
        if (received > 0 && effective.any_authserv && !arc) {
            g_autoptr(AuthRes) field =
                authres_parse(header->raw, strlen(header->raw), false);
            believed = by != NULL && field != NULL &&
                       domain_aligned(field->authserv_id, by);
        }
        AuthResults item = { .value = header->raw,
                             .arc = arc,
                             .above_received = believed };
        g_array_append_val(results, item);
    }
    /* The envelope is not known: no null sender is assumed, so that HELO
     * results do not count. A private address keeps the spoof rule out, which
     * needs the client. */
    TrustFacts facts = { .authors = authors,
                         .auth_results = results,
                         .mail_from = "unknown",
                         .client_addr = "127.0.0.1" };
    trust_judge(&facts, &effective, out_verdict);
}

void
trust_verdict_clear(TrustVerdict *verdict)
{
    g_free(verdict->reason);
    *verdict = (TrustVerdict){ 0 };
}

const char *
auth_verdict_name(AuthVerdict verdict)
{
    static const char *const names[] = { "fail", "neutral", "pass" };
    return names[verdict];
}

bool
auth_verdict_satisfies(AuthVerdict verdict, int level)
{
    switch (level) {
    case TRUST_PASS:
        return verdict == AUTH_PASS;
    case TRUST_NO_FAIL:
        return verdict != AUTH_FAIL;
    default:
        return true;
    }
}

/*
 * evidence.c - see evidence.h
 *
 * A report is a stranger's text, the mail that it returns included. What ties
 * it to us, weakest first:
 *
 *  any       nothing; only what contradicts itself is refused.
 *  original  the returned header section names us, as its author or in its
 *            return path, and the report came to where that mail's reports
 *            go. Who knows an address of ours can forge that.
 *  sent      the Message-ID left here for that recipient. Only who got the
 *            mail, or carried it, knows that pair.
 *
 * Reports that the local Postfix wrote are proof by themselves: it knows what
 * it could not deliver.
 *
 * Return addresses are understood as BATV (prvs=), SRS0/SRS1 and VERP write
 * them, because they are what the report is sent to:
 *
 *     prvs=0123456789=ann@ours            BATV, draft-levine-smtp-batv
 *     SRS0=HHH=TT=other.example=ann@ours  we passed on somebody else's mail
 *     bounces+bob=example.org@ours        VERP: this mail went to bob
 */
#include "trust/evidence.h"

#include "trust/alignment.h"

#include <string.h>

void
return_address_clear(ReturnAddress *address)
{
    g_free(address->mailbox);
    g_free(address->tag);
    g_free(address->verp);
    *address = (ReturnAddress){ 0 };
}

static bool
has_prefix(const char *text, const char *prefix)
{
    return g_ascii_strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* "HHH=TT=domain=local" of SRS0 to local@domain; NULL for damage. */
static char *
unwrap_srs0(const char *wrapped)
{
    g_auto(GStrv) parts = g_strsplit(wrapped, "=", 4);
    if (g_strv_length(parts) != 4 || *parts[2] == '\0' || *parts[3] == '\0')
        return NULL;
    return g_strdup_printf("%s@%s", parts[3], parts[2]);
}

/* The local-part's SRS forms; NULL when it is none. */
static char *
unwrap_srs(const char *local)
{
    if (strlen(local) < 6 ||
        (!has_prefix(local, "SRS0") && !has_prefix(local, "SRS1")) ||
        strchr("=+-", local[4]) == NULL)
        return NULL;
    if (local[3] == '0')
        return unwrap_srs0(local + 5);
    /* SRS1=HHH=forwarder=[=+-]HHH=TT=domain=local */
    g_auto(GStrv) parts = g_strsplit(local + 5, "=", 3);
    if (g_strv_length(parts) != 3 || *parts[2] == '\0')
        return NULL;
    return unwrap_srs0(parts[2] + 1);
}

/* BATV and its relatives: the tag's length, 0 when there is none.
 * "prvs=TAG=local", "btv1==TAG==local", "msprvs1=TAG=local". */
static size_t
batv_tag(const char *local)
{
    const char *end = NULL;
    if (has_prefix(local, "prvs=") || has_prefix(local, "msprvs1=")) {
        end = strchr(strchr(local, '=') + 1, '=');
        return end != NULL && end[1] != '\0' ? (size_t) (end - local) + 1 : 0;
    }
    if (has_prefix(local, "btv1==")) {
        end = strstr(local + 6, "==");
        return end != NULL && end[2] != '\0' ? (size_t) (end - local) + 2 : 0;
    }
    return 0;
}

void
return_address_parse(const char *address, ReturnAddress *out_address)
{
    *out_address = (ReturnAddress){ 0 };
    g_autofree char *current = g_strdup(address);
    /* Each wrapping is taken off once; tags may stand inside SRS. */
    for (int round = 0; round < 4; round++) {
        char *at = strrchr(current, '@');
        if (at == NULL || at == current)
            break;
        g_autofree char *local = g_strndup(current, (size_t) (at - current));
        g_autofree char *srs = unwrap_srs(local);
        size_t tag = srs == NULL ? batv_tag(local) : 0;
        if (srs != NULL) {
            out_address->forwarded = true;
            g_free(current);
            current = g_steal_pointer(&srs);
        } else if (tag > 0) {
            g_free(out_address->tag);
            out_address->tag = g_ascii_strdown(local, (gssize) tag);
            char *rest = g_strdup(current + tag);
            g_free(current);
            current = rest;
        } else {
            break;
        }
    }
    char *at = strrchr(current, '@');
    if (at != NULL && at != current) {
        /* VERP: the local-part ends with "=domain.with.dot". */
        g_autofree char *local = g_strndup(current, (size_t) (at - current));
        const char *equals = strrchr(local, '=');
        g_autofree char *domain = equals != NULL && equals != local
                                      ? domain_normal(equals + 1)
                                      : NULL;
        if (domain != NULL && strchr(domain, '.') != NULL)
            out_address->verp = g_steal_pointer(&local);
    }
    out_address->mailbox = g_steal_pointer(&current);
}

bool
return_address_names(const ReturnAddress *address, const char *recipient)
{
    if (address->verp == NULL)
        return true;
    const char *at = recipient != NULL ? strrchr(recipient, '@') : NULL;
    const char *equals = strrchr(address->verp, '=');
    if (at == NULL || equals == NULL || !domain_equal(at + 1, equals + 1))
        return false;
    size_t local = (size_t) (at - recipient);
    size_t before = (size_t) (equals - address->verp);
    if (local > before ||
        g_ascii_strncasecmp(equals - local, recipient, local) != 0)
        return false;
    return local == before ||
           strchr("+-._=#", address->verp[before - local - 1]) != NULL;
}

char *
evidence_sender_key(const char *address)
{
    if (address == NULL)
        return NULL;
    ReturnAddress parsed;
    return_address_parse(address, &parsed);
    g_autofree char *domain = domain_of(parsed.mailbox);
    char *key = NULL;
    if (domain != NULL) {
        /* A masqueraded host name does not make another sender, nor does an
         * extension. */
        g_autofree char *org = domain_organisational(domain);
        size_t local = strcspn(parsed.mailbox, "+@");
        g_autofree char *lower =
            g_ascii_strdown(parsed.mailbox, (gssize) local);
        key = g_strdup_printf("%s@%s", lower, org);
    }
    return_address_clear(&parsed);
    return key;
}

/* --- what the returned mail shows ---------------------------------------- */

static bool
is_ours(const char *address, const char *const *local_domains)
{
    g_autofree char *domain = domain_of(address);
    return domain != NULL && domain_among(domain, local_domains);
}

/* Did the report come to an address of ours, wrapped or not? */
static bool
came_to_us(const Observation *o, const char *const *local_domains)
{
    for (guint i = 0; i < o->recipients->len; i++)
        if (is_ours(g_ptr_array_index(o->recipients, i), local_domains))
            return true;
    return o->recipients->len == 0;
}

/* If the returned mail's Return-Path bore a BATV tag, the report must have come
 * to the same: that is what the tag is for. Without one, any address of ours
 * will do, for domains are masqueraded and mapped on the way out. */
static bool
bears_tag(const Observation *o, const ReturnAddress *path)
{
    /* A stored message without its envelope; a complaint, which comes to
     * where complaints go. */
    if (path->tag == NULL || o->recipients->len == 0 ||
        o->kind != OBSERVATION_BOUNCE)
        return true;
    bool same = false;
    for (guint i = 0; i < o->recipients->len && !same; i++) {
        ReturnAddress to;
        return_address_parse(g_ptr_array_index(o->recipients, i), &to);
        same = g_strcmp0(path->tag, to.tag) == 0;
        return_address_clear(&to);
    }
    return same;
}

/* Is the returned mail ours? */
static bool
shows_original(const Observation *o, const char *const *local_domains,
               const char **out_words)
{
    const ReturnedMessage *r = &o->returned;
    bool from = r->from != NULL && is_ours(r->from, local_domains);
    bool from_other = r->from != NULL && !from;
    bool id = r->message_id != NULL && is_ours(r->message_id, local_domains);
    bool path = false, path_other = false, forwarded = false, meets = true;

    if (r->return_path != NULL && *r->return_path != '\0') {
        ReturnAddress parsed;
        return_address_parse(r->return_path, &parsed);
        path = is_ours(parsed.mailbox, local_domains);
        path_other = !path;
        forwarded =
            parsed.forwarded && !path && is_ours(r->return_path, local_domains);
        meets = !path || bears_tag(o, &parsed);
        return_address_clear(&parsed);
    }
    if (!came_to_us(o, local_domains)) {
        *out_words = "came to no address of ours";
        return false;
    }
    if (!meets) {
        *out_words = "came without the BATV tag that its mail bore";
        return false;
    }
    if (forwarded && !from) {
        *out_words = "returns somebody else's mail that we passed on";
        return false;
    }
    if (path_other && !forwarded) {
        *out_words = "returns mail whose Return-Path is not ours";
        return false;
    }
    if (from_other && !path) {
        *out_words = "returns mail that somebody else wrote";
        return false;
    }
    if (!from && !path && !id) {
        *out_words =
            r->message_id == NULL && r->from == NULL && r->return_path == NULL
                ? "returns nothing of the original mail"
                : "returns no mail of ours";
        return false;
    }
    *out_words = from   ? "returns mail that we wrote"
                 : path ? "returns mail with a Return-Path of ours"
                        : "returns mail with a Message-ID of ours";
    return true;
}

/* VERP in what the report came to, or in the returned Return-Path, must name
 * the recipient that the report is about. */
static bool
verp_agrees(const Observation *o)
{
    const char *about[] = { o->email, o->bounce.email, o->bounce.final };
    guint n = o->recipients->len;
    for (guint i = 0; i <= n; i++) {
        const char *address = i < n ? g_ptr_array_index(o->recipients, i)
                                    : o->returned.return_path;
        if (address == NULL)
            continue;
        ReturnAddress parsed;
        return_address_parse(address, &parsed);
        bool agrees = false;
        for (size_t k = 0; k < G_N_ELEMENTS(about) && !agrees; k++)
            agrees =
                about[k] != NULL && return_address_names(&parsed, about[k]);
        return_address_clear(&parsed);
        if (!agrees)
            return false;
    }
    return true;
}

/* The sent-log: did that Message-ID leave for that recipient, and has any
 * address that the report came to ever sent? */
static bool
check_sent(const Observation *o, const JudgeQueries *q, bool *out_seen,
           const char **out_words, GError **error)
{
    *out_seen = false;
    if (o->returned.message_id == NULL) {
        *out_words = "names no Message-ID";
        return true;
    }
    const char *about[] = { o->email, o->bounce.final };
    bool seen = false;
    for (size_t i = 0; i < G_N_ELEMENTS(about) && !seen; i++)
        if (about[i] != NULL && !q->sent_seen(q->data, o->returned.message_id,
                                              about[i], &seen, error))
            return false;
    if (!seen) {
        *out_words = "that Message-ID did not leave here for that recipient";
        return true;
    }
    bool sender = o->recipients->len == 0 || o->kind != OBSERVATION_BOUNCE;
    for (guint i = 0; i < o->recipients->len && !sender; i++) {
        const char *recipient = g_ptr_array_index(o->recipients, i);
        ReturnAddress parsed;
        return_address_parse(recipient, &parsed);
        /* VERP and SRS make an address for each mail. */
        sender = parsed.verp != NULL || parsed.forwarded;
        return_address_clear(&parsed);
        g_autofree char *key = evidence_sender_key(recipient);
        if (!sender && key != NULL &&
            !q->sent_seen(q->data, EVIDENCE_SENDER_ID, key, &sender, error))
            return false;
    }
    *out_words = sender ? "that mail left here"
                        : "came to an address that never sent mail";
    *out_seen = sender;
    return true;
}

bool
evidence_check(const Observation *o, int evidence,
               const char *const *local_domains, const TrustVerdict *verdict,
               const JudgeQueries *queries, EvidenceFound *out_found,
               char **out_words, GError **error)
{
    const char *words = NULL;
    EvidenceFound found = EVIDENCE_NONE;
    if (is_ours(o->email, local_domains)) {
        words = "is about an address of our own";
    } else if (o->local) {
        words = "written by our own mail server";
        found = EVIDENCE_PROVEN;
    } else if (evidence == EVIDENCE_SENT) {
        bool seen;
        if (!check_sent(o, queries, &seen, &words, error))
            return false;
        found = seen                             ? EVIDENCE_PROVEN
                : o->returned.message_id != NULL ? EVIDENCE_UNSEEN
                                                 : EVIDENCE_NONE;
        if (seen && !verp_agrees(o)) {
            words = "its return address was made for another recipient";
            found = EVIDENCE_NONE;
        }
    } else if (verdict->spoof) {
        words = "claims to come from us";
    } else if (!verp_agrees(o)) {
        words = "its return address was made for another recipient";
    } else if (evidence == EVIDENCE_ANY) {
        words = "no evidence is asked for";
        found = EVIDENCE_SHOWN;
    } else if (verdict->verdict == AUTH_FAIL) {
        words = "its sender is forged";
    } else if (shows_original(o, local_domains, &words)) {
        found = EVIDENCE_SHOWN;
    }
    *out_found = found;
    *out_words = g_strdup(words);
    return true;
}

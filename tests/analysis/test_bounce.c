/*
 * test_bounce.c - the parts of bounce recognition, case by case
 *
 * Whole messages are in test_bounce_corpus.c.
 */
#include "analysis/bounce_internal.h"

#include <string.h>

/* An exact-size copy without NUL, so that ASan sees one byte too far. */
static char *
exact(const char *text, size_t *out_len)
{
    *out_len = strlen(text);
    return g_memdup2(text, MAX(*out_len, 1));
}

/* --- phrases ------------------------------------------------------------------- */

static const Phrase phrases[] = {
    { "user unknown", 1, 2, "" },
    { "unknown address", 2, 2, "" },
    { "unknown address error", 3, 1, "" },
    { "άγνωστος χρήστης", 4, 3, "" },
    { "не найден", 5, 2, "" },
    { "couldn't be", 6, 2, "" },
    { " ube", 7, 2, "" },
    { "ñandú", 8, 2, "" },
    { NULL, 0, 0, NULL },
};

static const struct {
    const char *text;
    unsigned kind; /* the first hit's; 0: none */
} phrase_cases[] = {
    { "550 User Unknown", 1 },
    { "user\r\n\t  unknown", 1 },
    { "user\xc2\xa0unknown", 1 },
    { "userunknown", 0 },
    { "Unknown address error 550", 2 },
    { "Άγνωστος χρήστης", 4 },
    { "ΆΓΝΩΣΤΟΣ ΧΡΉΣΤΗΣ", 0 }, /* final sigma: capitals do not tell */
    { "НЕ НАЙДЕН", 5 },
    { "couldn\xe2\x80\x99t be", 6 },
    { "ube", 7 },
    { "tube", 0 },
    { "ÑANDÚ", 8 },
    { "\xc3", 0 },
    { "", 0 },
};

static void
test_phrases(void)
{
    const Phrase *const tables[] = { phrases };
    PhraseSet *set = phrase_set_new(tables, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(phrase_cases); i++) {
        size_t len;
        g_autofree char *text = exact(phrase_cases[i].text, &len);
        PhraseHit hits[8];
        size_t n = phrase_set_scan(set, text, len, hits, 8);
        g_test_message("%s", phrase_cases[i].text);
        g_assert_cmpuint(n > 0 ? hits[0].phrase->kind : 0, ==,
                         phrase_cases[i].kind);
    }

    PhraseHit hits[8];
    const char *part = "Unknown address error";
    size_t n = phrase_set_scan(set, part, strlen(part), hits, 8);
    g_assert_cmpuint(n, ==, 2);
    g_assert_true(hits[0].within == &phrases[2]);
    g_assert_null(hits[1].within);
    g_assert_cmpuint(phrase_set_scan(set, part, strlen(part), hits, 1), ==, 1);
    phrase_set_free(set);
    phrase_set_free(NULL);
}

/* Each row can be found, bears its source, and is written as it is matched. */
static void
test_tables(void)
{
    const Phrase *const tables[] = { bounce_reason_phrases, bounce_mark_phrases,
                                     bounce_subject_phrases,
                                     bounce_name_phrases };
    for (size_t t = 0; t < G_N_ELEMENTS(tables); t++) {
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
        PhraseSet *set = phrase_set_new(&tables[t], 1);
        for (const Phrase *p = tables[t]; p->text != NULL; p++) {
            PhraseHit hits[16];
            size_t n = phrase_set_scan(set, p->text, strlen(p->text), hits, 16);
            bool found = false;
            for (size_t i = 0; i < n; i++)
                found |= strcmp(hits[i].phrase->text, p->text) == 0;
            g_test_message("%s", p->text);
            g_assert_true(found);
            g_assert_true(g_utf8_validate(p->text, -1, NULL));
            g_assert_true(p->source[0] != '\0');
            g_assert_true(p->strength >= 1 && p->strength <= 3);
            g_assert_true(p->kind < MARK_N);
            /* The same words twice with another meaning are a mistake. */
            const Phrase *other = g_hash_table_lookup(seen, p->text);
            g_assert_true(other == NULL || other->kind != p->kind);
            g_hash_table_insert(seen, (gpointer) p->text, (gpointer) p);
        }
        phrase_set_free(set);
    }
    for (int r = 0; r < REASON_N; r++)
        g_assert_nonnull(bounce_reason_name((Reason) r));
}

/* --- addresses ------------------------------------------------------------------- */

static const struct {
    const char *text, *address; /* NULL: none */
} address_cases[] = {
    { "<ann@example.org>", "ann@example.org" },
    { "mailto:ann@example.org.", "ann@example.org" },
    { "rfc822;ann+tag@example.org", "ann+tag@example.org" },
    { "to=ann@example.org,", "ann@example.org" },
    { "\"ann b\"@example.org", "\"ann b\"@example.org" },
    { "ann@[192.0.2.1]", "ann@[192.0.2.1]" },
    { "=?utf-8?B?8J+QiA==?=@example.org", "=?utf-8?B?8J+QiA==?=@example.org" },
    { "宛先：ann@example.orgは", "ann@example.org" },
    { "jürgen@köln.example", "jürgen@köln.example" },
    { "用户@例子.example", "用户@例子.example" },
    { "@example.org", NULL },
    { "ann@", NULL },
    { "ann@.", NULL },
    { "ann@[192.0.2.1", NULL },
};

static void
test_address_at(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(address_cases); i++) {
        size_t len;
        g_autofree char *text = exact(address_cases[i].text, &len);
        const char *at = memrchr(text, '@', len);
        Span span;
        bool found = text_address_at(text, len, (size_t) (at - text), &span);
        g_autofree char *address =
            found ? g_strndup(text + span.start, span.end - span.start) : NULL;
        g_test_message("%s", address_cases[i].text);
        g_assert_cmpstr(address, ==, address_cases[i].address);
    }
}

static const struct {
    const char *wrapped, *inner; /* NULL: nothing in it */
} unwrap_cases[] = {
    { "bounces+ann=example.org@us.example", "ann@example.org" },
    { "bounces-ann=example.org@us.example", "ann@example.org" },
    { "bounce-4711-ann=example.org@us.example", "ann@example.org" },
    { "news+4711+ann.b=mail.example.org@us.example", "ann.b@mail.example.org" },
    { "SRS0=Ab1=XY=example.org=ann@fwd.example", "ann@example.org" },
    { "SRS1=Ab1=fwd.example==Cd2=XY=example.org=ann@x.example",
      "ann@example.org" },
    { "prvs=4711abcdef=ann@us.example", "ann@us.example" },
    { "btv1==abc==ann@us.example", "ann@us.example" },
    { "ann@example.org", NULL },
    { "a=b@example.org", NULL },
    { "prvs=@example.org", NULL },
    { "=example.org@us.example", NULL },
    { "no address", NULL },
};

static void
test_unwrap(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(unwrap_cases); i++) {
        g_autofree char *inner = address_unwrap(unwrap_cases[i].wrapped);
        g_test_message("%s", unwrap_cases[i].wrapped);
        g_assert_cmpstr(inner, ==, unwrap_cases[i].inner);
    }
}

static const struct {
    const char *line;
    int score; /* of the first address */
} score_cases[] = {
    { "  ann@example.org", 4 },
    { "<ann@example.org>:", 4 },
    { "ann@example.org: 550 no", 4 },
    { "ann@example.org<mailto:ann@example.org>", 4 },
    { " * ann@example.org", 4 },
    { "<ann@example.org> (expanded from: <b@example.org>)", 4 },
    { "Recipient address: ann@example.org", 3 },
    { "was not delivered to ann@example.org because", 3 },
    { ">>> RCPT To:<ann@example.org>", 3 },
    { "554 5.0.0 <ann@example.org>... Host unknown", 3 },
    { "收件人：ann@example.org", 3 },
    { "  To: ann@example.org", 2 },
    { "ann@example.org Invalid Address", 2 },
    { "550 5.1.1 <ann@example.org>: unknown", 1 },
    { "host said: 550 <ann@example.org> unknown", 1 },
    { "MAIL FROM:<ann@example.org>", 0 },
    { "please contact ann@example.org", 0 },
    { "Return-Path: <ann@example.org>", 0 },
};

static void
test_scores(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(score_cases); i++) {
        size_t len;
        g_autofree char *text = exact(score_cases[i].line, &len);
        g_autoptr(GArray) list = text_addresses(text, len, NULL);
        g_test_message("%s", score_cases[i].line);
        g_assert_cmpuint(list->len, >, 0);
        g_assert_cmpint(g_array_index(list, TextAddress, 0).score, ==,
                        score_cases[i].score);
    }
    size_t len;
    g_autofree char *quoted = exact("> <ann@example.org>: 550 no", &len);
    g_autoptr(GArray) none = text_addresses(quoted, len, NULL);
    g_assert_cmpuint(none->len, ==, 0);
}

/* --- delivery status fields ----------------------------------------------------- */

static const struct {
    const char *name, *text;
    const char *wanted; /* "original final action status;..." */
} dsn_cases[] = {
    { "by the book",
      "Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; b@c.d\n"
      "Action: failed\nStatus: 5.1.1\n",
      "- b@c.d 1 5.1.1;" },
    { "two groups",
      "Original-Recipient: rfc822;o@c.d\nFinal-Recipient: rfc822;b@c.d\n"
      "Action: failed\nStatus: 5.1.1\n\nFinal-Recipient: rfc822;e@c.d\n"
      "Action: delayed\nStatus: 4.4.1\n",
      "o@c.d b@c.d 1 5.1.1;- e@c.d 2 4.4.1;" },
    { "no blank line between",
      "Final-Recipient: rfc822;b@c.d\nAction: failed\nStatus: 5.1.1\n"
      "Final-Recipient: rfc822;e@c.d\nAction: failed\nStatus: 5.2.2\n",
      "- b@c.d 1 5.1.1;- e@c.d 1 5.2.2;" },
    { "blank line within",
      "Action: failed\n\nFinal-Recipient: rfc822;b@c.d\nStatus: 5.1.1\n",
      "- b@c.d 1 5.1.1;" },
    { "misspelt", "Final-Recepient: rfc822;b@c.d\nAcion: Failed\n",
      "- b@c.d 1 ;" },
    { "comment and continuation",
      "Final-Recipient: rfc822;\n <b@c.d> (Bea)\nAction: failed (hard)\n"
      "Status: 5.1.1 (bad\n address)\n",
      "- b@c.d 1 5.1.1;" },
    { "xtext", "Original-Recipient: rfc822;b+2Bx@c.d\nAction: relayed\n",
      "b+x@c.d - 3 ;" },
    { "utf-8", "Final-Recipient: utf-8;b\\x{FC}b@c.d\nAction: failed\n",
      "- büb@c.d 1 ;" },
    { "source route", "Final-Recipient: rfc822;@r.s:b@c.d\nAction: failed\n",
      "- b@c.d 1 ;" },
    { "own tag stays", "Final-Recipient: rfc822;b+20@c.d\nAction: failed\n",
      "- b+20@c.d 1 ;" },
    { "nobody", "Action: failed\nStatus: 5.1.1\n", "" },
    { "quoted by a person", "> Final-Recipient: rfc822;b@c.d\n", "" },
    { "cut off", "Final-Recipient:", "" },
};

static void
test_dsn(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(dsn_cases); i++) {
        size_t len;
        g_autofree char *text = exact(dsn_cases[i].text, &len);
        g_autoptr(GArray) list = g_array_new(FALSE, TRUE, sizeof(DsnRecipient));
        g_array_set_clear_func(list, dsn_recipient_clear);
        bool found = dsn_parse(text, len, list);
        g_autoptr(GString) got = g_string_new(NULL);
        for (unsigned k = 0; k < list->len; k++) {
            const DsnRecipient *d = &g_array_index(list, DsnRecipient, k);
            g_string_append_printf(
                got, "%s %s %d %s;", d->original ? d->original : "-",
                d->final ? d->final : "-", (int) d->action, d->status);
        }
        g_test_message("%s", dsn_cases[i].name);
        g_assert_cmpstr(got->str, ==, dsn_cases[i].wanted);
        g_assert_true(found == (list->len > 0));
    }
}

/* --- the verdict ------------------------------------------------------------------ */

typedef struct {
    const char *text;
    BounceClass class;
    const char *reason;
    const char *status; /* Status field; NULL: none */
    DsnAction action;
} VerdictCase;

#define HARD(reason) BOUNCE_HARD, reason, NULL, ACTION_NONE
#define SOFT(reason) BOUNCE_SOFT, reason, NULL, ACTION_NONE
#define HARD_FOR(reason, status, action) BOUNCE_HARD, reason, status, action
#define SOFT_FOR(reason, status, action) BOUNCE_SOFT, reason, status, action

static const VerdictCase verdict_cases[] = {
    /* codes that lie: the words decide */
    { "550 5.1.1 Daily rate limit exceeded", SOFT("ratelimit") },
    { "550 5.1.1 Mailbox is over quota", SOFT("mailboxfull") },
    { "550 5.1.0 blocked, see spamhaus.org", SOFT("blocked") },
    { "550 5.1.1 RCP-P2 recipient's preferences", SOFT("filtered") },
    { "550 5.1.8 Sender address rejected", SOFT("rejected") },
    { "550 5.7.1 User unknown", HARD("userunknown") },
    { "550 5.2.0 User Unknown", HARD("userunknown") },
    { "550 5.5.0 Invalid recipient", HARD("userunknown") },
    { "552 5.7.0 Mailbox full", SOFT("mailboxfull") },
    { "550 5.2.1 receiving mail at a rate that", SOFT("ratelimit") },
    { "550 5.2.1 account is disabled", HARD("suspend") },
    { "525 5.7.13 Disabled recipient address", HARD("suspend") },
    { "521 5.3.2 Host does not accept mail", HARD("notaccept") },
    { "556 5.1.10 Recipient address has null MX", HARD("notaccept") },
    { "550 5.7.27 Sender address has null MX", SOFT("rejected") },
    { "551 not our customer", HARD("hasmoved") },
    { "551 relaying denied", SOFT("norelaying") },
    /* codes alone */
    { "550 5.1.1 computer says no", HARD("userunknown") },
    { "550 5.1.2 computer says no", HARD("hostunknown") },
    { "550 5.1.6 computer says no", HARD("hasmoved") },
    { "550 5.1.0 computer says no", SOFT("undefined") },
    { "550 computer says no", SOFT("undefined") },
    { "554 5.7.1 computer says no", SOFT("policyviolation") },
    { "552 computer says no", SOFT("mailboxfull") },
    { "521 computer says no", HARD("notaccept") },
    { "computer says no", SOFT("undefined") },
    { "computer says no", HARD_FOR("userunknown", "5.1.1", ACTION_FAILED) },
    { "computer says no", SOFT_FOR("undefined", "5.0.0", ACTION_FAILED) },
    /* transient */
    { "450 4.1.1 User unknown",
      SOFT_FOR("userunknown", "4.1.1", ACTION_FAILED) },
    { "550 5.1.1 User unknown", SOFT_FOR("expired", "5.1.1", ACTION_DELAYED) },
    { "Host not found, try again",
      SOFT_FOR("networkerror", "4.4.3", ACTION_FAILED) },
    { "DNS Error: responded with code NXDOMAIN",
      HARD_FOR("hostunknown", "4.0.0", ACTION_FAILED) },
    { "DNS Error: responded with code SERVFAIL",
      SOFT_FOR("networkerror", "4.0.0", ACTION_FAILED) },
    { "Host or domain name not found",
      HARD_FOR("hostunknown", "5.4.4", ACTION_FAILED) },
    { "Malformed name server reply",
      SOFT_FOR("networkerror", "5.4.4", ACTION_FAILED) },
    { "554 5.4.14 Hop count exceeded", SOFT("networkerror") },
    { "550 5.4.310 DNS domain does not exist", HARD("hostunknown") },
    /* the edge that denies access to those it does not know */
    { "550 5.4.1 Recipient address rejected: Access denied",
      HARD("userunknown") },
    { "554 5.7.1 Recipient address rejected: Access denied",
      SOFT("policyviolation") },
    /* stage */
    { "550 5.1.1 unknown user (in reply to MAIL FROM command)",
      SOFT("rejected") },
    { "550 5.1.1 unknown user (in reply to RCPT TO command)",
      HARD("userunknown") },
    { "550 unknown user x (in reply to end of DATA command)",
      SOFT("filtered") },
    { "my name was rejected. 501 Invalid domain name", SOFT("blocked") },
    { "550: : User unknown", SOFT("filtered") },
    /* a quoted reply within another's words */
    { "5.1.0 - Unknown address error 550-'5.7.1 Access denied'",
      SOFT("securityerror") },
    { "5.1.0 - Unknown address error 550-'5.1.1 User unknown'",
      HARD("userunknown") },
    /* what is no code */
    { "connect to 550.example [192.0.2.5] at 5.1.1.3", SOFT("undefined") },
    { "message 550551 of 2005", SOFT("undefined") },
    /* "user unknown" in many languages (the code is 550) */
    { "550 unbekannter Empfänger", HARD("userunknown") },
    { "550 Empfängeradresse existiert nicht", HARD("userunknown") },
    { "550 Utilisateur inconnu", HARD("userunknown") },
    { "550 l'adresse n\xe2\x80\x99"
      "existe pas",
      HARD("userunknown") },
    { "550 Usuario desconocido", HARD("userunknown") },
    { "550 utente sconosciuto", HARD("userunknown") },
    { "550 usuário inexistente", HARD("userunknown") },
    { "550 onbekende gebruiker", HARD("userunknown") },
    { "550 Nieznany użytkownik", HARD("userunknown") },
    { "550 Uživatel neexistuje", HARD("userunknown") },
    { "550 neznámy používateľ", HARD("userunknown") },
    { "550 ismeretlen felhasználó", HARD("userunknown") },
    { "550 Utilizator necunoscut", HARD("userunknown") },
    { "550 Okänd användare", HARD("userunknown") },
    { "550 Ukendt bruger", HARD("userunknown") },
    { "550 Ukjent mottaker", HARD("userunknown") },
    { "550 Tuntematon käyttäjä", HARD("userunknown") },
    { "550 Kullanıcı bulunamadı", HARD("userunknown") },
    { "550 Άγνωστος χρήστης", HARD("userunknown") },
    { "550 Пользователь не найден", HARD("userunknown") },
    { "550 Користувача не знайдено", HARD("userunknown") },
    { "550 ユーザーが存在しません", HARD("userunknown") },
    { "550 宛先不明", HARD("userunknown") },
    { "550 用户不存在", HARD("userunknown") },
    { "550 존재하지 않는 사용자", HARD("userunknown") },
    { "550 không tồn tại", HARD("userunknown") },
    { "550 לא נמצא", HARD("userunknown") },
    { "550 غير موجود", HARD("userunknown") },
};

/* Replies as providers give them: hard or not. */
static const struct {
    const char *text;
    bool hard;
} reply_cases[] = {
    { "550 5.1.1 <x@y.example> Email address could not be found, or was "
      "misspelled (G8)",
      true },
    { "550 #5.1.0 Address rejected x@y.example", true },
    { "550 5.1.1 <x@y.example>: Recipient address rejected: User unknown in "
      "virtual alias table",
      true },
    { "511 sorry, no mailbox here by that name (#5.1.1 - chkuser)", true },
    { "550 Requested action not taken: mailbox unavailable", true },
    { "550 permanent failure for one or more recipients (x@y.example:550 5.1.1 "
      "no such user)",
      true },
    { "550 permanent failure for one or more recipients (x@y.example:blocked)",
      false },
    { "554 5.7.1 The message from (<a@b.example>) with the subject of (x) "
      "matches a profile the Internet community may consider spam.",
      false },
    { "550 5.7.0 Local Policy Violation", false },
    { "550 5.7.1 Message rejected due to content restrictions", false },
    { "550 SC-001 Unfortunately, messages from 203.0.113.40 weren't sent.",
      false },
    { "554 5.7.1 Service unavailable; Helo command [x] blocked using "
      "dbl.spamhaus.org",
      false },
    { "550 5.7.350 Remote server returned message detected as spam -> 554 "
      "5.7.1 no",
      false },
    { "452 4.2.2 The email account that you tried to reach is over quota",
      false },
    { "550 5.7.515 Access denied, sending domain b.example doesn't meet the "
      "required authentication level.",
      false },
    { "421 4.7.0 [TSS04] Messages from 203.0.113.40 temporarily deferred due "
      "to unexpected volume or user complaints",
      false },
    { "553 5.7.2 [TSS09] All messages from 203.0.113.40 will be permanently "
      "deferred; Retrying will NOT succeed.",
      false },
    { "550 5.4.5 Daily user sending limit exceeded", false },
    { "552 5.3.4 Message size exceeds fixed limit", false },
    { "550 5.7.509 Access denied, sending domain b.example does not pass DMARC "
      "verification",
      false },
    { "550 5.7.23 The message was rejected because of Sender Policy Framework "
      "violation",
      false },
    { "571 5.7.1 Message contains spam or virus or sender is blocked", false },
    { "550 Administrative prohibition - envelope blocked", false },
    { "554 5.7.1 <x@y.example>: Recipient address rejected: Policy Rejection- "
      "Abuse. Go away.",
      false },
    { "550 5.2.1 Mailbox unavailable. Your IP address 203.0.113.40 is "
      "blacklisted",
      false },
    { "550 Mailbox unavailable or access denied", false },
    { "450 4.1.1 <x@y.example>: Recipient address rejected: unverified "
      "address: Address verification in progress",
      false },
    { "550 5.1.1 <x@y.example>: Recipient address rejected: undeliverable "
      "address: host mx.y.example said: 550 No such user",
      true },
    { "550 5.1.0 <x@y.example> Recipient rejected (Mode: normal)", false },
    { "554 30 Sorry, your message to x@y.example cannot be delivered. This "
      "mailbox is disabled (554.30).",
      true },
    { "552 1 Requested mail action aborted, mailbox not found", true },
    { "550 5.1.1 MXIN501 mailbox x@y.example unknown;id=4711", true },
    { "550 unknown user account", true },
    { "550 Account not available", true },
    { "550 5.7.1 This email has been rejected. The email message was detected "
      "as spam.",
      false },
    { "550-Verification failed for <a@b.example> 550-No Such User Here 550 "
      "Sender verify failed",
      false },
    { "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
      false },
    { "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
      false },
    { "554 5.4.0 Error: too many hops", false },
    { "554 Transaction failed", false },
    { "550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]", false },
    { "550 x@y.example is not a valid mailbox", true },
    { "550 x@y.example is no longer on server", true },
    { "550 This user doesn't have a y.example account", true },
    { "550 5.1.1 Recipient x@y.example does not exist here", true },
    { "550 5.1.1 Mailbox <x@y.example> does not exist", true },
    { "550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found", true },
    { "550 5.1.1 Error: invalid recipients is found from 203.0.113.40", true },
    { "550 No such user - psmtp", true },
    { "550 5.1.1 sid: user not found", true },
    { "550 5.1.1 unknown or illegal alias: x@y.example", true },
    { "550-No such user here 550 x@y.example", true },
    { "553 5.3.0 <x@y.example>... Addressee unknown, relay=[203.0.113.40]",
      true },
    { "550 5.7.1 Your message was rejected by a user filter", false },
    { "550 5.7.1 Delivery not authorized, message refused", false },
    { "554 5.7.1 Email rejected due to security policies", false },
    { "550 5.6.0 Lone CR or LF in body", false },
    { "550 Maximum line length exceeded (see RFC 5322 2.1.1).", false },
    { "501 5.1.7 Invalid address syntax of sender", false },
    { "550 5.1.8 Domain of sender address a@b.example does not exist", false },
    { "451 4.1.8 Domain of sender address a@b.example does not resolve",
      false },
    { "553 5.1.8 <a@b.example>... Domain of sender address a@b.example does "
      "not exist",
      false },
    { "550 5.1.1 Mail quota exceeded for this user", false },
    { "550 5.2.2 user x has exceeded storage quota", false },
    { "554 5.2.2 mailbox full", false },
    { "552 5.2.2 This message is larger than the current system limit or the "
      "recipient's mailbox is full",
      false },
    { "422 4.2.2 The recipient's mailbox is over its storage limit", false },
    { "550 5.3.5 Local configuration error", false },
    { "554 5.4.6 Hop count exceeded", false },
    { "550 5.4.7 Delivery expired (message too old)", false },
    { "421 4.4.2 Connection dropped", false },
    { "454 4.7.1 <x@y.example>: Relay access denied", false },
    { "530 5.7.0 Must issue a STARTTLS command first", false },
    { "550 5.7.10 Encryption needed", false },
    { "550 5.7.60 SMTP; Client does not have permissions to send as this "
      "sender",
      false },
    { "550 5.7.124 Sender not in allowed-senders list", false },
    { "550 5.7.193 This message is external and access is denied", false },
    { "550 5.0.350 Remote server returned an error -> 554 Email rejected",
      false },
    { "550 5.4.300 Message expired -> 451 4.7.0 Temporary server error",
      false },
    { "550 5.1.90 Your message can't be sent because you've reached your daily "
      "limit for message recipients",
      false },
    { "550 5.2.3 RESOLVER.RST.SendSizeLimit.Org; message too large for this "
      "organization",
      false },
    { "550 5.2.122 The recipient has exceeded their limit for the number of "
      "messages they can receive per hour",
      false },
    { "550 5.1.6 Recipient no longer on server: x@y.example", true },
    { "550 5.1.10 Recipient not found", true },
    { "550 5.1.351 Remote server returned unknown recipient or mailbox "
      "unavailable",
      true },
    { "550 5.4.4 Unable to route: no mail hosts for domain", true },
    { "550 5.1.2 The recipient domain does not exist", true },
    { "550 5.1.1 Message blocked: sender domain is listed in SURBL", false },
    { "550 5.1.1 You are not allowed to send to this recipient", false },
    { "550 5.1.1 spam message rejected", false },
    { "550 User x@y.example rejected because of too many failed attempts",
      false },
    { "host antispam1.y.example[192.0.2.7] said: 550 5.1.1 User unknown",
      true },
    { "550 5.1.1 <spam@virus.example>: User unknown", true },
    { "550 anti-spam policy: User unknown", false },
    { "550 Nie ma takiego uzytkownika", true },
    { "550 Empfaenger unbekannt", true },
    { "550 Empfanger unbekannt", true },
    { "550 5.0.0 Utilizator inexistent", true },
    { "550 Bilinmeyen kullanici", true },
    { "550 Neznamy uzivatel", true },
    { "550 Okand anvandare", true },
    { "550 5.1.1 Mailbox for x@y.example is full", false },
    { "550 5.1.1 the mailbox <x@y.example> is over quota", false },
    { "550 5.1.1 La boite aux lettres de x@y.example est pleine", false },
    { "550 5.1.1 Das Postfach von x@y.example ist voll", false },
    { "550 El buzon de <x@y.example> esta lleno", false },
    { "550 User \"x@y.example\" unknown", true },
    { "553 Relaying disallowed. Invalid Domain - y.example", false },
    { "550 5.7.1 relaying prohibited. user unknown?", false },
};

#include "bounce_wordings.inc"

/* What is said, and of whom: REASON_UNDEFINED when it is of nobody. */
static const struct {
    const char *text;
    Reason reason;
    int strength;
} clause_cases[] = {
    { "there is no mailbox with this name", REASON_USERUNKNOWN, 2 },
    { "<a@b.example> is not known here", REASON_USERUNKNOWN, 2 },
    { "the account may not exist", REASON_USERUNKNOWN, 1 },
    { "if the address is unknown, ask them", REASON_USERUNKNOWN, 1 },
    /* the nearest noun is spoken of */
    { "recipient's domain not found", REASON_HOSTUNKNOWN, 2 },
    { "the sender's mailbox is not known", REASON_REJECTED, 2 },
    { "Postfach des Absenders nicht gefunden", REASON_REJECTED, 2 },
    { "sender <a@b.example> is not known", REASON_REJECTED, 2 },
    { "returned to sender: mailbox not known", REASON_USERUNKNOWN, 2 },
    { "your account is suspended", REASON_REJECTED, 2 },
    { "your IP is blocked, whoever the user", REASON_BLOCKED, 2 },
    /* apart, in other clauses, of nothing */
    { "mailbox. Host not found", REASON_UNDEFINED, 0 },
    { "server not found", REASON_UNDEFINED, 0 },
    { "the message to this account was deleted", REASON_UNDEFINED, 0 },
    /* names of hosts say nothing */
    { "mx.unknown.account.example refused", REASON_UNDEFINED, 0 },
    { "user@unknown.example", REASON_UNDEFINED, 0 },
    /* excuses come first */
    { "the mailbox does not exist or is full", REASON_MAILBOXFULL, 2 },
    { "Diese Adresse gibt es auf unserem Server nicht.", REASON_USERUNKNOWN,
      2 },
};

static const struct {
    const char *text;
    bool undelivered;
} undelivered_cases[] = {
    { "We did not manage to deliver your letter", true },
    { "Ihre Nachricht wurde nicht ausgeliefert", true },
    { "Vi klarte ikke å levere e-posten", true },
    { "\xec\xa0\x84\xeb\x8b\xac\xed\x95\x98\xec\xa7\x80 "
      "\xeb\xaa\xbb\xed\x96\x88\xec\x8a\xb5\xeb\x8b\x88\xeb\x8b\xa4",
      true },
    { "Your letter was delivered", false },
    { "I am not here. Letters are delivered next week", false },
    { "Ich bin nicht im Hause", false },
};

static void
test_clauses(void)
{
    PhraseSet *words = clause_words_new();
    for (size_t i = 0; i < G_N_ELEMENTS(clause_cases); i++) {
        size_t len;
        g_autofree char *text = exact(clause_cases[i].text, &len);
        ClauseFinding found = { REASON_UNDEFINED, 0, 0 };
        bool any = clause_read(words, text, (Span){ 0, len }, &found);
        g_test_message("%s", clause_cases[i].text);
        g_assert_cmpint(any, ==, clause_cases[i].strength > 0);
        g_assert_cmpstr(bounce_reason_name(found.reason), ==,
                        bounce_reason_name(clause_cases[i].reason));
        g_assert_cmpint(found.strength, ==, clause_cases[i].strength);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(undelivered_cases); i++) {
        size_t len;
        g_autofree char *text = exact(undelivered_cases[i].text, &len);
        g_test_message("%s", undelivered_cases[i].text);
        g_assert_cmpint(clause_undelivered(words, text, len), ==,
                        undelivered_cases[i].undelivered);
    }
    phrase_set_free(words);
}

static BounceVerdict
judge(const PhraseSet *set, const char *words, const char *status,
      DsnAction action)
{
    PhraseSet *clause = clause_words_new();
    size_t len;
    g_autofree char *text = exact(words, &len);
    Scanned *scanned = g_new0(Scanned, 1);
    scanned->text = text;
    scanned->len = len;
    bounce_scan(set, scanned);
    Evidence evidence = { .action = action,
                          .status = status != NULL ? status : "",
                          .texts = { scanned },
                          .spans = { { 0, len } },
                          .words = clause,
                          .n = 1,
                          .n_near = 1 };
    BounceVerdict verdict = { 0 };
    bounce_judge(&evidence, &verdict);
    phrase_set_free(clause);
    g_free(verdict.line);
    g_free(scanned);
    return verdict;
}

static void
test_verdicts(void)
{
    const Phrase *const tables[] = { bounce_reason_phrases,
                                     bounce_mark_phrases };
    PhraseSet *set = phrase_set_new(tables, 2);
    for (size_t i = 0; i < G_N_ELEMENTS(verdict_cases); i++) {
        const VerdictCase *c = &verdict_cases[i];
        BounceVerdict verdict = judge(set, c->text, c->status, c->action);
        g_test_message("%s", c->text);
        g_assert_cmpstr(bounce_reason_name(verdict.reason), ==, c->reason);
        g_assert_cmpint(verdict.class, ==, c->class);
    }
    unsigned wrong = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(reply_cases); i++) {
        BounceVerdict verdict =
            judge(set, reply_cases[i].text, NULL, ACTION_FAILED);
        if ((verdict.class == BOUNCE_HARD) == reply_cases[i].hard)
            continue;
        wrong++;
        g_test_message("%s: %s", bounce_reason_name(verdict.reason),
                       reply_cases[i].text);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(wordings); i++) {
        g_autofree char *reply = g_strdup_printf("550 %s", wordings[i].text);
        BounceVerdict verdict = judge(set, reply, "5.0.0", ACTION_FAILED);
        if ((verdict.class == BOUNCE_HARD) == wordings[i].hard)
            continue;
        wrong++;
        g_test_message("%s: %s", bounce_reason_name(verdict.reason), reply);
    }
    g_assert_cmpuint(wrong, ==, 0);
    phrase_set_free(set);
}

/* --- bounds ---------------------------------------------------------------------- */

/* Text made to be slow: it is not. The limits cut it, nothing grows. */
static void
test_bounds(void)
{
    g_autoptr(GString) hostile = g_string_new(NULL);
    for (unsigned i = 0; i < 60000; i++)
        g_string_append(hostile, "a@b.example unknown user\n");
    g_autoptr(GArray) list = text_addresses(hostile->str, hostile->len, NULL);
    g_assert_cmpuint(list->len, <=, 2000);

    g_autoptr(GString) fields = g_string_new(NULL);
    for (unsigned i = 0; i < 2000; i++)
        g_string_append_printf(fields,
                               "Final-Recipient: rfc822;u%u@b.example\n"
                               "Action: failed\nStatus: 5.1.1\n\n",
                               i);
    g_autoptr(GArray) recipients =
        g_array_new(FALSE, TRUE, sizeof(DsnRecipient));
    g_array_set_clear_func(recipients, dsn_recipient_clear);
    g_assert_true(dsn_parse(fields->str, fields->len, recipients));
    g_assert_cmpuint(recipients->len, ==, BOUNCE_MAX_RECIPIENTS);

    g_autofree char *at = g_strnfill(200000, '@');
    g_autoptr(GArray) none = text_addresses(at, 200000, NULL);
    g_assert_cmpuint(none->len, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bounce/phrases", test_phrases);
    g_test_add_func("/bounce/tables", test_tables);
    g_test_add_func("/bounce/address-at", test_address_at);
    g_test_add_func("/bounce/unwrap", test_unwrap);
    g_test_add_func("/bounce/scores", test_scores);
    g_test_add_func("/bounce/dsn", test_dsn);
    g_test_add_func("/bounce/verdicts", test_verdicts);
    g_test_add_func("/bounce/clauses", test_clauses);
    g_test_add_func("/bounce/bounds", test_bounds);
    return g_test_run();
}

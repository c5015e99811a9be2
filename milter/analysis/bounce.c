/*
 * bounce.c - is this message a report of failed delivery, and about whom?
 *
 * In this order:
 *   1. A cheap look at header fields and part types. Most mail ends here.
 *   2. What is machine-readable and no bounce: complaints (RFC 5965), receipts
 *      (RFC 8098).
 *   3. A delivery status (RFC 3464, 6533), wherever it stands, or Amazon's
 *      JSON. The text for people then only helps to explain.
 *   4. Text alone. Who sent it (origin) and what it says (content) are scored
 *      apart; a report needs both, so that people who quote a bounce, write
 *      about one or write as postmaster are not taken for one. Absence notices
 *      and "please confirm" messages are told from reports here, because they
 *      come with the null sender, too.
 *   5. Each recipient's verdict (bounce_verdict.c) from what stands nearest.
 *
 * Parts inside an enclosed message are never read: the returned mail may be a
 * report itself, and what a person forwards is not about us. Only where a
 * daemon's own words name nobody the enclosed report speaks for it.
 */
#include "analysis/bounce_internal.h"

#include <string.h>

enum {
    TEXT_MAX = 64 * 1024, /* of the report's own words; the rest is copies */
    SUBJECT_MAX = 998,
    NEAR_MAX = 4096, /* so far from an address its explanation may stand */
    OWN_MAX = 32,
    REPORT_SCORE = 5,  /* origin and content together */
    CONTENT_SCORE = 2, /* of it at least so much */
    DAEMON_SCORE = 3   /* an origin that sends nothing but reports */
};

struct BounceRules {
    PhraseSet *text, *subject, *name, *clause;
};

BounceRules *
bounce_rules_new(GError **error)
{
    (void) error; /* the tables are compiled in and tested */
    static const Phrase *const text[] = { bounce_reason_phrases,
                                          bounce_mark_phrases };
    static const Phrase *const subject[] = { bounce_subject_phrases };
    static const Phrase *const name[] = { bounce_name_phrases };
    BounceRules *rules = g_new0(BounceRules, 1);
    rules->text = phrase_set_new(text, G_N_ELEMENTS(text));
    rules->subject = phrase_set_new(subject, G_N_ELEMENTS(subject));
    rules->name = phrase_set_new(name, G_N_ELEMENTS(name));
    rules->clause = clause_words_new();
    return rules;
}

void
bounce_rules_free(BounceRules *rules)
{
    if (rules == NULL)
        return;
    phrase_set_free(rules->text);
    phrase_set_free(rules->subject);
    phrase_set_free(rules->name);
    phrase_set_free(rules->clause);
    g_free(rules);
}

/* --- what one message shows at first sight ---------------------------------- */

typedef struct {
    const BounceRules *rules;
    const Message *message;
    const Envelope *envelope;
    Analysis *analysis;

    /* header fields */
    const char *failed; /* X-Failed-Recipients */
    bool null_sender, automatic, is_list, is_answer, apple_unsubscribe;
    bool vacation;  /* says so in a field */
    bool help_desk; /* of a ticket system */

    /* parts of the report itself */
    const Part *status, *feedback, *receipt, *returned;
    unsigned n_texts;

    /* scores */
    int from;   /* of the sender's name and address alone */
    int origin; /* with the envelope and what else tells a machine */
    int subject, subject_vacation, subject_challenge, subject_notice;
    int subject_success, subject_operator, subject_robot;
    bool subject_transient;

    size_t end;     /* where the returned copy begins in `text` */
    size_t all_len; /* with the returned copy, which text.len leaves out */
    char *own_text; /* when they had to be put together */
    bool stepped;   /* into a report that is returned by a report */
    const char *own[OWN_MAX + 1];
    Scanned text; /* the report's own words; last, and `hits` last in it: the
                     12 kB of them are not cleared for each mail */
} Report;

static bool is_party(const Report *r, const char *email);

static bool
is_name(const char *name, const char *wanted)
{
    /* asked for each field and many names: mostly the first letter differs */
    return ((*name ^ *wanted) & ~0x20) == 0 &&
           g_ascii_strcasecmp(name, wanted) == 0;
}

/* Does the subject begin with the number of a ticket: "[#123] ", "[Ticket 5]",
 * "(Case 7)", "Ticket #9: "? In an answer it may have been ours. */
static bool
is_ticket_subject(const char *subject)
{
    static const char *const words[] = {
        "ticket",    "case",       "request",   "incident", "issue",
        "support",   "ref",        "re: [#",    "sr",       "vorgang",
        "anfrage",   "fall",       "demande",   "dossier",  "caso",
        "chamado",   "zgłoszenie", "обращение", "заявка",   "billet",
        "zaak",      "melding",    "sag",       "ärende",   "id",
        "protocolo", "solicitud",  "richiesta"
    };
    while (g_ascii_isspace(*subject))
        subject++;
    if (g_ascii_strncasecmp(subject, "re: [", 5) == 0)
        subject += 4;
    bool bracket = strchr("[({", *subject) != NULL && *subject != '\0';
    while (*subject != '\0' && strchr("[({# ", *subject) != NULL) {
        if (*subject == '#' && g_ascii_isdigit(subject[1]))
            return true;
        subject++;
    }
    if (bracket && strncmp(subject, "##", 2) == 0)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        size_t n = strlen(words[i]);
        if (g_ascii_strncasecmp(subject, words[i], n) != 0 ||
            g_ascii_isalpha(subject[n]))
            continue;
        size_t digits = strcspn(subject + n, "0123456789");
        return digits < 12 && subject[n + digits] != '\0';
    }
    return false;
}

static bool
is_help_desk_field(const char *name, const char *value)
{
    static const char *const names[] = {
        "X-OTRS",       "X-Znuny",    "X-Zendesk",   "X-RT-",
        "X-Zammad",     "X-osTicket", "X-Freshdesk", "X-FD-",
        "X-HelpScout",  "X-Kayako",   "X-Redmine",   "X-JIRA",
        "X-Ticket",     "X-Intercom", "X-GLPI",      "X-HubSpot-Ticket",
        "X-ServiceNow", "X-Gorgias",  "X-Freescout", "X-Odoo-Objects",
        "X-Autotask",   "X-Deskpro",  "X-OTOBO"
    };
    static const char *const products[] = { "otrs",         "znuny",
                                            "otobo",        "osticket",
                                            "zammad",       "zendesk",
                                            "freshdesk",    "helpdesk",
                                            "help desk",    "request tracker",
                                            "redmine",      "kayako",
                                            "glpi",         "jira",
                                            "service desk", "servicedesk",
                                            "servicenow",   "help scout",
                                            "freescout",    "deskpro" };
    if (name[1] != '-')
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (((name[2] ^ names[i][2]) & ~0x20) == 0 &&
            g_ascii_strncasecmp(name, names[i], strlen(names[i])) == 0)
            return true;
    if (!is_name(name, "X-Mailer") && !is_name(name, "X-Powered-By"))
        return false;
    g_autofree char *small =
        g_ascii_strdown(value, (gssize) strnlen(value, 80));
    for (size_t i = 0; i < G_N_ELEMENTS(products); i++)
        if (strstr(small, products[i]) != NULL)
            return true;
    return false;
}

static bool
is_absence_field(const char *name, const char *value)
{
    if (is_name(name, "Auto-Submitted")) {
        g_autofree char *small =
            g_ascii_strdown(value, (gssize) strnlen(value, 80));
        return strstr(small, "vacation") != NULL ||
               strstr(small, "out of office") != NULL ||
               strstr(small, "out-of-office") != NULL ||
               strstr(small, "auto-reply") != NULL;
    }
    if (is_name(name, "Precedence") || is_name(name, "X-Precedence"))
        return g_ascii_strncasecmp(value, "auto", 4) == 0;
    return is_name(name, "X-Autoreply") || is_name(name, "X-Autorespond") ||
           is_name(name, "X-AutoReply-From") ||
           is_name(name, "X-Mail-Autoreply") || is_name(name, "X-Vacation") ||
           is_name(name, "X-Autoresponder");
}

static void
read_headers(Report *r)
{
    const HeaderList *headers = &r->message->headers;
    bool have_path = r->envelope->mail_from != NULL;
    r->null_sender = have_path && r->envelope->mail_from[0] == '\0';
    if (have_path &&
        g_ascii_strncasecmp(r->envelope->mail_from, "mailer-daemon", 13) == 0)
        r->null_sender = true;

    for (size_t i = 0; i < headers->n; i++) {
        const char *name = headers->items[i].name;
        const char *value = headers->items[i].value;
        r->vacation |= is_absence_field(name, value);
        switch (name[0] | 0x20) {
        case 'a':
            if (is_name(name, "Auto-Submitted"))
                r->automatic |= g_ascii_strncasecmp(value, "no", 2) != 0;
            break;
        case 'i':
            r->is_answer |= is_name(name, "In-Reply-To") && value[0] != '\0';
            break;
        case 'l':
            r->is_list |= is_name(name, "List-Id") ||
                          is_name(name, "List-Unsubscribe") ||
                          is_name(name, "List-Post");
            break;
        case 'p':
            if (is_name(name, "Precedence"))
                r->is_list |= is_name(value, "list");
            break;
        case 'r':
            r->help_desk |=
                is_name(name, "RT-Ticket") || is_name(name, "RT-Originator");
            /* fall through */
        case 'e': /* "eturn-path": some lost the first letter */
            if (!have_path &&
                (is_name(name, "Return-Path") || is_name(name, "eturn-path")))
                r->null_sender |=
                    value[0] == '\0' || strncmp(value, "<>", 2) == 0 ||
                    g_ascii_strncasecmp(value, "<mailer-daemon", 14) == 0 ||
                    g_ascii_strncasecmp(value, "mailer-daemon", 13) == 0;
            break;
        case 'x':
            r->help_desk |= is_help_desk_field(name, value);
            if (is_name(name, "X-Failed-Recipients"))
                r->failed = value;
            else if (is_name(name, "X-Apple-Unsubscribe"))
                r->apple_unsubscribe = true;
            else if (is_name(name, "X-Delivery-Agent") &&
                     g_str_has_prefix(value, "TMDA"))
                r->subject_challenge += 3;
            break;
        default:
            break;
        }
    }
}

static void
read_parts(Report *r)
{
    for (size_t i = 0; i < r->message->n_parts; i++) {
        const Part *part = &r->message->parts[i];
        if (part->enclosing >= 0)
            continue;
        switch (part->kind) {
        case PART_DELIVERY_STATUS:
            if (r->status == NULL)
                r->status = part;
            break;
        case PART_FEEDBACK:
            if (r->feedback == NULL)
                r->feedback = part;
            break;
        case PART_DISPOSITION:
            if (r->receipt == NULL)
                r->receipt = part;
            break;
        case PART_MESSAGE:
        case PART_HEADERS:
            if (r->returned == NULL)
                r->returned = part;
            break;
        case PART_PLAIN:
        case PART_HTML:
        case PART_TEXT:
            r->n_texts++;
            break;
        case PART_VCARD:
        case PART_CALENDAR:
        case PART_OTHER:
        default:
            break;
        }
    }
}

/* Local-parts of machines that report; the longest that fits counts. */
static const struct {
    const char *prefix;
    int score;
} daemons[] = {
    { "mailer-daemon", 3 }, { "mailerdaemon", 3 },  { "mailer_daemon", 3 },
    { "mail-daemon", 3 },   { "maildaemon", 3 },    { "mail.daemon", 3 },
    { "mdaemon", 3 },       { "mail-delivery", 3 }, { "maildelivery", 3 },
    { "mail.delivery", 3 }, { "delivery", 2 },      { "microsoftexchange", 3 },
    { "mailer", 2 },        { "postmaster", 2 },    { "poostmaster", 2 },
    { "post_master", 3 },   { "post-master", 2 },   { "mailmaster", 2 },
    { "bounce", 2 },        { "ndr", 2 },           { "undeliver", 2 },
    { "non-delivery", 3 },  { "returned", 2 },      { "daemon", 2 },
    { "mailsystem", 2 },    { "mail-system", 2 },   { "mailadmin", 2 },
    { "mailrouter", 2 },    { "mail-router", 2 },   { "sysadm", 1 },
    { "system", 1 },        { "no-reply", 1 },      { "noreply", 1 },
    { "no_reply", 1 },      { "no.reply", 1 },      { "donotreply", 1 },
    { "do-not-reply", 1 },  { "do_not_reply", 1 },  { "complaints", 1 },
    { "admin", 1 },         { "notification", 1 },  { "notify", 1 },
    { "alert", 1 },         { "mail", 1 },          { "smtp", 1 },
    { "server", 1 },        { "service", 1 },       { "support", 1 },
    { "spam", 1 },          { "antispam", 1 },      { "virus", 1 },
    { "antivirus", 1 },     { "filter", 1 },        { "gateway", 1 },
    { "security", 1 },      { "root", 1 },          { "mmdf", 2 },
    { "uucp", 2 },          { "error", 1 },         { "autosupport", 1 },
    { "majordomo", 1 },     { "listserv", 1 },      { "sympa", 1 },
};

static void
score_origin(Report *r)
{
    const Message *m = r->message;
    int from = 0, sender = 0;
    if (m->from.n == 0) {
        /* "From: <>", "From: MAILER-DAEMON", or none at all */
        const char *raw = message_header(m, "From");
        from = 1;
        if (raw != NULL) {
            g_autofree char *small =
                g_ascii_strdown(raw, (gssize) strnlen(raw, 80));
            if (strstr(small, "daemon") != NULL ||
                strstr(small, "postmaster") != NULL ||
                strstr(small, "mail delivery") != NULL)
                from = 3;
            else if (strstr(small, "<>") != NULL)
                from = 2;
        }
    }
    for (size_t i = 0; i < m->from.n && i < 2; i++) {
        const Mailbox *box = &m->from.items[i];
        for (size_t d = 0; d < G_N_ELEMENTS(daemons); d++)
            if (daemons[d].score > from &&
                g_ascii_strncasecmp(box->email, daemons[d].prefix,
                                    strlen(daemons[d].prefix)) == 0)
                from = daemons[d].score;
        if (box->name != NULL && from < DAEMON_SCORE) {
            PhraseHit hits[8];
            size_t n = phrase_set_scan(r->rules->name, box->name,
                                       MIN(strlen(box->name), 120), hits, 8);
            for (size_t h = 0; h < n; h++)
                from = MAX(from, (int) hits[h].phrase->strength);
        }
    }
    if (r->failed != NULL)
        sender = 3;
    r->from = MAX(from, sender);
    r->origin = r->from;
    if (r->null_sender)
        r->origin += 2;
    if (r->automatic)
        r->origin += 1;
}

static void
read_subject(Report *r)
{
    PhraseHit hits[32];
    const char *subject = r->message->subject;
    size_t n = phrase_set_scan(r->rules->subject, subject,
                               strnlen(subject, SUBJECT_MAX), hits,
                               G_N_ELEMENTS(hits));
    bool returned = false; /* "Undeliverable: " and the returned subject */
    for (size_t i = 0; i < n; i++) {
        int strength = hits[i].phrase->strength;
        int kind = hits[i].phrase->kind;
        if (returned && kind != MARK_SUBJECT && kind != MARK_TRANSIENT)
            continue;
        switch (kind) {
        case MARK_SUBJECT:
            r->subject = MAX(r->subject, strength);
            returned |=
                strength == 3 && r->from >= 2 && subject[hits[i].end] == ':';
            break;
        case MARK_VACATION:
            r->subject_vacation = MAX(r->subject_vacation, strength);
            break;
        case MARK_CHALLENGE:
            r->subject_challenge += strength;
            break;
        case MARK_NOTICE:
            r->subject_notice += strength;
            break;
        case MARK_SUCCESS:
            r->subject_success = MAX(r->subject_success, strength);
            break;
        case MARK_OPERATOR:
            r->subject_operator = MAX(r->subject_operator, strength);
            break;
        case MARK_ROBOT:
            r->subject_robot = MAX(r->subject_robot, strength);
            break;
        case MARK_TRANSIENT:
            r->subject_transient = true;
            break;
        default:
            break;
        }
    }
}

/* "5 messages for <our address>": who reports on our mail names another's. */
static void
read_subject_party(Report *r)
{
    const char *subject = r->message->subject;
    if (r->null_sender || r->from >= DAEMON_SCORE)
        return;
    g_autoptr(GArray) addresses =
        text_addresses(subject, strnlen(subject, SUBJECT_MAX), NULL);
    for (unsigned i = 0; i < addresses->len; i++)
        if (is_party(r, g_array_index(addresses, TextAddress, i).email))
            r->subject_notice += 2;
}

/* A list server that answers commands. It echoes what it was sent: neither is
 * "unsubscribe" anybody's wish there, nor an unknown user a failed one. */
static bool
is_list_robot(const Report *r)
{
    static const char *const robots[] = {
        "majordomo", "owner-majordomo", "listserv",   "owner-listserv",
        "sympa",     "ezmlm",           "mlmmj",      "ecartis",
        "listproc",  "listar",          "minimalist", "mailserv",
        "smartlist", "listmanager",     "lyris",
    };
    static const char *const endings[] = {
        "-request",   "-help",        "-confirm", "-bounces", "-return",
        "-subscribe", "-unsubscribe", "+owner",   "+bounces", "+help"
    };
    if (r->message->from.n == 0)
        return false;
    const char *email = r->message->from.items[0].email;
    size_t n = strcspn(email, "@");
    for (size_t i = 0; i < G_N_ELEMENTS(robots); i++)
        if (n == strlen(robots[i]) &&
            g_ascii_strncasecmp(email, robots[i], n) == 0)
            return true;
    for (size_t i = 0; i < G_N_ELEMENTS(endings) && r->subject_robot >= 2;
         i++) {
        size_t end = strlen(endings[i]);
        if (n > end &&
            g_ascii_strncasecmp(email + n - end, endings[i], end) == 0)
            return true;
    }
    return r->subject_robot >= 3;
}

/* "Re:", "Fwd:" and their kin in other languages. */
static bool
is_answer_subject(const char *subject)
{
    static const char *const prefixes[] = {
        "re:",     "re :",  "fw:",   "fwd:",  "aw:", "wg:",
        "tr:",     "rv:",   "sv:",   "vs:",   "vb:", "antw:",
        "doorst:", "odp:",  "pd:",   "r:",    "i:",  "rif:",
        "enc:",    "res:",  "ynt:",  "ilt:",  "vl:", "videresend:",
        "回复:",   "转发:", "回覆:", "轉寄:", "re[", "fwd "
    };
    while (g_ascii_isspace(*subject))
        subject++;
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_ascii_strncasecmp(subject, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

/* --- the report's own words ---------------------------------------------------- */

/* Enough of HTML to read addresses and sentences: tags become blanks or line
 * ends, the usual entities characters. Reports have simple markup; what people
 * write is read by message/html.c. */
static void
append_html(GString *out, const char *html, size_t len)
{
    static const char *const blocks[] = { "br",   "p",          "/p",    "div",
                                          "/div", "tr",         "/tr",   "li",
                                          "h1",   "h2",         "h3",    "pre",
                                          "/td",  "blockquote", "table", "hr" };
    for (size_t i = 0; i < len;) {
        if (html[i] == '<') {
            const char *close = memchr(html + i, '>', len - i);
            if (close == NULL)
                break;
            const char *name = html + i + 1;
            size_t n = (size_t) (close - name);
            size_t word = 0;
            while (word < n && (g_ascii_isalnum(name[word]) ||
                                (word == 0 && name[word] == '/')))
                word++;
            /* "<a@b.c>" that was not escaped is an address. */
            if (memchr(name, '@', n) != NULL && memchr(name, ' ', n) == NULL &&
                memchr(name, '=', n) == NULL) {
                g_string_append_len(out, html + i, (gssize) n + 2);
                i += n + 2;
                continue;
            }
            bool block = false;
            for (size_t b = 0; b < G_N_ELEMENTS(blocks) && !block; b++)
                block = word == strlen(blocks[b]) &&
                        g_ascii_strncasecmp(name, blocks[b], word) == 0;
            if (block)
                g_string_append_c(out, '\n');
            i += n + 2;
            if ((word == 5 && g_ascii_strncasecmp(name, "style", 5) == 0) ||
                (word == 6 && g_ascii_strncasecmp(name, "script", 6) == 0)) {
                const char *end =
                    g_strstr_len(html + i, (gssize) (len - i),
                                 word == 5 ? "</style" : "</script");
                if (end == NULL)
                    break;
                i = (size_t) (end - html);
            }
            continue;
        }
        if (html[i] == '&') {
            static const struct {
                const char *name;
                char c;
            } entities[] = { { "&lt;", '<' },   { "&gt;", '>' },
                             { "&amp;", '&' },  { "&quot;", '"' },
                             { "&nbsp;", ' ' }, { "&#39;", '\'' },
                             { "&#64;", '@' },  { "&apos;", '\'' } };
            size_t e = 0;
            while (e < G_N_ELEMENTS(entities) &&
                   g_ascii_strncasecmp(
                       html + i, entities[e].name,
                       MIN(len - i, strlen(entities[e].name))) != 0)
                e++;
            if (e < G_N_ELEMENTS(entities) &&
                len - i >= strlen(entities[e].name)) {
                g_string_append_c(out, entities[e].c);
                i += strlen(entities[e].name);
                continue;
            }
        }
        g_string_append_c(out, html[i] == '\n' ? ' ' : html[i]);
        i++;
    }
    g_string_append_c(out, '\n');
}

/* Finds the phrases in the report's own words and where these end. A header
 * section is cut off first: most of many reports is the copy. */
static void
cut_text(Report *r)
{
    r->all_len = r->text.len;
    r->text.len = text_header_section(r->text.text, r->text.len);
    bounce_scan(r->rules->text, &r->text);
    r->end = text_divider(&r->text);
}

static bool
has_words(const Part *part)
{
    for (size_t i = 0; i < part->len && i < 4096; i++)
        if (!g_ascii_isspace(part->text[i]))
            return true;
    return false;
}

/* Sets r->text. Text parts that stand before the returned mail are joined;
 * of alternatives only the plain one. */
static void
read_text(Report *r)
{
    const Part *only = NULL;
    GString *joined = NULL;
    bool html = false;
    for (int pass = 0; pass < 2 && only == NULL && joined == NULL; pass++) {
        for (size_t i = 0; i < r->message->n_parts; i++) {
            const Part *part = &r->message->parts[i];
            bool wanted =
                pass == 0 ? part->kind == PART_PLAIN || part->kind == PART_TEXT
                          : part->kind == PART_HTML;
            if (part->enclosing >= 0 || !wanted || part->text == NULL ||
                !has_words(part))
                continue;
            if (pass == 0 && only == NULL && joined == NULL) {
                only = part;
                continue;
            }
            if (joined == NULL) {
                joined = g_string_new(NULL);
                if (only != NULL)
                    g_string_append_len(joined, only->text,
                                        (gssize) MIN(only->len, TEXT_MAX));
            }
            if (joined->len >= TEXT_MAX)
                break;
            g_string_append_c(joined, '\n');
            size_t len = MIN(part->len, TEXT_MAX);
            html = pass == 1;
            if (html)
                append_html(joined, part->text, len);
            else
                g_string_append_len(joined, part->text, (gssize) len);
        }
    }
    if (joined != NULL) {
        r->text.len = MIN(joined->len, TEXT_MAX);
        r->own_text = g_string_free(joined, FALSE);
        r->text.text = r->own_text;
    } else if (only != NULL) {
        r->text.text = only->text;
        r->text.len = MIN(only->len, TEXT_MAX);
    } else {
        r->text.text = "";
        r->text.len = 0;
    }
    cut_text(r);
}

typedef struct {
    int lead, vacation, challenge, notice, success, operator, robot;
    int leads; /* how many different leads of strength 3 */
    bool transient, person, dsn_field, json_bounce, json_complaint, reason,
        parcel;
} TextMarks;

static bool
is_quoted(const char *text, size_t line, size_t end)
{
    while (line < end && (text[line] == ' ' || text[line] == '\t'))
        line++;
    /* ">>> RCPT TO" stands in transcripts */
    return end - line >= 3 && text[line] == '>' &&
           strncmp(text + line, ">>>", 3) != 0;
}

static bool
ends_line(const Report *r, size_t at)
{
    while (at < r->end && (r->text.text[at] == ' ' || r->text.text[at] == '\t'))
        at++;
    return at >= r->end || r->text.text[at] == '\n' || r->text.text[at] == '\r';
}

static TextMarks
marks_of(const Report *r)
{
    TextMarks m = { 0 };
    /* What was said before, by somebody else, is none of its own words. */
    bool may_quote =
        (r->from < 2 || r->help_desk) && r->status == NULL && r->failed == NULL;
    size_t line = 0;
    for (size_t i = 0; i < r->text.n_hits; i++) {
        const PhraseHit *hit = &r->text.hits[i];
        if (hit->end > r->end)
            break;
        size_t last = hit->end > 0 ? hit->end - 1 : 0;
        for (const char *nl;
             (nl = memchr(r->text.text + line, '\n', last - line)) != NULL;)
            line = (size_t) (nl - r->text.text) + 1;
        if (is_quoted(r->text.text, line, r->end) ||
            (hit->end > r->text.title.start && hit->end <= r->text.title.end))
            continue;
        if (hit->phrase->kind == MARK_QUOTE && may_quote &&
            ends_line(r, hit->end))
            break;
        int strength = hit->phrase->strength;
        switch ((int) hit->phrase->kind) {
        case MARK_LEAD:
            m.lead = MAX(m.lead, strength);
            m.leads += strength == 3;
            break;
        case MARK_VACATION:
            m.vacation = MAX(m.vacation, strength);
            break;
        case MARK_CHALLENGE:
            m.challenge += strength;
            break;
        case MARK_NOTICE:
            m.notice += strength;
            break;
        case MARK_PARCEL:
            m.parcel = true;
            break;
        case MARK_SUCCESS:
            m.success = MAX(m.success, strength);
            break;
        case MARK_TRANSIENT:
            m.transient |= strength >= 2;
            break;
        case MARK_PERSON:
            m.person = true;
            break;
        case MARK_DSN_FIELD:
            m.dsn_field = true;
            break;
        case MARK_JSON_BOUNCE:
            m.json_bounce = true;
            break;
        case MARK_JSON_COMPLAINT:
            m.json_complaint = true;
            break;
        case MARK_OPERATOR:
            m.operator= MAX(m.operator, strength);
            break;
        case MARK_ROBOT:
            m.robot = MAX(m.robot, strength);
            break;
        default:
            m.reason |= hit->phrase->kind < REASON_N && strength >= 2;
            break;
        }
    }
    return m;
}

/* --- the returned mail --------------------------------------------------------- */

static char *
domain_in_lower_case(char *email)
{
    char *domain = strrchr(email, '@');
    for (; domain != NULL && *domain != '\0'; domain++)
        *domain = g_ascii_tolower(*domain);
    return email;
}

/* The first address of a field body, as far as it is needed here: without the
 * rest of the list and the names. */
static char *
first_address(const char *value)
{
    if (value == NULL)
        return NULL;
    const char *open = strchr(value, '<');
    const char *start = open != NULL ? open + 1 : value;
    const char *at = strchr(start, '@');
    Span span;
    if (at == NULL ||
        !text_address_at(start, strlen(start), (size_t) (at - start), &span))
        return NULL;
    return domain_in_lower_case(
        g_strndup(start + span.start, span.end - span.start));
}

static const char *
header_value(const HeaderList *headers, const char *name)
{
    const Header *header = header_list_find(headers, name, 0, NULL);
    return header != NULL ? header->value : NULL;
}

static char *
message_id_of(const char *value)
{
    if (value == NULL)
        return NULL;
    const char *start = strchr(value, '<');
    start = start != NULL ? start + 1 : value;
    size_t n = strcspn(start, "> \t\n");
    return n > 0 ? g_strndup(start, n) : NULL;
}

static void
set_once(char **field, char *value)
{
    if (*field == NULL)
        *field = value;
    else
        g_free(value);
}

static void
returned_from_headers(ReturnedMessage *returned, const HeaderList *headers)
{
    for (size_t i = 0; i < headers->n; i++) {
        const Header *h = &headers->items[i];
        switch (h->name[0] | 0x20) {
        case 'f':
            if (is_name(h->name, "From"))
                set_once(&returned->from, first_address(h->value));
            break;
        case 'm':
            if (is_name(h->name, "Message-ID"))
                set_once(&returned->message_id, message_id_of(h->value));
            break;
        case 'r':
            if (is_name(h->name, "Return-Path"))
                set_once(&returned->return_path, first_address(h->value));
            break;
        case 't':
            if (is_name(h->name, "To"))
                set_once(&returned->to, first_address(h->value));
            break;
        default:
            break;
        }
    }
}

static void
returned_clear(ReturnedMessage *returned)
{
    g_clear_pointer(&returned->message_id, g_free);
    g_clear_pointer(&returned->from, g_free);
    g_clear_pointer(&returned->return_path, g_free);
    g_clear_pointer(&returned->to, g_free);
}

/* Behind the divider, from the first line that looks like a field. */
static HeaderList
copied_headers(const Report *r)
{
    size_t at = r->end;
    for (unsigned lines = 0; at < r->all_len && lines < 20; lines++) {
        const char *line = r->text.text + at;
        const char *nl = memchr(line, '\n', r->all_len - at);
        size_t n = nl != NULL ? (size_t) (nl - line) : r->all_len - at;
        size_t name = 0;
        while (name < n && (g_ascii_isalnum(line[name]) || line[name] == '-'))
            name++;
        if (name > 1 && name < n && line[name] == ':')
            return header_list_parse(line, r->all_len - at, NULL);
        at += n + 1;
    }
    return (HeaderList){ 0 };
}

/* From the enclosed message or header section, else from the copy. */
static void
read_returned(Report *r)
{
    ReturnedMessage *returned = &r->analysis->returned;
    if (r->returned != NULL && r->returned->headers.n > 0) {
        returned_from_headers(returned, &r->returned->headers);
        return;
    }
    HeaderList list = copied_headers(r);
    returned_from_headers(returned, &list);
    header_list_clear(&list);
}

/* How many addresses the returned mail was to, and the first of them. */
static char *
returned_single_to(const Report *r)
{
    if (r->returned != NULL) {
        const char *to = header_value(&r->returned->headers, "To");
        if (to != NULL) {
            MailboxList list = mailbox_list_parse(to);
            char *email = list.n == 1 ? g_strdup(list.items[0].email) : NULL;
            mailbox_list_clear(&list);
            return email;
        }
    }
    return g_strdup(r->analysis->returned.to);
}

/* --- recipients ------------------------------------------------------------------ */

static void
note(Analysis *analysis, const char *text)
{
    g_ptr_array_add(analysis->notes, g_strdup(text));
}

static bool
same_address(const char *a, const char *b)
{
    return a != NULL && b != NULL && g_ascii_strcasecmp(a, b) == 0;
}

/* It has just been delivered to this address, so it is alive; and who writes
 * is, too. */
static bool
is_party(const Report *r, const char *email)
{
    const Message *m = r->message;
    if (m->from.n > 0 && same_address(m->from.items[0].email, email))
        return true;
    bool delivered = false;
    for (unsigned i = 0; i < r->envelope->recipients->len && !delivered; i++)
        delivered =
            same_address(g_ptr_array_index(r->envelope->recipients, i), email);
    /* a stored notice to ourselves */
    bool notice = !r->null_sender && r->status == NULL && r->returned == NULL &&
                  r->end == r->all_len && r->envelope->recipients->len == 0;
    for (size_t i = 0; notice && i < m->to.n; i++)
        delivered |= same_address(m->to.items[i].email, email);
    if (!delivered)
        return false;
    /* DragonFly names the failed one in X-Original-To, which a stored message
     * without other trace fields takes its recipient from. */
    const char *original = message_header(m, "X-Original-To");
    if (original == NULL || message_header(m, "Delivered-To") != NULL)
        return true;
    for (size_t i = 0; i < m->to.n; i++)
        if (same_address(m->to.items[i].email, email))
            return true;
    g_autofree char *address = first_address(original);
    return !same_address(address, email);
}

/* An address that leads to several (an alias) is as alive as the most alive
 * of them; the same one reported twice is as dead as the worse report says. */
static void
add_bounce(Analysis *analysis, const char *email, const char *final,
           const BounceVerdict *verdict)
{
    for (unsigned i = 0; i < analysis->bounces->len; i++) {
        Bounce *b = &g_array_index(analysis->bounces, Bounce, i);
        if (!same_address(b->email, email))
            continue;
        bool other_target =
            final != NULL && b->final != NULL && !same_address(final, b->final);
        bool worse = verdict->class > b->class;
        if (other_target ? !worse && verdict->class < b->class : worse) {
            b->class = verdict->class;
            b->reason = bounce_reason_name(verdict->reason);
            g_free(b->status);
            b->status = g_strdup(verdict->status);
            g_free(b->evidence);
            b->evidence = g_strdup(verdict->line);
        }
        return;
    }
    if (analysis->bounces->len == BOUNCE_MAX_RECIPIENTS) {
        note(analysis, "more recipients than are looked at");
        return;
    }
    Bounce bounce = {
        .email = domain_in_lower_case(g_strdup(email)),
        .final = final != NULL && !same_address(final, email) ? g_strdup(final)
                                                              : NULL,
        .class = verdict->class,
        .status = g_strdup(verdict->status),
        .reason = bounce_reason_name(verdict->reason),
        .evidence = g_strdup(verdict->line),
    };
    g_array_append_val(analysis->bounces, bounce);
}

static void
add_evidence(Evidence *evidence, const Scanned *text, size_t start, size_t end)
{
    if (evidence->n == EVIDENCE_SPANS || start >= end)
        return;
    evidence->texts[evidence->n] = text;
    evidence->spans[evidence->n] = (Span){ start, end };
    evidence->n++;
}

static size_t
line_start_of(const char *text, size_t at)
{
    while (at > 0 && text[at - 1] != '\n')
        at--;
    return at;
}

static size_t
line_end_of(const char *text, size_t at, size_t end)
{
    const char *nl = memchr(text + at, '\n', end - at);
    return nl != NULL ? (size_t) (nl - text) : end;
}

static bool
has_reason(const Report *r, size_t start, size_t end)
{
    for (size_t i = 0; i < r->text.n_hits; i++) {
        const PhraseHit *hit = &r->text.hits[i];
        if (hit->end > start && hit->end <= end &&
            (hit->end <= r->text.title.start || hit->end > r->text.title.end) &&
            hit->phrase->kind < REASON_N && hit->phrase->strength >= 2)
            return true;
    }
    return false;
}

/* Some mailers (Lotus Notes) say the reason first and the address behind it:
 * words stand before the first address and none behind the last. */
static void
turn_round(const Report *r, GArray *addresses)
{
    const TextAddress *first = NULL, *last = NULL;
    for (unsigned i = 0; i < addresses->len; i++) {
        const TextAddress *a = &g_array_index(addresses, TextAddress, i);
        if (a->score < 3)
            continue;
        if (a->behind)
            return;
        first = first != NULL ? first : a;
        last = a;
    }
    if (first == last || same_address(first->email, last->email) ||
        !has_reason(r, 0, first->where.start) ||
        has_reason(r, last->where.end, r->end))
        return;
    for (unsigned i = 0; i < addresses->len; i++)
        g_array_index(addresses, TextAddress, i).behind = true;
}

/* Nothing but white space and marks between two addresses? */
static bool
is_blank(const char *text, size_t start, size_t end)
{
    if (end < start || end - start > 100)
        return false;
    for (size_t i = start; i < end; i++)
        if (!g_ascii_isspace(text[i]) && strchr("<>,;\"'*-[]", text[i]) == NULL)
            return false;
    return true;
}

/* The paragraph that leads to the address at `i`, or to the list that it stands
 * in: one that ends with a colon, or what there is where nothing is said behind
 * the address. Empty when there is none. */
static Span
lead_paragraph(const Report *r, const GArray *addresses, unsigned i, size_t end)
{
    const char *text = r->text.text;
    const Span where = g_array_index(addresses, TextAddress, i).where;
    size_t at = where.start;
    unsigned letters = 0;
    for (size_t k = where.end; k < end && letters < 10; k++)
        letters += g_ascii_isalpha(text[k]) || (text[k] & 0x80) != 0;
    for (; i > 0; i--) {
        const Span before = g_array_index(addresses, TextAddress, i - 1).where;
        if (!is_blank(text, before.end, at))
            break;
        at = before.start;
    }
    size_t to = line_start_of(text, at);
    while (to > 0 && g_ascii_isspace(text[to - 1]))
        to--;
    bool colon = to > 0 && (text[to - 1] == ':' ||
                            (to >= 3 && memcmp(text + to - 3, "：", 3) == 0));
    if (!colon && letters >= 10)
        return (Span){ 0, 0 };
    size_t from = to;
    while (from > 0 && to - from < NEAR_MAX &&
           !(text[from - 1] == '\n' && text[from] == '\n'))
        from--;
    return (Span){ from, to };
}

static bool
is_of(const TextAddress *a, const char *email, const char *final)
{
    return same_address(a->email, email) || same_address(a->forwarded, email) ||
           same_address(a->email, final);
}

/* Does it stand somewhere as reports name their recipients? */
static bool
stands_well(const GArray *addresses, const char *email, const char *final)
{
    for (unsigned i = 0; i < addresses->len; i++) {
        const TextAddress *a = &g_array_index(addresses, TextAddress, i);
        if (MAX(a->score, a->own) >= 2 && is_of(a, email, final))
            return true;
    }
    return false;
}

/* The stretches of the text that explain `email`: from each place where it
 * stands to the next recipient's, or in transcripts from the one before. */
static void
explain(const Report *r, const GArray *addresses, const char *email,
        const char *final, Evidence *evidence)
{
    const char *text = r->text.text;
    unsigned used = 0;
    int least = 2;
    if (!stands_well(addresses, email, final))
        least = 1; /* within a sentence, and nowhere better */
    for (unsigned i = 0; i < addresses->len && used < 3; i++) {
        const TextAddress *a = &g_array_index(addresses, TextAddress, i);
        if (MAX(a->score, a->own) < least || !is_of(a, email, final))
            continue;
        size_t start = line_start_of(text, a->where.start);
        size_t end = r->end;
        if (a->behind) {
            end = line_end_of(text, a->where.end, r->end);
            add_evidence(evidence, &r->text, start, end);
            size_t before = 0;
            for (unsigned k = i; k-- > 0;) {
                const TextAddress *b =
                    &g_array_index(addresses, TextAddress, k);
                if (b->score >= 2 && !same_address(b->email, a->email)) {
                    before = line_end_of(text, b->where.end, r->end);
                    break;
                }
            }
            start = MIN(before, start);
            start = MAX(start, end - MIN(end, (size_t) NEAR_MAX));
            add_evidence(evidence, &r->text, start, end);
        } else {
            size_t list_end = a->where.end;
            for (unsigned k = i + 1; k < addresses->len; k++) {
                const TextAddress *b =
                    &g_array_index(addresses, TextAddress, k);
                /* A list of addresses shares what stands behind it. */
                if (is_blank(text, list_end, b->where.start)) {
                    list_end = b->where.end;
                    continue;
                }
                if (b->score >= MIN(3, MAX(a->score, 2)) &&
                    !same_address(b->email, a->email) &&
                    !same_address(b->email, a->forwarded)) {
                    size_t other = line_start_of(text, b->where.start);
                    /* with the words that lead to it */
                    Span lead = lead_paragraph(r, addresses, k, r->end);
                    if (lead.start > a->where.end)
                        other = lead.start;
                    end = other > start
                              ? other
                              : line_end_of(text, a->where.end, r->end);
                    break;
                }
            }
            end = MIN(end, MAX(list_end, start) + NEAR_MAX);
            end = MIN(end, r->end);
            /* The paragraph first: behind it stand words for everybody. */
            const char *blank = g_strstr_len(
                text + a->where.end, (gssize) (end - a->where.end), "\n\n");
            if (blank != NULL)
                add_evidence(evidence, &r->text, start,
                             (size_t) (blank - text));
            add_evidence(evidence, &r->text, start, end);
            Span lead = lead_paragraph(r, addresses, i, end);
            add_evidence(evidence, &r->text, lead.start, lead.end);
        }
        used++;
    }
}

static void
judge_status(Report *r, const GArray *recipients, const GArray *addresses,
             bool transient)
{
    Scanned *diagnostic = g_new(Scanned, 1);
    for (unsigned i = 0; i < recipients->len; i++) {
        const DsnRecipient *d = &g_array_index(recipients, DsnRecipient, i);
        const char *email = d->original != NULL ? d->original : d->final;
        const char *final = d->final;
        if (is_party(r, email))
            continue;
        BounceVerdict verdict = { 0 };
        if (d->action == ACTION_DELIVERED ||
            (d->action == ACTION_NONE && d->status[0] == '2')) {
            verdict.class = BOUNCE_OTHER;
            verdict.reason = REASON_DELIVERED;
            g_strlcpy(verdict.status, d->status, sizeof verdict.status);
            verdict.line = g_strdup("Action: delivered");
        } else {
            Evidence evidence = { .action = d->action,
                                  .status = d->status,
                                  .remote = d->remote,
                                  .words = r->rules->clause,
                                  .transient = transient };
            if (d->diagnostic != NULL) {
                diagnostic->text = d->diagnostic;
                diagnostic->len = strlen(d->diagnostic);
                bounce_scan(r->rules->text, diagnostic);
                add_evidence(&evidence, diagnostic, 0, diagnostic->len);
            }
            explain(r, addresses, email, final, &evidence);
            evidence.n_near = evidence.n;
            if (recipients->len == 1)
                add_evidence(&evidence, &r->text, 0, r->end);
            bounce_judge(&evidence, &verdict);
        }
        add_bounce(r->analysis, email, final, &verdict);
        g_free(verdict.line);
    }
    g_free(diagnostic);
}

static void
judge_one(Report *r, const char *email, const char *final,
          const GArray *addresses, bool alone, bool transient)
{
    Evidence evidence = { .status = "",
                          .words = r->rules->clause,
                          .transient = transient };
    explain(r, addresses, email, final, &evidence);
    evidence.n_near = evidence.n;
    if (alone) {
        add_evidence(&evidence, &r->text, 0, r->end);
    } else {
        /* What is said before the first of them is said of all. */
        for (unsigned i = 0; i < addresses->len; i++) {
            const TextAddress *a = &g_array_index(addresses, TextAddress, i);
            if (a->score >= 2) {
                size_t near = evidence.n;
                add_evidence(&evidence, &r->text, 0, a->where.start);
                evidence.n_common = evidence.n - near;
                break;
            }
        }
    }
    Scanned *subject = NULL;
    if (alone && r->message->subject[0] != '\0') {
        subject = g_new(Scanned, 1);
        subject->text = r->message->subject;
        subject->len = strnlen(subject->text, SUBJECT_MAX);
        bounce_scan(r->rules->text, subject);
        add_evidence(&evidence, subject, 0, subject->len);
    }
    BounceVerdict verdict = { 0 };
    bounce_judge(&evidence, &verdict);
    add_bounce(r->analysis, email, final, &verdict);
    g_free(verdict.line);
    g_free(subject);
}

static bool
holds(const GPtrArray *list, const char *email)
{
    for (unsigned i = 0; i < list->len; i++)
        if (same_address(g_ptr_array_index(list, i), email))
            return true;
    return false;
}

/* Somewhere the report names it as somebody to turn to. */
static bool
is_contact(const GArray *addresses, const char *email)
{
    for (unsigned i = 0; i < addresses->len; i++) {
        const TextAddress *a = &g_array_index(addresses, TextAddress, i);
        if (a->score == 0 && a->own == 0 && same_address(a->email, email))
            return true;
    }
    return false;
}

/* The one address that stands in a line with a reason, whatever else is there;
 * NULL when there are several, or none. */
static char *
only_explained(const Report *r, const GArray *addresses)
{
    const char *email = NULL;
    for (unsigned i = 0; i < addresses->len; i++) {
        const TextAddress *a = &g_array_index(addresses, TextAddress, i);
        if (a->score != 1 || is_contact(addresses, a->email) ||
            is_party(r, a->email) ||
            !has_reason(r, line_start_of(r->text.text, a->where.start),
                        line_end_of(r->text.text, a->where.end, r->end)))
            continue;
        if (email != NULL && !same_address(email, a->email))
            return NULL;
        email = a->email;
    }
    return g_strdup(email);
}

/* Whom a report without delivery status is about. The surest source that has
 * an answer wins; see the head of bounce_text.c for the scores. */
static GPtrArray *
choose(const Report *r, const GArray *addresses, bool guess)
{
    GPtrArray *chosen = g_ptr_array_new_with_free_func(g_free);

    if (r->failed != NULL) {
        MailboxList list = mailbox_list_parse(r->failed);
        for (size_t i = 0; i < list.n; i++)
            if (!holds(chosen, list.items[i].email))
                g_ptr_array_add(chosen, g_strdup(list.items[i].email));
        mailbox_list_clear(&list);
        if (chosen->len > 0)
            return chosen;
    }
    for (int least = 3; least >= 2; least--) {
        for (unsigned i = 0; i < addresses->len; i++) {
            const TextAddress *a = &g_array_index(addresses, TextAddress, i);
            if (chosen->len == BOUNCE_MAX_RECIPIENTS)
                break;
            if (a->score < least || holds(chosen, a->email) ||
                (a->score < 4 && is_contact(addresses, a->email)) ||
                is_party(r, a->email))
                continue;
            /* not the target of one that is there already */
            bool target = false;
            for (unsigned k = 0; k < addresses->len && !target; k++)
                target = same_address(
                    g_array_index(addresses, TextAddress, k).forwarded,
                    a->email);
            if (!target)
                g_ptr_array_add(chosen, g_strdup(a->email));
        }
        if (chosen->len > 0)
            return chosen;
    }

    /* Trace fields can mistake the failed address for ours. */
    for (unsigned i = 0; i < addresses->len; i++) {
        const TextAddress *a = &g_array_index(addresses, TextAddress, i);
        if (a->own >= 3 && r->origin >= DAEMON_SCORE &&
            !is_party(r, a->email) &&
            !same_address(a->email, r->analysis->returned.from) &&
            !same_address(a->email, r->analysis->returned.return_path)) {
            g_ptr_array_add(chosen, g_strdup(a->email));
            return chosen;
        }
    }
    /* A return address of ours that bears the recipient's (VERP). */
    for (unsigned i = 0; i < r->envelope->recipients->len; i++) {
        char *email =
            address_unwrap(g_ptr_array_index(r->envelope->recipients, i));
        if (email != NULL) {
            g_ptr_array_add(chosen, email);
            return chosen;
        }
    }
    for (size_t i = 0; i < r->message->to.n && i < 4; i++) {
        char *email = address_unwrap(r->message->to.items[i].email);
        if (email != NULL) {
            g_ptr_array_add(chosen, email);
            return chosen;
        }
    }
    if (!guess)
        return chosen;
    /* "Undeliverable: a@b" */
    const char *subject = r->message->subject;
    g_autoptr(GArray) in_subject =
        text_addresses(subject, strnlen(subject, SUBJECT_MAX), r->own);
    for (unsigned i = 0; i < in_subject->len; i++) {
        const TextAddress *a = &g_array_index(in_subject, TextAddress, i);
        if (a->score > 0 && !is_party(r, a->email)) {
            g_ptr_array_add(chosen, g_strdup(a->email));
            return chosen;
        }
    }
    char *explained = only_explained(r, addresses);
    if (explained != NULL) {
        g_ptr_array_add(chosen, explained);
        return chosen;
    }
    g_autofree char *to = returned_single_to(r);
    if (to != NULL && strchr(to, '@') != NULL) {
        g_ptr_array_add(chosen, g_steal_pointer(&to));
        return chosen;
    }
    for (unsigned i = 0; i < addresses->len; i++) {
        const TextAddress *a = &g_array_index(addresses, TextAddress, i);
        if (a->score == 1 && !holds(chosen, a->email) &&
            !is_contact(addresses, a->email) && !is_party(r, a->email))
            g_ptr_array_add(chosen, g_strdup(a->email));
    }
    if (chosen->len > 1)
        g_ptr_array_set_size(chosen, 0);
    return chosen;
}

static const char *
final_of(const GArray *addresses, const char *email)
{
    for (unsigned i = 0; i < addresses->len; i++) {
        const TextAddress *a = &g_array_index(addresses, TextAddress, i);
        if (a->forwarded != NULL && same_address(a->email, email))
            return a->forwarded;
    }
    return NULL;
}

/* Our own addresses, which a report names as sender. */
static void
collect_own(Report *r)
{
    size_t n = 0;
    const Message *m = r->message;
    for (size_t i = 0; i < m->to.n && n < OWN_MAX / 2; i++)
        r->own[n++] = m->to.items[i].email;
    for (unsigned i = 0; i < r->envelope->recipients->len && n < OWN_MAX - 2;
         i++)
        r->own[n++] = g_ptr_array_index(r->envelope->recipients, i);
    if (r->analysis->returned.from != NULL)
        r->own[n++] = r->analysis->returned.from;
    if (r->analysis->returned.return_path != NULL)
        r->own[n++] = r->analysis->returned.return_path;
    r->own[n] = NULL;
}

/* --- kinds of reports -------------------------------------------------------------- */

static bool
conclude(Report *r, Verdict verdict, const char *reason)
{
    r->analysis->verdict = verdict;
    r->analysis->reason = reason;
    return true;
}

/* Bounces are in the analysis: is any of them one? */
static bool
conclude_bounces(Report *r)
{
    const GArray *bounces = r->analysis->bounces;
    const char *reason = "";
    BounceClass worst = BOUNCE_OTHER;
    for (unsigned i = 0; i < bounces->len; i++) {
        const Bounce *b = &g_array_index(bounces, Bounce, i);
        if (b->class > worst || reason[0] == '\0') {
            worst = b->class;
            reason = b->reason;
        }
    }
    if (bounces->len > 0 && worst == BOUNCE_OTHER)
        return conclude(r, VERDICT_IGNORE, "delivered");
    if (bounces->len == 0) {
        note(r->analysis, "a report that names no recipient");
        reason = "undefined";
    }
    return conclude(r, VERDICT_BOUNCE, reason);
}

static bool
conclude_complaint(Report *r, const GPtrArray *recipients)
{
    Unsubscribe *u = unsubscribe_new(UNSUBSCRIBE_ALL);
    u->complaint = true;
    u->evidence = g_strdup("complaint (RFC 5965)");
    for (unsigned i = 0; i < recipients->len; i++)
        if (!holds(u->addresses, g_ptr_array_index(recipients, i)))
            g_ptr_array_add(u->addresses,
                            g_strdup(g_ptr_array_index(recipients, i)));
    if (u->addresses->len == 0 && r->analysis->returned.to != NULL)
        g_ptr_array_add(u->addresses, domain_in_lower_case(
                                          g_strdup(r->analysis->returned.to)));
    r->analysis->unsubscribe = u;
    return conclude(r, VERDICT_UNSUBSCRIBE, "complaint");
}

/* RFC 5965. Only some types are a person's complaint (7.3 and the registry):
 * the others are about authentication, viruses, or say "no spam". */
static bool
read_feedback(Report *r)
{
    FeedbackReport report = { .recipients =
                                  g_ptr_array_new_with_free_func(g_free) };
    if (r->feedback != NULL && r->feedback->text != NULL)
        feedback_parse(r->feedback->text, r->feedback->len, &report);
    static const char *const complaints[] = { "abuse",     "fraud",
                                              "opt-out",   "opt-out-list",
                                              "complaint", "miscategorized",
                                              "" };
    bool complaint = false;
    for (size_t i = 0; i < G_N_ELEMENTS(complaints) && !complaint; i++)
        complaint = strcmp(report.type, complaints[i]) == 0;

    if (r->returned != NULL) {
        returned_from_headers(&r->analysis->returned, &r->returned->headers);
        const char *hotmail =
            header_value(&r->returned->headers, "X-HmXmrOriginalRecipient");
        char *email =
            report.recipients->len == 0 ? first_address(hotmail) : NULL;
        if (email != NULL)
            g_ptr_array_add(report.recipients, email);
    }
    bool result = complaint ? conclude_complaint(r, report.recipients)
                            : conclude(r, VERDICT_IGNORE, "feedback");
    g_ptr_array_unref(report.recipients);
    return result;
}

/* Complaints that have the type but no part of their own: the fields stand in
 * the text; and those of Microsoft's JMRP, which have no report at all. */
static bool
read_other_feedback(Report *r)
{
    const char *hotmail =
        r->returned != NULL
            ? header_value(&r->returned->headers, "X-HmXmrOriginalRecipient")
            : NULL;
    bool typed =
        r->message->report_type != NULL &&
        g_ascii_strcasecmp(r->message->report_type, "feedback-report") == 0;
    if (hotmail == NULL && !typed)
        return false;
    for (size_t i = 0; i < r->message->n_parts && hotmail == NULL; i++) {
        const Part *part = &r->message->parts[i];
        if (part->enclosing < 0 && part->text != NULL &&
            g_strstr_len(part->text, (gssize) MIN(part->len, TEXT_MAX),
                         "Feedback-Type:") != NULL)
            r->feedback = part;
    }
    if (hotmail == NULL && r->feedback == NULL)
        return conclude(r, VERDICT_IGNORE, "feedback");
    return read_feedback(r);
}

/* The value of "key":"..." in JSON between two offsets, or NULL. */
static char *
json_string(const char *json, size_t start, size_t end, const char *key)
{
    g_autofree char *quoted = g_strdup_printf("\"%s\"", key);
    const char *p = g_strstr_len(json + start, (gssize) (end - start), quoted);
    if (p == NULL)
        return NULL;
    p += strlen(quoted);
    const char *stop = json + end;
    while (p < stop && (g_ascii_isspace(*p) || *p == ':'))
        p++;
    if (p >= stop || *p != '"')
        return NULL;
    GString *value = g_string_new(NULL);
    for (p++; p < stop && *p != '"'; p++) {
        if (*p == '\\' && p + 1 < stop) {
            p++;
            g_string_append_c(value, *p == 'n' || *p == 'r' ? ' ' : *p);
        } else if (*p != '\n' && *p != '\r') {
            g_string_append_c(value, *p);
        }
    }
    return g_string_free(value, FALSE);
}

/* Amazon SES notifications by SNS: JSON, maybe as a string within JSON. */
static bool
read_json(Report *r, bool complaint)
{
    GString *plain = g_string_sized_new(r->text.len);
    const char *first = g_strstr_len(r->text.text, (gssize) r->text.len,
                                     complaint ? "\\\"complainedRecipients"
                                               : "\\\"bouncedRecipients");
    for (size_t i = 0; i < r->text.len; i++) {
        if (first != NULL && r->text.text[i] == '\\' && i + 1 < r->text.len)
            i++;
        g_string_append_c(plain, r->text.text[i]);
    }
    const char *list = strstr(plain->str, complaint ? "\"complainedRecipients"
                                                    : "\"bouncedRecipients");
    size_t at = list != NULL ? (size_t) (list - plain->str) : plain->len;
    size_t stop = at;
    const char *close = memchr(plain->str + at, ']', plain->len - at);
    if (close != NULL)
        stop = (size_t) (close - plain->str);
    /* "diagnosticCode":"... [192.0.2.1] ..." has brackets, too */
    while (stop + 1 < plain->len && close != NULL) {
        size_t k = stop + 1;
        while (k < plain->len && g_ascii_isspace(plain->str[k]))
            k++;
        if (k >= plain->len || plain->str[k] == ',' || plain->str[k] == '}')
            break;
        close = memchr(plain->str + k, ']', plain->len - k);
        if (close != NULL)
            stop = (size_t) (close - plain->str);
    }

    g_autofree char *type =
        json_string(plain->str, 0, plain->len, "bounceType");
    g_autofree char *source = json_string(plain->str, 0, plain->len, "source");
    g_autofree char *id = json_string(plain->str, 0, plain->len, "messageId");
    if (source != NULL && r->analysis->returned.from == NULL)
        r->analysis->returned.from = first_address(source);
    if (id != NULL && r->analysis->returned.message_id == NULL)
        r->analysis->returned.message_id = g_steal_pointer(&id);

    g_autoptr(GPtrArray) emails = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) recipients =
        g_array_new(FALSE, TRUE, sizeof(DsnRecipient));
    g_array_set_clear_func(recipients, dsn_recipient_clear);
    while (at < stop && recipients->len < BOUNCE_MAX_RECIPIENTS) {
        const char *open = memchr(plain->str + at, '{', stop - at);
        if (open == NULL)
            break;
        size_t start = (size_t) (open - plain->str);
        const char *next = memchr(open + 1, '{', stop - start - 1);
        size_t end = next != NULL ? (size_t) (next - plain->str) : stop;
        at = end;
        g_autofree char *email =
            json_string(plain->str, start, end, "emailAddress");
        char *address =
            email != NULL ? dsn_address(email, strlen(email)) : NULL;
        if (address == NULL)
            continue;
        g_ptr_array_add(emails, address);
        DsnRecipient d = { .action = ACTION_FAILED,
                           .final = g_strdup(address) };
        d.diagnostic = json_string(plain->str, start, end, "diagnosticCode");
        g_autofree char *status = json_string(plain->str, start, end, "status");
        if (status != NULL)
            g_strlcpy(d.status, status, sizeof d.status);
        /* Amazon keeps a list of dead addresses of its own. */
        bool permanent =
            type != NULL && g_ascii_strcasecmp(type, "Permanent") == 0;
        if (d.diagnostic == NULL && permanent && d.status[0] == '\0')
            g_strlcpy(d.status, "5.1.1", sizeof d.status);
        g_array_append_val(recipients, d);
    }
    g_string_free(plain, TRUE);

    if (complaint)
        return conclude_complaint(r, emails);
    g_autoptr(GArray) none = g_array_new(FALSE, TRUE, sizeof(TextAddress));
    r->end = 0; /* nothing but the JSON explains it */
    judge_status(r, recipients, none, false);
    return conclude_bounces(r);
}

/* Delivery status parts of the report; where it has none of its own and names
 * nobody (`nested`) those of an enclosed report. */
static GArray *
status_recipients(const Report *r, bool nested)
{
    GArray *list = g_array_new(FALSE, TRUE, sizeof(DsnRecipient));
    g_array_set_clear_func(list, dsn_recipient_clear);
    for (size_t i = 0; i < r->message->n_parts; i++) {
        const Part *part = &r->message->parts[i];
        if (part->kind == PART_DELIVERY_STATUS && part->text != NULL &&
            (part->enclosing < 0) == !nested)
            (void) dsn_parse(part->text, MIN(part->len, 8 * TEXT_MAX), list);
    }
    return list;
}

/* A daemon that names nobody, but returns what looks like a report itself: go
 * on with that one, once. */
static bool
step_into_copy(Report *r)
{
    const char *blank = g_strstr_len(r->text.text + r->end,
                                     (gssize) (r->all_len - r->end), "\n\n");
    if (r->stepped || blank == NULL)
        return false;

    /* The divider may be followed by an empty line before the fields. */
    size_t used = (size_t) (blank + 2 - r->text.text);
    if (text_header_section(blank + 2, r->all_len - used) == 0) {
        blank = g_strstr_len(blank + 2, (gssize) (r->all_len - used), "\n\n");
        if (blank == NULL)
            return false;
        used = (size_t) (blank + 2 - r->text.text);
    }
    Scanned *before = g_memdup2(&r->text, sizeof r->text);
    size_t end = r->end, all_len = r->all_len;
    r->stepped = true;
    r->text.text += used;
    r->text.len = r->all_len - used;
    cut_text(r);
    TextMarks marks = marks_of(r);
    bool report = marks.dsn_field || marks.lead == 3;
    if (report) {
        returned_clear(&r->analysis->returned);
    } else {
        r->text = *before;
        r->end = end;
        r->all_len = all_len;
    }
    g_free(before);
    return report;
}

/* Does it name a foreign address, with such a score at least? */
static bool
names_recipient(const Report *r, const GArray *addresses, int least)
{
    for (unsigned i = 0; i < addresses->len; i++) {
        const TextAddress *a = &g_array_index(addresses, TextAddress, i);
        if (a->score >= least && !is_party(r, a->email))
            return true;
    }
    return false;
}

/* Does it tell of a mail from us to somebody else? */
static bool
tells_of_our_mail(const Report *r, const GArray *addresses)
{
    bool from_us = false;
    for (unsigned i = 0; i < addresses->len && !from_us; i++) {
        const TextAddress *a = &g_array_index(addresses, TextAddress, i);
        if (a->score != 0 || a->own != 0)
            continue;
        from_us = is_party(r, a->email);
        for (size_t k = 0; k < r->message->to.n && !from_us; k++)
            from_us = same_address(r->message->to.items[k].email, a->email);
    }
    return from_us && names_recipient(r, addresses, 2);
}

/* Where the name stands as a word at the beginning of a line, or in quotes. */
static bool
find_name(const Report *r, const char *name, Span *out)
{
    const char *text = r->text.text;
    size_t n = strlen(name);
    for (size_t at = 0; at + n <= r->end; at++) {
        if (at > 0 && strchr(" \t\n\"'<(:", text[at - 1]) == NULL)
            continue;
        if (g_ascii_strncasecmp(text + at, name, n) != 0 ||
            (at + n < r->end && (g_ascii_isalnum(text[at + n]) ||
                                 strchr("@._-", text[at + n]) != NULL)))
            continue;
        size_t line = line_start_of(text, at);
        while (line < at && strchr(" \t\"'<(*-", text[line]) != NULL)
            line++;
        if (line == at || (at > 0 && strchr("\"'<", text[at - 1]) != NULL)) {
            *out = (Span){ at, at + n };
            return true;
        }
    }
    return false;
}

/* Some mailers (GroupWise, Exchange 5.5, VMS) name their users without domain:
 * the returned mail's recipients whose local-part or name the text has. */
static void
add_named(const Report *r, GArray *addresses)
{
    enum { FEW = 50 };
    HeaderList copied = { 0 };
    const HeaderList *headers = &copied;
    if (r->returned != NULL && r->returned->headers.n > 0)
        headers = &r->returned->headers;
    else
        copied = copied_headers(r);
    static const char *const fields[] = { "To", "Cc" };
    for (size_t f = 0; f < G_N_ELEMENTS(fields); f++) {
        const char *value = header_value(headers, fields[f]);
        if (value == NULL)
            continue;
        MailboxList list = mailbox_list_parse(value);
        for (size_t i = 0; i < list.n && addresses->len < FEW; i++) {
            const Mailbox *box = &list.items[i];
            g_autofree char *local =
                g_strndup(box->email, strcspn(box->email, "@"));
            TextAddress a = { .score = 3 };
            if (is_party(r, box->email) ||
                (!find_name(r, local, &a.where) &&
                 (box->name == NULL || strchr(box->name, ' ') == NULL ||
                  !find_name(r, box->name, &a.where))))
                continue;
            a.email = g_strdup(box->email);
            /* in the order that they stand */
            unsigned to = addresses->len;
            while (to > 0 &&
                   g_array_index(addresses, TextAddress, to - 1).where.start >
                       a.where.start)
                to--;
            g_array_insert_val(addresses, to, a);
        }
        mailbox_list_clear(&list);
    }
    header_list_clear(&copied);
}

static bool
names_party(const Report *r, const GArray *addresses)
{
    for (unsigned i = 0; i < addresses->len; i++) {
        const TextAddress *a = &g_array_index(addresses, TextAddress, i);
        if (MAX(a->score, a->own) >= 1 && is_party(r, a->email))
            return true;
    }
    return false;
}

static bool
read_bounce(Report *r, TextMarks marks)
{
    read_returned(r);
    collect_own(r);
    bool transient = marks.transient || r->subject_transient;

    g_autoptr(GArray) addresses = text_addresses(r->text.text, r->end, r->own);
    g_autoptr(GArray) recipients = status_recipients(r, false);
    if (recipients->len == 0 && marks.dsn_field)
        (void) dsn_parse(r->text.text, r->end, recipients);
    if (recipients->len > 0) {
        judge_status(r, recipients, addresses, transient);
        return conclude_bounces(r);
    }

    if (r->failed == NULL && !names_recipient(r, addresses, 2))
        add_named(r, addresses);
    turn_round(r, addresses);
    g_autoptr(GPtrArray) chosen = choose(r, addresses, false);
    if (chosen->len == 0 && r->origin >= DAEMON_SCORE) {
        g_autoptr(GArray) nested = status_recipients(r, true);
        if (nested->len > 0) {
            judge_status(r, nested, addresses, transient);
            return conclude_bounces(r);
        }
        if (step_into_copy(r))
            return read_bounce(r, marks_of(r));
    }
    if (chosen->len == 0) {
        g_ptr_array_unref(chosen);
        chosen = choose(r, addresses, true);
    }
    /* A notice to ourselves: of a parcel, a quarantine, our own mailbox. */
    bool copy = r->returned != NULL || r->end < r->all_len;
    if (chosen->len == 0 && !copy &&
        (r->origin < DAEMON_SCORE || names_party(r, addresses))) {
        returned_clear(&r->analysis->returned);
        return r->null_sender ? conclude(r, VERDICT_IGNORE, "notification")
                              : false;
    }
    for (unsigned i = 0; i < chosen->len; i++) {
        const char *email = g_ptr_array_index(chosen, i);
        judge_one(r, email, final_of(addresses, email), addresses,
                  chosen->len == 1, transient);
    }
    return conclude_bounces(r);
}

/* A disposition notification (RFC 8098) is a receipt, also a negative one; but
 * where a server refuses with it (Dovecot's full mailbox, RFC 5429's "reject")
 * it stands for a delivery report. */
static bool
read_receipt(Report *r)
{
    read_text(r);
    TextMarks marks = marks_of(r);
    bool refused = false;
    for (size_t i = 0; i < r->text.n_hits; i++)
        refused |= r->text.hits[i].phrase->kind == MARK_REFUSED;
    if (!refused || r->receipt->text == NULL)
        return conclude(r, VERDICT_IGNORE, "receipt");

    read_returned(r);
    collect_own(r);
    g_autoptr(GArray) addresses = text_addresses(r->text.text, r->end, r->own);
    g_autoptr(GArray) recipients =
        g_array_new(FALSE, TRUE, sizeof(DsnRecipient));
    g_array_set_clear_func(recipients, dsn_recipient_clear);
    (void) dsn_parse(r->receipt->text, r->receipt->len, recipients);
    judge_status(r, recipients, addresses, marks.transient);
    return conclude_bounces(r);
}

/* Apple Mail's button writes the request itself, for its user. */
static bool
conclude_apple(Report *r)
{
    Unsubscribe *u = unsubscribe_new(UNSUBSCRIBE_ALL);
    u->evidence = g_strdup("X-Apple-Unsubscribe");
    if (r->message->from.n > 0)
        g_ptr_array_add(u->addresses,
                        g_strdup(r->message->from.items[0].email));
    r->analysis->unsubscribe = u;
    return conclude(r, VERDICT_UNSUBSCRIBE, "");
}

/* "Your mail to a@b could not be delivered": a foreign address. */
static bool
subject_names(const Report *r)
{
    const char *subject = r->message->subject;
    g_autoptr(GArray) addresses =
        text_addresses(subject, strnlen(subject, SUBJECT_MAX), r->own);
    return names_recipient(r, addresses, 1);
}

/* "Hello Ann," to ann@example.org: so machines do not begin. */
static bool
greets_us(const Report *r)
{
    const char *line = r->text.text;
    const char *end = line + r->end;
    while (line < end && g_ascii_isspace(*line))
        line++;
    const char *nl = memchr(line, '\n', (size_t) (end - line));
    size_t len = (size_t) ((nl != NULL ? nl : end) - line);
    if (len > 60 || memchr(line, '@', len) != NULL)
        return false;
    for (size_t i = 0; i < r->message->to.n && i < 4; i++) {
        const char *name = r->message->to.items[i].email;
        size_t n = strcspn(name, "@.-_+0123456789");
        for (size_t at = 0; n >= 3 && at + n <= len; at++)
            if (g_ascii_strncasecmp(line + at, name, n) == 0)
                return true;
    }
    return false;
}

/* Is the text a report? Origin and content must both speak for it. */
static bool
is_report(const Report *r, const TextMarks *marks)
{
    /* In words that the tables do not have, "not delivered" is said, too. */
    const PhraseSet *words = r->rules->clause;
    int lead = marks->lead, in_subject = r->subject;
    if (r->null_sender && lead < 2 &&
        clause_undelivered(words, r->text.text, r->end))
        lead = 2;
    if (r->null_sender && in_subject < 2 &&
        clause_undelivered(words, r->message->subject,
                           strnlen(r->message->subject, SUBJECT_MAX)))
        in_subject = 2;
    int content = in_subject + lead;
    g_autoptr(GArray) addresses = text_addresses(r->text.text, r->end, r->own);
    if (marks->leads > 1)
        content++;
    if (r->end < r->all_len || r->returned != NULL)
        content++;
    if (marks->reason)
        content++;
    if (marks->dsn_field)
        content += 3;
    if (r->failed != NULL || r->status != NULL)
        content += 3;
    bool says_so = in_subject >= 2 || lead >= 2 || marks->dsn_field ||
                   r->failed != NULL || r->status != NULL;
    /* A person behind a role's address: with regards, and no mail returned. */
    if (r->from < DAEMON_SCORE && !r->null_sender && r->end == r->all_len &&
        r->returned == NULL && (marks->person || greets_us(r)))
        return false;
    /* A subject alone, which may be quoted, is no report. */
    bool said = (in_subject >= 2 && r->null_sender && subject_names(r)) ||
                lead >= 1 || marks->reason || marks->dsn_field ||
                r->failed != NULL || r->status != NULL || r->returned != NULL ||
                (r->end < r->all_len && r->from >= 2);
    if ((r->from < 2 || (r->from < DAEMON_SCORE && !r->null_sender)) && !said)
        return false;
    /* Banks, shops and monitors fail to deliver, too. */
    if (r->from < 2 && !r->null_sender && r->end == r->all_len &&
        r->returned == NULL && r->failed == NULL && r->status == NULL &&
        !marks->dsn_field && !names_recipient(r, addresses, 3))
        return false;
    /* An unknown daemon in unknown words. */
    bool daemon = r->from >= DAEMON_SCORE && r->null_sender;
    if (!says_so && r->origin > DAEMON_SCORE && marks->reason &&
        names_recipient(r, addresses, daemon ? 1 : 3))
        return true;
    if (daemon && names_recipient(r, addresses, 3))
        return true;
    if (r->from >= 2 && r->null_sender && tells_of_our_mail(r, addresses))
        return true;
    return says_so && content >= CONTENT_SCORE &&
           r->origin + content >= REPORT_SCORE;
}

bool
bounce_find(const BounceRules *rules, const Message *message,
            const Envelope *envelope, Analysis *analysis)
{
    Report *r = g_new(Report, 1);
    memset(r, 0, offsetof(Report, text.hits));
    r->rules = rules;
    r->message = message;
    r->envelope = envelope;
    r->analysis = analysis;
    bool found = false;

    read_headers(r);
    read_parts(r);
    score_origin(r);
    read_subject(r);
    read_subject_party(r);
    bool daemon = r->origin >= DAEMON_SCORE;
    bool answer = is_answer_subject(message->subject);
    bool formal = message->report_type != NULL && r->status != NULL;

    bool other_feedback =
        message->report_type != NULL ||
        (r->returned != NULL &&
         g_str_has_prefix(message->subject, "complaint about message from"));
    bool robot = r->feedback == NULL && r->status == NULL &&
                 r->failed == NULL && is_list_robot(r);
    /* "... for list x could not be delivered: there is no such list" */
    bool may_report = r->null_sender && r->subject_robot == 0;
    if (robot && !may_report) {
        found = conclude(r, VERDICT_IGNORE, "notification");
    } else if (r->feedback != NULL) {
        found = read_feedback(r);
    } else if (other_feedback && read_other_feedback(r)) {
        found = true;
    } else if (r->receipt != NULL) {
        found = read_receipt(r);
    } else if (r->apple_unsubscribe) {
        found = conclude_apple(r);
    } else if (r->status == NULL &&
               (r->origin == 0 || (r->is_list && !daemon) ||
                (answer && r->origin < 2) ||
                (answer && r->is_answer && !daemon && !r->null_sender))) {
        found = false;
    } else if (r->status != NULL && !formal && r->origin < 2 &&
               (answer || r->is_answer || r->origin == 0)) {
        found = false; /* a person passes a report on */
    } else {
        read_text(r);
        TextMarks marks = marks_of(r);
        bool status = r->status != NULL;
        if (marks.json_bounce || marks.json_complaint) {
            found = read_json(r, marks.json_complaint);
        } else if (!status && r->failed == NULL &&
                   MAX(r->subject_operator, marks.operator) >= 3) {
            found = conclude(r, VERDICT_IGNORE, "notification");
        } else if (!status && r->failed == NULL && r->vacation &&
                   r->from < DAEMON_SCORE && marks.leads < 2) {
            found = conclude(r, VERDICT_IGNORE, "auto");
        } else if (!status && r->failed == NULL && r->from < DAEMON_SCORE &&
                   (r->help_desk || (is_ticket_subject(message->subject) &&
                                     !(marks.lead >= 2 && marks.reason)))) {
            found = r->automatic || r->null_sender
                        ? conclude(r, VERDICT_IGNORE, "notification")
                        : false;
        } else if (!status && !daemon &&
                   (r->subject_vacation >= 3 ||
                    r->subject_vacation + marks.vacation >= 3)) {
            found = r->automatic || r->null_sender
                        ? conclude(r, VERDICT_IGNORE, "auto")
                        : false;
        } else if (!status && r->origin - (r->null_sender ? 2 : 0) < 3 &&
                   (r->subject_vacation >= 3 || marks.vacation >= 3) &&
                   marks.leads < 2) {
            found = conclude(r, VERDICT_IGNORE, "auto");
        } else if (!status && r->from < DAEMON_SCORE &&
                   r->subject_challenge + marks.challenge >= 3) {
            found = conclude(r, VERDICT_IGNORE, "auto");
        } else if (!status && r->from < DAEMON_SCORE &&
                   r->subject_notice + marks.notice >= 3) {
            found = conclude(r, VERDICT_IGNORE, "notification");
        } else if (!status && r->failed == NULL && !r->null_sender &&
                   marks.parcel) {
            found = false; /* other rules say what it is */
        } else if (!status && MAX(r->subject_success, marks.success) >= 3 &&
                   !marks.reason) {
            found = conclude(r, VERDICT_IGNORE, "delivered");
        } else if (formal || is_report(r, &marks)) {
            found = read_bounce(r, marks);
        }
    }
    if (robot && !found)
        found = conclude(r, VERDICT_IGNORE, "notification");
    g_free(r->own_text);
    g_free(r);
    return found;
}

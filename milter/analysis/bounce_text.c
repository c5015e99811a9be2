/*
 * bounce_text.c - failed addresses in reports that were written for people
 *
 * Nearly all mailers name a failed recipient in one of few ways: alone on a
 * line, at the beginning of a line with the explanation behind it, behind a
 * label ("Recipient address: ..."), behind a preposition ("was not delivered
 * to ..."), or in a transcript of the SMTP dialogue. So an address is judged by
 * what stands around it on its line, not by the product:
 *
 *   4  alone on its line, or first with ':' '(' or a reply behind it
 *   3  behind a recipient's label or preposition; RCPT TO; transcript line
 *   2  first on its line with other text; behind some other label
 *   1  within a reply of the other side or a sentence
 *   0  the sender, a contact, our own address
 *
 * The caller takes the addresses of the best score that occurs (4 and 3
 * together). Everything is linear in the text: an address is at most
 * ADDRESS_MAX long, what is looked at before it at most CONTEXT_MAX.
 */
#include "analysis/bounce_internal.h"

#include <string.h>

enum {
    ADDRESS_MAX = 254,
    LOCAL_MAX = 128,
    CONTEXT_MAX = 64,
    ADDRESSES_MAX = 2000
};

/* --- one address ----------------------------------------------------------- */

static bool
is_local_char(char c)
{
    return g_ascii_isalnum(c) || strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL;
}

/* Is the character beyond ASCII that ends at `end` part of a word that may
 * stand in an address? Ideographs may be the sentence around it, so they count
 * only where nothing else is. */
static bool
is_word_before(const char *text, size_t end, bool have_ascii, size_t *out_len)
{
    size_t n = 1;
    while (n < 4 && n < end && ((uint8_t) text[end - n] & 0xc0) == 0x80)
        n++;
    gunichar c = g_utf8_get_char_validated(text + end - n, (gssize) n);
    if (c >= (gunichar) -2)
        return false;
    *out_len = n;
    if (c >= 0x2e80)
        return !have_ascii && (g_unichar_isalnum(c) || c >= 0x1f000);
    return g_unichar_isalpha(c);
}

bool
text_address_at(const char *text, size_t len, size_t at, Span *out)
{
    /* The domain, or an address literal. */
    size_t end = at + 1;
    if (end < len && text[end] == '[') {
        while (end < len && end - at < 64 && text[end] != ']' &&
               text[end] != '\n')
            end++;
        if (end == len || text[end] != ']')
            return false;
        end++;
    } else {
        while (end < len && end - at < ADDRESS_MAX) {
            uint8_t c = (uint8_t) text[end];
            if (g_ascii_isalnum((char) c) || c == '-' || c == '.' || c == '_') {
                end++;
            } else if (c >= 0x80) {
                gunichar u =
                    g_utf8_get_char_validated(text + end, (gssize) (len - end));
                if (u >= (gunichar) -2 || !g_unichar_isalnum(u) ||
                    (u >= 0x2e80 && end > at + 1 &&
                     g_ascii_isalnum(text[end - 1])))
                    break;
                end += (size_t) g_unichar_to_utf8(u, NULL);
            } else {
                break;
            }
        }
        while (end > at + 1 && strchr(".-_", text[end - 1]) != NULL)
            end--;
        if (end == at + 1 || text[at + 1] == '.')
            return false;
    }

    /* The local-part, from right to left. */
    size_t start = at;
    if (at > 1 && text[at - 1] == '"') {
        start = at - 1;
        while (start > 0 && at - start < LOCAL_MAX && text[start - 1] != '"' &&
               text[start - 1] != '\n')
            start--;
        if (start == 0 || text[start - 1] != '"' || start == at - 1)
            return false;
        start--;
    } else {
        bool ascii = false;
        while (start > 0 && at - start < LOCAL_MAX) {
            size_t n = 1;
            if (is_local_char(text[start - 1]))
                ascii = true;
            else if ((uint8_t) text[start - 1] < 0x80 ||
                     !is_word_before(text, start, ascii, &n))
                break;
            start -= n;
        }
        /* "to=a@b", "for|a@b" and quotation marks around it. */
        static const char *const glued[] = {
            "to=", "from=", "rcpt=", "recipient=", "f=", "t=", "email=", "for="
        };
        for (size_t i = 0; i < G_N_ELEMENTS(glued); i++) {
            size_t n = strlen(glued[i]);
            if (at - start > n &&
                g_ascii_strncasecmp(text + start, glued[i], n) == 0) {
                start += n;
                break;
            }
        }
        while (start < at && strchr("'`.*|/{", text[start]) != NULL)
            start++;
        if (start == at || text[at - 1] == '.')
            return false;
    }
    if (end - start > ADDRESS_MAX)
        return false;
    out->start = start;
    out->end = end;
    return true;
}

char *
address_unwrap(const char *address)
{
    const char *at = strrchr(address, '@');
    if (at == NULL)
        return NULL;
    size_t n = (size_t) (at - address);
    g_autofree char *local = g_strndup(address, n);

    /* SRS0=hash=tt=domain=user, SRS1=hash=host==hash=tt=domain=user */
    if (n > 5 && g_ascii_strncasecmp(local, "SRS", 3) == 0 &&
        strchr("=-+", local[4]) != NULL) {
        g_auto(GStrv) parts = g_strsplit(local, "=", -1);
        guint count = g_strv_length(parts);
        if (count >= 4 && strchr(parts[count - 2], '.') != NULL)
            return g_strdup_printf("%s@%s", parts[count - 1], parts[count - 2]);
        return NULL;
    }
    /* BATV: prvs=tag=user, prvs=user=tag, msprvs1=tag=..., btv1==tag==user */
    if (g_ascii_strncasecmp(local, "prvs=", 5) == 0 ||
        g_ascii_strncasecmp(local, "btv1==", 6) == 0) {
        const char *last = strrchr(local, '=');
        if (last != NULL && last[1] != '\0' && last > local + 4)
            return g_strdup_printf("%s%s", last + 1, at);
        return NULL;
    }
    /* VERP: anything-user=domain, anything+user=domain */
    const char *equals = strrchr(local, '=');
    if (equals == NULL || equals == local || strchr(equals, '.') == NULL)
        return NULL;
    const char *user = equals;
    while (user > local && user[-1] != '+' && user[-1] != '=' &&
           user[-1] != '/')
        user--;
    if (user == local || user[-1] == '/') {
        /* no '+': the list's name ends at the first '-' */
        const char *dash = memchr(local, '-', (size_t) (equals - local));
        if (dash == NULL)
            return NULL;
        user = dash + 1;
        /* "bounces-1234-user=domain" */
        while (g_ascii_isdigit(*user)) {
            const char *p = user;
            while (g_ascii_isxdigit(*p))
                p++;
            if (*p != '-')
                break;
            user = p + 1;
        }
    }
    if (user >= equals)
        return NULL;
    for (const char *p = equals + 1; *p != '\0'; p++)
        if (!g_ascii_isalnum(*p) && *p != '.' && *p != '-')
            return NULL;
    return g_strdup_printf("%.*s@%s", (int) (equals - user), user, equals + 1);
}

/* --- the returned copy ------------------------------------------------------ */

/* Header fields of a mail as against those of a delivery status. */
static bool
is_mail_field(const char *line, size_t len, bool *out_certain)
{
    static const struct {
        const char *name;
        bool certain;
    } fields[] = {
        { "Received:", true },
        { "Return-Path:", true },
        { "Message-ID:", true },
        { "DKIM-Signature:", true },
        { "MIME-Version:", true },
        { "From:", false },
        { "To:", false },
        { "Subject:", false },
        { "Date:", false },
        { "Content-Type:", false },
        { "X-Mailer:", false },
        { "Reply-To:", false },
        { "Sender:", false },
        { "Cc:", false },
        { "Content-Transfer-Encoding:", false },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        size_t n = strlen(fields[i].name);
        if (len >= n && (line[0] | 0x20) == (fields[i].name[0] | 0x20) &&
            g_ascii_strncasecmp(line, fields[i].name, n) == 0) {
            *out_certain = *out_certain || fields[i].certain;
            return true;
        }
    }
    return false;
}

size_t
text_header_section(const char *text, size_t len)
{
    /* Three mail fields in succession, one of them such as no report's own
     * text has. Other fields may stand between them. */
    unsigned run = 0;
    size_t run_start = 0;
    bool certain = false;
    for (size_t at = 0; at < len;) {
        const char *line = text + at;
        const char *nl = memchr(line, '\n', len - at);
        size_t n = nl != NULL ? (size_t) (nl - line) : len - at;
        if (run > 0 && n > 0 && (line[0] == ' ' || line[0] == '\t')) {
            /* continuation */
        } else if (n > 3 && is_mail_field(line, n, &certain)) {
            if (run++ == 0)
                run_start = at;
            if (run >= 3 && certain)
                return run_start;
        } else if (run > 0) {
            const char *colon = memchr(line, ':', MIN(n, 40));
            if (colon == NULL || colon == line ||
                memchr(line, ' ', (size_t) (colon - line)) != NULL) {
                run = 0;
                certain = false;
            }
        }
        at += n + 1;
    }
    return len;
}

size_t
text_divider(const Scanned *text)
{
    for (size_t i = 0; i < text->n_hits; i++) {
        const PhraseHit *hit = &text->hits[i];
        if (hit->phrase->kind != MARK_COPY)
            continue;
        size_t start = hit->end > 0 ? hit->end - 1 : 0;
        while (start > 0 && text->text[start - 1] != '\n')
            start--;
        size_t skip = start;
        while (skip < text->len &&
               (text->text[skip] == ' ' || text->text[skip] == '\t'))
            skip++;
        if (skip == text->len || text->text[skip] == '>' || start == 0)
            continue;
        /* Vaguer words count only in a line that is drawn as a divider. */
        if (hit->phrase->strength == 3 ||
            strchr("-=_*", text->text[skip]) != NULL)
            return start;
    }
    return text->len;
}

/* --- what stands around an address ------------------------------------------ */

typedef enum { LEAD_NONE, LEAD_RECIPIENT, LEAD_WEAK, LEAD_SENDER } Lead;

/* Words right before an address, lower case; the first that fits counts, so
 * longer ones stand first. */
static const struct {
    const char *words;
    Lead lead;
} leads[] = {
    { "send mail to", LEAD_SENDER },
    { "send email to", LEAD_SENDER },
    { "send an email to", LEAD_SENDER },
    { "send e-mail to", LEAD_SENDER },
    { "sending mail to", LEAD_SENDER },
    { "a message to", LEAD_SENDER },
    { "write to", LEAD_SENDER },
    { "your mail to", LEAD_RECIPIENT },
    { "your e-mail to", LEAD_RECIPIENT },
    { "the mail to", LEAD_RECIPIENT },
    { "mail to", LEAD_WEAK },
    { "forward to", LEAD_SENDER },
    { "postfach von", LEAD_RECIPIENT },
    { "mailbox von", LEAD_RECIPIENT },
    { "konto von", LEAD_RECIPIENT },
    { "mailbox of", LEAD_RECIPIENT },
    { "account of", LEAD_RECIPIENT },
    { "forward this", LEAD_SENDER },
    { "reply to", LEAD_SENDER },
    { "reply-to", LEAD_SENDER },
    { "errors-to", LEAD_SENDER },
    { "report to", LEAD_SENDER },
    { "returned to", LEAD_SENDER },
    { "contact", LEAD_SENDER },
    { "kontakt", LEAD_SENDER },
    { "contactez", LEAD_SENDER },
    { "from", LEAD_SENDER },
    { "sender", LEAD_SENDER },
    { "absender", LEAD_SENDER },
    { "von", LEAD_SENDER },
    { "expéditeur", LEAD_SENDER },
    { "remitente", LEAD_SENDER },
    { "mittente", LEAD_SENDER },
    { "remetente", LEAD_SENDER },
    { "отправитель", LEAD_SENDER },
    { "от", LEAD_SENDER },
    { "发件人", LEAD_SENDER },
    { "寄件者", LEAD_SENDER },
    { "差出人", LEAD_SENDER },
    { "送信者", LEAD_SENDER },
    { "보낸사람", LEAD_SENDER },
    { "보낸 사람", LEAD_SENDER },
    { "return-path", LEAD_SENDER },
    { "return path", LEAD_SENDER },
    { "reverse-path", LEAD_SENDER },
    { "message-id", LEAD_SENDER },
    { "message id", LEAD_SENDER },
    { "msgid", LEAD_SENDER },
    { "references", LEAD_SENDER },
    { "in-reply-to", LEAD_SENDER },
    { "cc", LEAD_SENDER },
    { "by", LEAD_SENDER },
    { "via", LEAD_SENDER },
    { "on behalf of", LEAD_SENDER },
    { "authenticated as", LEAD_SENDER },
    { "postmaster", LEAD_SENDER },
    { "administrator", LEAD_SENDER },
    { "email us at", LEAD_SENDER },
    { " at", LEAD_SENDER },
    { "<<<", LEAD_WEAK },
    { "final-recipient", LEAD_RECIPIENT },
    { "original-recipient", LEAD_RECIPIENT },
    { "recipient", LEAD_RECIPIENT },
    { "recipients", LEAD_RECIPIENT },
    { "recipient(s)", LEAD_RECIPIENT },
    { "recipient address", LEAD_RECIPIENT },
    { "rcpt to", LEAD_RECIPIENT },
    { "rcpt-to", LEAD_RECIPIENT },
    { "rcpt_to", LEAD_RECIPIENT },
    { "rcpt", LEAD_RECIPIENT },
    { "userid", LEAD_RECIPIENT },
    { "attempts", LEAD_RECIPIENT },
    { "undeliverable", LEAD_RECIPIENT },
    { "deliver", LEAD_RECIPIENT },
    { "failed", LEAD_RECIPIENT },
    { "failed address", LEAD_RECIPIENT },
    { "address", LEAD_RECIPIENT },
    { "addresses", LEAD_RECIPIENT },
    { "address(es)", LEAD_RECIPIENT },
    { "addressee", LEAD_RECIPIENT },
    { "e-mail", LEAD_RECIPIENT },
    { "email", LEAD_RECIPIENT },
    { "mailbox", LEAD_RECIPIENT },
    { "user", LEAD_RECIPIENT },
    { "account", LEAD_RECIPIENT },
    { "group", LEAD_RECIPIENT },
    { "emailaddress", LEAD_RECIPIENT },
    { "to", LEAD_RECIPIENT },
    { "for", LEAD_RECIPIENT },
    { "an", LEAD_RECIPIENT },
    { "empfänger", LEAD_RECIPIENT },
    { "empfängeradresse", LEAD_RECIPIENT },
    { "adresse", LEAD_RECIPIENT },
    { "destinataire", LEAD_RECIPIENT },
    { "destinataire(s)", LEAD_RECIPIENT },
    { "à", LEAD_RECIPIENT },
    { "destinatario", LEAD_RECIPIENT },
    { "destinatário", LEAD_RECIPIENT },
    { "dirección", LEAD_RECIPIENT },
    { "indirizzo", LEAD_RECIPIENT },
    { "endereço", LEAD_RECIPIENT },
    { "para", LEAD_RECIPIENT },
    { "aan", LEAD_RECIPIENT },
    { "geadresseerde", LEAD_RECIPIENT },
    { "ontvanger", LEAD_RECIPIENT },
    { "adresat", LEAD_RECIPIENT },
    { "odbiorca", LEAD_RECIPIENT },
    { "adres", LEAD_RECIPIENT },
    { "till", LEAD_RECIPIENT },
    { "til", LEAD_RECIPIENT },
    { "mensaje a", LEAD_RECIPIENT },
    { "correo a", LEAD_RECIPIENT },
    { "entregar a", LEAD_RECIPIENT },
    { "messaggio a", LEAD_RECIPIENT },
    { "mail a", LEAD_RECIPIENT },
    { "mensagem a", LEAD_RECIPIENT },
    { "wiadomości do", LEAD_RECIPIENT },
    { "wiadomosci do", LEAD_RECIPIENT },
    { "adresata", LEAD_RECIPIENT },
    { "odbiorcy", LEAD_RECIPIENT },
    { "mottagare", LEAD_RECIPIENT },
    { "modtager", LEAD_RECIPIENT },
    { "mottaker", LEAD_RECIPIENT },
    { "vastaanottaja", LEAD_RECIPIENT },
    { "příjemce", LEAD_RECIPIENT },
    { "címzett", LEAD_RECIPIENT },
    { "alıcı", LEAD_RECIPIENT },
    { "получатель", LEAD_RECIPIENT },
    { "получателю", LEAD_RECIPIENT },
    { "получателя", LEAD_RECIPIENT },
    { "адрес", LEAD_RECIPIENT },
    { "адресу", LEAD_RECIPIENT },
    { "адресат", LEAD_RECIPIENT },
    { "для", LEAD_RECIPIENT },
    { "宛先", LEAD_RECIPIENT },
    { "あて先", LEAD_RECIPIENT },
    { "宛", LEAD_RECIPIENT },
    { "送信先", LEAD_RECIPIENT },
    { "受信者", LEAD_RECIPIENT },
    { "アドレス", LEAD_RECIPIENT },
    { "收件人", LEAD_RECIPIENT },
    { "收件者", LEAD_RECIPIENT },
    { "收信人", LEAD_RECIPIENT },
    { "地址", LEAD_RECIPIENT },
    { "发送到", LEAD_RECIPIENT },
    { "수신자", LEAD_RECIPIENT },
    { "받는사람", LEAD_RECIPIENT },
    { "받는 사람", LEAD_RECIPIENT },
    { "수신인", LEAD_RECIPIENT },
    { "lista", LEAD_RECIPIENT },
    { "liste", LEAD_RECIPIENT },
    { "list", LEAD_RECIPIENT },
    { "alias", LEAD_RECIPIENT },
    { "uživatele", LEAD_RECIPIENT },
    { "benutzer", LEAD_RECIPIENT },
    { "utilisateur", LEAD_RECIPIENT },
    { "usuário", LEAD_RECIPIENT },
    { "usuario", LEAD_RECIPIENT },
    { "utente", LEAD_RECIPIENT },
    { "adressen", LEAD_RECIPIENT },
    { "adressaten", LEAD_RECIPIENT },
    { "kontoen", LEAD_RECIPIENT },
    { "postfach", LEAD_RECIPIENT },
    { "boîte", LEAD_RECIPIENT },
    { "compte", LEAD_RECIPIENT },
    { "buzón", LEAD_RECIPIENT },
    { "buzon", LEAD_RECIPIENT },
    { "cuenta", LEAD_RECIPIENT },
    { "casella", LEAD_RECIPIENT },
    { "caixa", LEAD_RECIPIENT },
    { "conta", LEAD_RECIPIENT },
    { "gebruiker", LEAD_RECIPIENT },
    { "skrzynka", LEAD_RECIPIENT },
    { "skrzynki", LEAD_RECIPIENT },
    { "użytkownik", LEAD_RECIPIENT },
    { "adresu", LEAD_RECIPIENT },
    { "adresy", LEAD_RECIPIENT },
    { "adresa", LEAD_RECIPIENT },
    { "adresát", LEAD_RECIPIENT },
    { "schránka", LEAD_RECIPIENT },
    { "uživatel", LEAD_RECIPIENT },
    { "címre", LEAD_RECIPIENT },
    { "címe", LEAD_RECIPIENT },
    { "felhasználó", LEAD_RECIPIENT },
    { "adresă", LEAD_RECIPIENT },
    { "adresei", LEAD_RECIPIENT },
    { "mottagaren", LEAD_RECIPIENT },
    { "mottakeren", LEAD_RECIPIENT },
    { "modtageren", LEAD_RECIPIENT },
    { "osoite", LEAD_RECIPIENT },
    { "osoitteeseen", LEAD_RECIPIENT },
    { "osoitetta", LEAD_RECIPIENT },
    { "vastaanottajalle", LEAD_RECIPIENT },
    { "adresine", LEAD_RECIPIENT },
    { "alıcıya", LEAD_RECIPIENT },
    { "διεύθυνση", LEAD_RECIPIENT },
    { "παραλήπτη", LEAD_RECIPIENT },
    { "παραλήπτης", LEAD_RECIPIENT },
    { "адресі", LEAD_RECIPIENT },
    { "отримувач", LEAD_RECIPIENT },
    { "отримувачу", LEAD_RECIPIENT },
    { "получателят", LEAD_RECIPIENT },
    { "primatelj", LEAD_RECIPIENT },
    { "primatelju", LEAD_RECIPIENT },
    { "korisnik", LEAD_RECIPIENT },
    { "naslov", LEAD_RECIPIENT },
    { "prejemnik", LEAD_RECIPIENT },
    { "prejemniku", LEAD_RECIPIENT },
    { "adresas", LEAD_RECIPIENT },
    { "gavėjas", LEAD_RECIPIENT },
    { "adrese", LEAD_RECIPIENT },
    { "aadress", LEAD_RECIPIENT },
    { "aadressile", LEAD_RECIPIENT },
    { "alamat", LEAD_RECIPIENT },
    { "penerima", LEAD_RECIPIENT },
    { "kepada", LEAD_RECIPIENT },
    { "địa chỉ", LEAD_RECIPIENT },
    { "người nhận", LEAD_RECIPIENT },
    { "đến", LEAD_RECIPIENT },
    { "ที่อยู่", LEAD_RECIPIENT },
    { "ผู้รับ", LEAD_RECIPIENT },
    { "כתובת", LEAD_RECIPIENT },
    { "לכתובת", LEAD_RECIPIENT },
    { "הבאה", LEAD_RECIPIENT },
    { "العنوان", LEAD_RECIPIENT },
    { "المستلم", LEAD_RECIPIENT },
    { "收件地址", LEAD_RECIPIENT },
    { "邮箱", LEAD_RECIPIENT },
    { "信箱", LEAD_RECIPIENT },
    { "メールアドレス", LEAD_RECIPIENT },
    { "주소", LEAD_RECIPIENT },
};

/* The length of the word at the end of text that only says which type of
 * address follows ("rfc822; ", "<mailto:"), or 0. */
static size_t
address_type_before(const char *text, size_t len)
{
    static const char *const types[] = { "mailto", "rfc822", "smtp", "utf-8" };
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        size_t n = strlen(types[i]);
        if (len >= n && g_ascii_strncasecmp(text + len - n, types[i], n) == 0)
            return n;
    }
    return 0;
}

/* The text before `at` as one lower-case line of at most CONTEXT_MAX bytes,
 * brackets and marks at its end removed; *out_label tells of a colon. */
static size_t
context_before(const char *text, size_t line_start, size_t at, char *out,
               bool *out_label, bool *out_empty)
{
    size_t end = at;
    *out_label = false;
    while (end > line_start) {
        char c = text[end - 1];
        if (c == ':' || c == '=')
            *out_label = true;
        else if (!g_ascii_isspace(c) && strchr("<>\"'`([{;*|,", c) == NULL) {
            /* also typographic marks and full-width colons */
            if (end - line_start >= 3 &&
                memcmp(text + end - 3, "\xef\xbc\x9a", 3) == 0) {
                *out_label = true;
                end -= 3;
                continue;
            }
            if (end - line_start >= 3 && (uint8_t) text[end - 3] == 0xe2 &&
                (uint8_t) text[end - 2] == 0x80) {
                end -= 3;
                continue;
            }
            if (end - line_start >= 3 && (uint8_t) text[end - 3] == 0xe3 &&
                (uint8_t) text[end - 2] == 0x80) {
                end -= 3;
                continue;
            }
            size_t type =
                address_type_before(text + line_start, end - line_start);
            if (type == 0)
                break;
            /* a colon after the type labels nothing */
            *out_label = false;
            end -= type;
            continue;
        }
        end--;
    }
    size_t start = end - MIN(end - line_start, (size_t) CONTEXT_MAX);
    size_t n = 0;
    for (size_t i = start; i < end; i++)
        out[n++] = g_ascii_tolower(text[i]);
    out[n] = '\0';
    /* bullets, numbers and dividers are not words */
    size_t words = 0;
    for (size_t i = line_start; i < end && words == 0; i++)
        words += !g_ascii_isspace(text[i]) &&
                 strchr("-*+#.>)(0123456789", text[i]) == NULL;
    *out_empty = words == 0;
    return n;
}

static Lead
lead_of(const char *context, size_t len)
{
    for (size_t i = 0; i < G_N_ELEMENTS(leads); i++) {
        size_t n = strlen(leads[i].words);
        if (len < n || memcmp(context + len - n, leads[i].words, n) != 0)
            continue;
        /* whole words only, where the script has such */
        if (len == n || !g_ascii_isalnum(context[len - n - 1]))
            return leads[i].lead;
    }
    return LEAD_NONE;
}

static bool
ends_with(const char *s, size_t len, const char *suffix)
{
    size_t n = strlen(suffix);
    return len >= n && memcmp(s + len - n, suffix, n) == 0;
}

/* Does the context end with words that name the address which led here? */
static bool
is_origin_lead(const char *text, size_t at)
{
    char context[CONTEXT_MAX + 1];
    bool label, empty;
    size_t n = context_before(text, at - MIN(at, (size_t) CONTEXT_MAX), at,
                              context, &label, &empty);
    return ends_with(context, n, "expanded from") ||
           ends_with(context, n, "generated from") ||
           ends_with(context, n, "forwarded from");
}

/* "a@b, <c@d>; e@f": nothing but a comma or semicolon between two. */
static bool
is_list_separator(const char *text, size_t start, size_t end)
{
    if (end - start > 8)
        return false;
    bool separator = false;
    for (size_t i = start; i < end; i++) {
        if (text[i] == ',' || text[i] == ';')
            separator = true;
        else if (!g_ascii_isspace(text[i]) && strchr("<>\"'", text[i]) == NULL)
            return false;
    }
    return separator;
}

/* "  |/usr/bin/program" or a file on a line of its own: what is "generated
 * from" an alias is then this, not the address before. */
static bool
is_program_between(const char *text, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++) {
        if (text[i] != '\n')
            continue;
        size_t k = i + 1;
        while (k < end && (text[k] == ' ' || text[k] == '\t' || text[k] == '"'))
            k++;
        if (k < end && (text[k] == '|' || text[k] == '/'))
            return true;
    }
    return false;
}

/* Is there a reply code right behind (blanks skipped)? */
static bool
reply_behind(const char *s, size_t len)
{
    size_t i = 0;
    while (i < len && (s[i] == ' ' || s[i] == '\t'))
        i++;
    return len - i >= 3 && strchr("45#", s[i]) != NULL &&
           (s[i] == '#' || (g_ascii_isdigit(s[i + 1]) || s[i + 1] == '.'));
}

/* "554 5.0.0 <a@b>... what went wrong": our own mailer's line in a transcript,
 * unlike "<<< 554 ..." and "host said: 554 ...". */
static bool
is_transcript_line(const char *line, size_t before, const char *behind,
                   size_t behind_len)
{
    if (before < 4 || strchr("45", line[0]) == NULL ||
        !g_ascii_isdigit(line[1]) || !g_ascii_isdigit(line[2]))
        return false;
    for (size_t i = 3; i < before; i++)
        if (!g_ascii_isdigit(line[i]) && strchr(" .<", line[i]) == NULL)
            return false;
    if (behind_len > 0 && *behind == '>') {
        behind++;
        behind_len--;
    }
    return behind_len >= 3 && strncmp(behind, "...", 3) == 0;
}

/* "De : ", "od: ": From in a summary of the mail. Elsewhere the words are
 * prepositions of all kinds. */
static bool
is_from_label(const char *context, size_t len)
{
    static const char *const words[] = { "de",      "da",       "od",
                                         "från",    "fra",      "lähettäjä",
                                         "kimden",  "afzender", "nadawca",
                                         "van",     "feladó",   "odesílatel",
                                         "gönderen" };
    while (len > 0 && strchr(" \t-*.", *context) != NULL) {
        context++;
        len--;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (len == strlen(words[i]) && memcmp(context, words[i], len) == 0)
            return true;
    return false;
}

/* Fewer than 40 letters, whatever the script. */
static bool
is_short(const char *context, size_t n)
{
    size_t letters = 0;
    for (size_t i = 0; i < n; i++)
        letters += ((uint8_t) context[i] & 0xc0) != 0x80;
    return letters < 40;
}

/* "Identificativo messaggio: ", "Nachrichten-ID: ": looks like an address. */
static bool
names_message(const char *context)
{
    static const char *const words[] = { "identif",        "message-id",
                                         "messageid",      "message id",
                                         "nachrichten-id", "queue",
                                         "référence" };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strstr(context, words[i]) != NULL)
            return true;
    return false;
}

static int
score_of(const char *text, size_t len, size_t line_start, size_t line_end,
         const Span *address, bool *out_behind)
{
    char context[CONTEXT_MAX + 1];
    bool label, empty;
    size_t n = context_before(text, line_start, address->start, context, &label,
                              &empty);
    const char *behind = text + address->end;
    size_t behind_len = line_end - address->end;

    if (is_transcript_line(text + line_start, address->start - line_start,
                           behind, behind_len)) {
        *out_behind = true;
        return 3;
    }
    if (empty) {
        /* A bare code before it is a reply that names it. */
        if (address->start - line_start >= 3 &&
            reply_behind(text + line_start, address->start - line_start))
            return 1;
        bool bracket = behind_len > 0 && *behind == '>';
        size_t i = 0;
        while (i < behind_len && strchr(">\"') \t]", behind[i]) != NULL)
            i++;
        /* "a@b<mailto:a@b>" */
        if (behind_len - i >= 8 &&
            g_ascii_strncasecmp(behind + i, "<mailto:", 8) == 0) {
            while (i < behind_len && behind[i] != '>')
                i++;
            while (i < behind_len && strchr("> \t", behind[i]) != NULL)
                i++;
        }
        if (i >= behind_len)
            return 4;
        if (strchr(":(", behind[i]) != NULL ||
            reply_behind(behind + i, behind_len - i) ||
            (behind_len - i >= 3 && strncmp(behind + i, "...", 3) == 0) ||
            (behind_len - i >= 3 &&
             g_ascii_strncasecmp(behind + i, "on ", 3) == 0))
            return 4;
        if (strchr(",;-=", behind[i]) != NULL || bracket)
            return 3;
        return 2;
    }
    (void) len;

    Lead lead = lead_of(context, n);
    if (label && names_message(context))
        return 0;
    if (lead == LEAD_SENDER || (label && is_from_label(context, n)))
        return 0;
    /* "To: a@b" is the returned mail's header field in a summary of it. */
    if (lead == LEAD_RECIPIENT && label && n <= 12 &&
        ends_with(context, n, "to") && strspn(context, " \t") == n - 2)
        return 2;
    if (lead == LEAD_RECIPIENT)
        return 3;
    if (ends_with(context, n, "<<<") || ends_with(context, n, "said"))
        return 1;
    /* A label of another kind: short and at the margin. */
    if (label && is_short(context, n) && !g_ascii_isdigit(context[n - 1]))
        return 2;
    return 1;
}

static bool
is_own(const char *const *own, const char *email)
{
    for (size_t i = 0; own != NULL && own[i] != NULL; i++)
        if (g_ascii_strcasecmp(own[i], email) == 0)
            return true;
    return false;
}

static void
text_address_clear(gpointer address)
{
    TextAddress *a = address;
    g_free(a->email);
    g_free(a->forwarded);
}

GArray *
text_addresses(const char *text, size_t end, const char *const *own)
{
    GArray *list = g_array_new(FALSE, TRUE, sizeof(TextAddress));
    g_array_set_clear_func(list, text_address_clear);
    unsigned seen = 0;

    for (size_t at = 0; at < end;) {
        const char *found = memchr(text + at, '@', end - at);
        if (found == NULL || seen++ == ADDRESSES_MAX)
            break;
        size_t here = (size_t) (found - text);
        at = here + 1;
        Span span;
        if (!text_address_at(text, end, here, &span))
            continue;
        at = span.end;

        size_t line_start = span.start;
        while (line_start > 0 && text[line_start - 1] != '\n' &&
               span.start - line_start < 1000)
            line_start--;
        const char *nl = memchr(text + span.end, '\n', end - span.end);
        size_t line_end = nl != NULL ? (size_t) (nl - text) : end;

        /* Quotations are somebody else's words; URLs are no addresses. */
        if (text[line_start] == '>' &&
            (end - line_start < 3 || strncmp(text + line_start, ">>>", 3) != 0))
            continue;
        if (span.start >= 3 && strncmp(text + span.start - 3, "://", 3) == 0)
            continue;
        const char *domain = text + here + 1;
        size_t domain_len = span.end - here - 1;
        bool dotted = memchr(domain, '.', domain_len) != NULL;
        if (!dotted && (span.start == 0 || text[span.start - 1] != '<'))
            continue;

        TextAddress address = { .where = span };
        address.email = g_strndup(text + span.start, span.end - span.start);
        bool origin = is_origin_lead(text, span.start);
        if (origin && list->len > 0 &&
            !is_program_between(
                text, g_array_index(list, TextAddress, list->len - 1).where.end,
                span.start)) {
            TextAddress *last =
                &g_array_index(list, TextAddress, list->len - 1);
            if (last->forwarded == NULL)
                last->forwarded = last->email;
            else
                g_free(last->email);
            last->email = address.email;
            continue;
        }
        address.score =
            score_of(text, end, line_start, line_end, &span, &address.behind);
        const TextAddress *before =
            list->len > 0 ? &g_array_index(list, TextAddress, list->len - 1)
                          : NULL;
        if (before != NULL && before->score >= 3 &&
            is_list_separator(text, before->where.end, span.start))
            address.score = MAX(address.score, 3);
        if (origin) /* the alias of a program */
            address.score = 4;
        if (is_own(own, address.email)) {
            address.own = address.score;
            address.score = 0;
        }
        g_array_append_val(list, address);
    }
    return list;
}

/* --- phrases around an address ------------------------------------------------ */

enum { AROUND = 64, AROUND_MAX = 300, STRADDLING_MAX = 64 };

/* The hits in left + ' ' + right that have words on both sides of the blank. */
static size_t
scan_joined(const PhraseSet *phrases, const char *text, Span left, size_t right,
            size_t right_len, PhraseHit *out, size_t max)
{
    char joined[2 * AROUND + 1];
    PhraseHit hits[16];
    size_t n_left = left.end - left.start;
    memcpy(joined, text + left.start, n_left);
    joined[n_left] = ' ';
    memcpy(joined + n_left + 1, text + right, right_len);
    size_t n =
        phrase_set_scan(phrases, joined, n_left + 1 + right_len, hits, 16);
    size_t found = 0;
    for (size_t i = 0; i < n && found < max; i++) {
        const Phrase *phrase = hits[i].phrase;
        size_t len = strlen(phrase->text);
        if (phrase->kind >= REASON_N || phrase->strength < 2 ||
            hits[i].end <= n_left + 1 ||
            hits[i].end - MIN(hits[i].end, len) >= n_left)
            continue;
        out[found] = hits[i];
        out[found].within = NULL;
        out[found++].end = (uint32_t) (right + hits[i].end - n_left - 1);
    }
    return found;
}

/* Without the preposition at its end, or the same. */
static Span
without_preposition(const char *text, Span left)
{
    static const char *const words[] = { "for",  "of", "to", "von", "an", "de",
                                         "du",   "d",  "di", "del", "da", "van",
                                         "para", "av", "af", "dla", "do" };
    size_t end = left.end;
    while (end > left.start && g_ascii_isspace(text[end - 1]))
        end--;
    size_t start = end;
    while (start > left.start && g_ascii_isalpha(text[start - 1]))
        start--;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (end - start == strlen(words[i]) && start > left.start &&
            g_ascii_isspace(text[start - 1]) &&
            g_ascii_strncasecmp(text + start, words[i], end - start) == 0)
            return (Span){ left.start, start - 1 };
    return left;
}

/* The first line that a label such as "Subject:" begins. */
static Span
title_line(const Scanned *text)
{
    for (size_t i = 0; i < text->n_hits; i++) {
        const PhraseHit *hit = &text->hits[i];
        if (hit->phrase->kind != MARK_TITLE)
            continue;
        size_t at = hit->end - MIN(hit->end, strlen(hit->phrase->text));
        size_t start = at;
        while (start > 0 && strchr(" \t*-", text->text[start - 1]) != NULL)
            start--;
        if (start > 0 && text->text[start - 1] != '\n')
            continue;
        const char *nl =
            memchr(text->text + hit->end, '\n', text->len - hit->end);
        return (Span){ start,
                       nl != NULL ? (size_t) (nl - text->text) : text->len };
    }
    return (Span){ 0, 0 };
}

void
bounce_scan(const PhraseSet *phrases, Scanned *text)
{
    text->n_hits = phrase_set_scan(phrases, text->text, text->len, text->hits,
                                   PHRASE_HITS_MAX);
    text->title = title_line(text);
    PhraseHit more[STRADDLING_MAX];
    size_t n_more = 0, before = 0;
    unsigned seen = 0;
    for (size_t at = 0; at < text->len && n_more < STRADDLING_MAX;) {
        const char *found = memchr(text->text + at, '@', text->len - at);
        if (found == NULL || seen++ == AROUND_MAX)
            break;
        size_t here = (size_t) (found - text->text);
        Span span;
        at = here + 1;
        if (!text_address_at(text->text, text->len, here, &span))
            continue;
        at = span.end;
        while (span.start > before &&
               strchr("<\"'([`", text->text[span.start - 1]) != NULL)
            span.start--;
        while (span.end < text->len &&
               strchr(">\"')]`", text->text[span.end]) != NULL)
            span.end++;
        /* "a@b@c.example" is two addresses, one over the other. */
        size_t room = span.start > before ? span.start - before : 0;
        Span left = { span.start - MIN(room, (size_t) AROUND), span.start };
        before = span.end;
        size_t n_right = MIN(text->len - span.end, (size_t) AROUND);
        if (left.start == left.end || n_right == 0 ||
            strchr(":,;", text->text[span.end]) != NULL)
            continue;
        n_more += scan_joined(phrases, text->text, left, span.end, n_right,
                              more + n_more, STRADDLING_MAX - n_more);
        Span shorter = without_preposition(text->text, left);
        if (shorter.end != left.end)
            n_more +=
                scan_joined(phrases, text->text, shorter, span.end, n_right,
                            more + n_more, STRADDLING_MAX - n_more);
    }
    /* Few: each is put where it belongs. */
    for (size_t i = 0; i < n_more && text->n_hits < PHRASE_HITS_MAX; i++) {
        size_t to = text->n_hits++;
        for (; to > 0 && text->hits[to - 1].end > more[i].end; to--)
            text->hits[to] = text->hits[to - 1];
        text->hits[to] = more[i];
    }
}

/*
 * mailbox.c - address lists as people and programs write them (RFC 5322, 3.4)
 *
 * One pass over the field cuts it at commas and semicolons outside quotes,
 * comments and brackets; each piece then has words, comments and at most one
 * bracketed address. Encoded words are decoded last, so that a comma in a
 * decoded name cannot split it. Leniencies: a piece without an address is the
 * surname of the next ("Lee, Ann <ann@example.org>"), an address among the
 * words needs no brackets, "[mailto:...]" is a bracket, a comment is a name.
 */
#include "message/header.h"

#include <string.h>

enum { MAX_MAILBOXES = 1000, MAX_EMAIL = 320, MAX_NAME = 1000 };

typedef struct {
    GString *words;   /* the phrase, quotes resolved */
    GString *comment; /* text of comments */
    GString *angle;   /* what stood in <> */
    bool has_angle;
    bool has_at; /* '@' in `words` outside quotes */
} Piece;

static void
piece_reset(Piece *piece)
{
    g_string_truncate(piece->words, 0);
    g_string_truncate(piece->comment, 0);
    g_string_truncate(piece->angle, 0);
    piece->has_angle = false;
    piece->has_at = false;
}

/* Trims, collapses blanks, removes what quotes a whole name. */
static char *
name_clean(const char *text)
{
    g_autofree char *decoded =
        strstr(text, "=?") != NULL ? header_decode(text) : g_strdup(text);
    GString *s = g_string_sized_new(strlen(decoded));
    for (const char *p = decoded; *p != 0; p++) {
        bool blank = *p == ' ' || *p == '\t' || *p == '\n' || *p == '\r';
        if (blank && (s->len == 0 || s->str[s->len - 1] == ' '))
            continue;
        g_string_append_c(s, blank ? ' ' : *p);
    }
    for (;;) {
        while (s->len > 0 &&
               (s->str[s->len - 1] == ' ' || s->str[s->len - 1] == ','))
            g_string_truncate(s, s->len - 1);
        while (s->len > 0 && (s->str[0] == ' ' || s->str[0] == ','))
            g_string_erase(s, 0, 1);
        if (s->len >= 2 && s->str[0] == s->str[s->len - 1] &&
            (s->str[0] == '"' || s->str[0] == '\'')) {
            g_string_truncate(s, s->len - 1);
            g_string_erase(s, 0, 1);
            continue;
        }
        break;
    }
    if (s->len == 0) {
        g_string_free(s, TRUE);
        return NULL;
    }
    return g_string_free(s, FALSE);
}

/* An addr-spec out of what looked like one; NULL when it is none. */
static char *
email_clean(const char *text)
{
    g_autoptr(GString) s = g_string_new(NULL);
    bool quoted = false;
    for (const char *p = text; *p != 0 && s->len <= MAX_EMAIL; p++) {
        if (*p == '"')
            quoted = !quoted;
        if (quoted || (*p != ' ' && *p != '\t' && *p != '<' && *p != '>'))
            g_string_append_c(s, *p);
    }
    while (s->len > 0 && strchr("'([{,;:", s->str[0]) != NULL)
        g_string_erase(s, 0, 1);
    if (g_ascii_strncasecmp(s->str, "mailto:", 7) == 0)
        g_string_erase(s, 0, 7);
    if (s->len > 0 && s->str[0] == '@') { /* source route */
        const char *colon = strchr(s->str, ':');
        if (colon != NULL)
            g_string_erase(s, 0, colon - s->str + 1);
    }
    while (s->len > 0 && strchr("')}].,;:>", s->str[s->len - 1]) != NULL &&
           !(s->str[s->len - 1] == ']' && strstr(s->str, "@[") != NULL))
        g_string_truncate(s, s->len - 1);
    /* "ann@example.org" in quotes, all of it */
    if (s->len > 2 && s->str[0] == '"' && s->str[s->len - 1] == '"') {
        g_string_truncate(s, s->len - 1);
        g_string_erase(s, 0, 1);
    }
    char *at = strrchr(s->str, '@');
    if (at == NULL || at == s->str || at[1] == 0 || s->len > MAX_EMAIL)
        return NULL;
    for (const char *p = at + 1; *p != 0; p++) {
        if (g_ascii_isalnum(*p))
            continue;
        if ((unsigned char) *p <= 32 || strchr("\"(),;<>\\`|", *p) != NULL)
            return NULL;
    }
    if (s->str[0] != '"') {
        for (const char *p = s->str; p < at; p++) {
            if (g_ascii_isalnum(*p))
                continue;
            if ((unsigned char) *p <= 32 || strchr("\"(),;<>[]\\", *p) != NULL)
                return NULL;
        }
    }
    size_t ascii = 0; /* letters of the domain, made small in place */
    for (char *p = at + 1; *p != 0 && (*p & 0x80) == 0; p++, ascii++)
        *p = g_ascii_tolower(*p);
    if (at[1 + ascii] == 0)
        return g_strndup(s->str, s->len);
    g_autofree char *local = g_strndup(s->str, (gsize) (at - s->str));
    g_autofree char *domain = g_utf8_strdown(at + 1, -1);
    return g_strconcat(local, "@", domain, NULL);
}

/* The word of `words` that holds the '@', cut out of it. */
static char *
take_address_word(GString *words)
{
    const char *at = strchr(words->str, '@');
    if (at == NULL)
        return NULL;
    size_t from = (size_t) (at - words->str), to = from;
    while (from > 0 && words->str[from - 1] != ' ')
        from--;
    while (to < words->len && words->str[to] != ' ')
        to++;
    g_autofree char *word = g_strndup(words->str + from, to - from);
    char *email = email_clean(word);
    if (email == NULL) { /* "ann @ example.org" */
        email = email_clean(words->str);
        if (email != NULL)
            g_string_truncate(words, 0);
        return email;
    }
    g_string_erase(words, (gssize) from, (gssize) (to - from));
    return email;
}

static void mailbox_list_add(GArray *list, const char *value, unsigned level);

/* Ends a piece. `held` keeps the words of a piece without an address for the
 * next one. */
static void
piece_finish(GArray *list, Piece *piece, GString *held, unsigned level)
{
    g_autofree char *email = NULL;
    if (piece->has_angle) {
        email = email_clean(piece->angle->str);
        /* "Ann Lee <Ann Lee> ann@example.org" and the like */
        if (email == NULL && strchr(piece->words->str, '@') != NULL)
            email = take_address_word(piece->words);
    } else if (strchr(piece->words->str, '@') != NULL) {
        email = take_address_word(piece->words);
    } else if (piece->words->len <= MAX_NAME && level == 0 &&
               strstr(piece->words->str, "=?") != NULL) {
        /* The whole mailbox inside one encoded word. */
        g_autofree char *decoded = header_decode(piece->words->str);
        if (strchr(decoded, '@') != NULL) {
            mailbox_list_add(list, decoded, level + 1);
            g_string_truncate(held, 0);
            piece_reset(piece);
            return;
        }
    }
    if (email == NULL) {
        g_string_truncate(held, 0);
        if (!piece->has_angle && piece->words->len > 0)
            g_string_assign(held, piece->words->str);
        piece_reset(piece);
        return;
    }
    char *name = name_clean(piece->words->str);
    if (name != NULL && held->len > 0) {
        g_autofree char *both = g_strconcat(held->str, ", ", name, NULL);
        g_free(name);
        name = name_clean(both);
    }
    if (name == NULL && piece->comment->len > 0)
        name = name_clean(piece->comment->str);
    if (name != NULL && g_ascii_strcasecmp(name, email) == 0)
        g_clear_pointer(&name, g_free);
    g_string_truncate(held, 0);
    piece_reset(piece);
    Mailbox mailbox = { name, g_steal_pointer(&email) };
    g_array_append_val(list, mailbox);
}

/* Appends a quoted-string's content; returns what follows it. */
static const char *
scan_quoted(const char *p, GString *out)
{
    for (p++; *p != 0 && *p != '"'; p++) {
        if (*p == '\\' && p[1] != 0)
            p++;
        g_string_append_c(out, *p);
    }
    return *p == '"' ? p + 1 : p;
}

static const char *
scan_comment(const char *p, GString *out)
{
    unsigned depth = 0;
    if (out->len > 0)
        g_string_append_c(out, ' ');
    for (; *p != 0; p++) {
        if (*p == '(' && depth++ == 0)
            continue;
        if (*p == ')' && --depth == 0)
            return p + 1;
        if (*p == '\\' && p[1] != 0)
            p++;
        g_string_append_c(out, *p);
    }
    return p;
}

/* "local part"@domain: the quotes belong to the address. */
static bool
quotes_a_local_part(const char *p)
{
    for (p++; *p != 0 && *p != '"'; p++) {
        if (*p == '\\' && p[1] != 0)
            p++;
    }
    return *p == '"' && p[1] == '@';
}

/* Length of the encoded word at p, 0 when there is none: what it holds must
 * not be taken for syntax. */
static size_t
encoded_word_length(const char *p)
{
    if (p[0] != '=' || p[1] != '?')
        return 0;
    const char *q = p + 2;
    for (int marks = 0; q - p < 500 && *q > ' ' && *q != '"'; q++) {
        if (*q != '?')
            continue;
        if (marks == 2)
            return q[1] == '=' ? (size_t) (q + 2 - p) : 0;
        marks++;
    }
    return 0;
}

static void
mailbox_list_add(GArray *list, const char *value, unsigned level)
{
    g_autoptr(GString) words = g_string_new(NULL);
    g_autoptr(GString) comment = g_string_new(NULL);
    g_autoptr(GString) angle = g_string_new(NULL);
    g_autoptr(GString) held = g_string_new(NULL);
    Piece piece = { words, comment, angle, false, false };
    const char *p = value;
    while (*p != 0 && list->len < MAX_MAILBOXES) {
        size_t word = encoded_word_length(p);
        if (word > 0) {
            g_string_append_len(words, p, (gssize) word);
            p += word;
            continue;
        }
        switch (*p) {
        case '"':
            if (quotes_a_local_part(p)) {
                g_string_append_c(words, '"');
                p = scan_quoted(p, words);
                g_string_append_c(words, '"');
                break;
            }
            p = scan_quoted(p, words);
            break;
        case '(':
            p = scan_comment(p, comment);
            break;
        case '<': {
            p++;
            const char *start = p;
            bool quoted = false;
            while (*p != 0 && (quoted || *p != '>')) {
                if (*p == '\\' && p[1] != 0)
                    p++;
                else if (*p == '"')
                    quoted = !quoted;
                else if (!quoted && (*p == ',' || *p == ';') &&
                         memchr(start, '@', (size_t) (p - start)) != NULL &&
                         *start != '@')
                    break; /* the '>' is missing */
                p++;
            }
            if (!piece.has_angle ||
                memchr(start, '@', (size_t) (p - start)) != NULL) {
                if (!piece.has_angle || strchr(angle->str, '@') == NULL)
                    g_string_assign(angle, "");
                if (angle->len == 0)
                    g_string_append_len(angle, start, p - start);
                piece.has_angle = true;
            }
            while (*p == '>')
                p++;
            break;
        }
        case ',':
        case ';':
            piece_finish(list, &piece, held, level);
            p++;
            break;
        case ':':
            /* The name of a group: its members follow. */
            if (!piece.has_angle && strchr(words->str, '@') == NULL &&
                strstr(words->str, "=?") == NULL &&
                !g_str_has_suffix(words->str, "mailto")) {
                piece_reset(&piece);
                g_string_truncate(held, 0);
                p++;
                break;
            }
            G_GNUC_FALLTHROUGH;
        default:
            if (piece.has_angle && *p != ' ' && words->len > 0 &&
                words->str[words->len - 1] != ' ')
                g_string_append_c(words, ' ');
            g_string_append_c(words, *p == '\t' ? ' ' : *p);
            p++;
        }
    }
    if (list->len < MAX_MAILBOXES)
        piece_finish(list, &piece, held, level);
}

MailboxList
mailbox_list_parse(const char *value)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(Mailbox));
    if (value != NULL)
        mailbox_list_add(list, value, 0);
    MailboxList result = { NULL, list->len };
    if (list->len > 0)
        result.items = g_memdup2(list->data, list->len * sizeof(Mailbox));
    return result;
}

void
mailbox_list_clear(MailboxList *list)
{
    for (size_t i = 0; i < list->n; i++) {
        g_free(list->items[i].name);
        g_free(list->items[i].email);
    }
    g_free(list->items);
    list->items = NULL;
    list->n = 0;
}

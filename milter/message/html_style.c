/*
 * html_style.c - style attributes and the names of mail programs' elements
 *
 * Only declarations that change what a reader sees or tell a signature apart
 * are read. To teach another mail program's quote or signature element, add a
 * row to `named`.
 */
#include "message/html_style.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

/* --- names that mail programs give to their elements ------------------------------ */

typedef struct {
    const char *name;
    unsigned marks; /* LINE_* and MARK_* */
} Named;

/* Class names and ids, without the "x_" that Outlook on the web puts before
 * those of others. Lower case. */
static const Named named[] = {
    { "gmail_signature", LINE_SIGNATURE_ELEMENT },
    { "gmail_signature_prefix", LINE_SIGNATURE_ELEMENT },
    { "moz-signature", LINE_SIGNATURE_ELEMENT },
    { "olk-signature", LINE_SIGNATURE_ELEMENT },
    { "olksignature", LINE_SIGNATURE_ELEMENT },
    { "ms-outlook-mobile-signature", LINE_SIGNATURE_ELEMENT },
    { "signature", LINE_SIGNATURE_ELEMENT },
    { "applemailsignature", LINE_SIGNATURE_ELEMENT },
    { "yahoo-signature", LINE_SIGNATURE_ELEMENT },
    { "ydp-signature", LINE_SIGNATURE_ELEMENT },
    { "yahoo_signature", LINE_SIGNATURE_ELEMENT },
    { "protonmail_signature_block", LINE_SIGNATURE_ELEMENT },
    { "protonmail_signature_block-user", LINE_SIGNATURE_ELEMENT },
    { "tutanota_signature", LINE_SIGNATURE_ELEMENT },
    { "zimbra_signature", LINE_SIGNATURE_ELEMENT },
    { "mailspring-signature", LINE_SIGNATURE_ELEMENT },
    { "signaturemailru", LINE_SIGNATURE_ELEMENT },
    { "zm_signature", LINE_SIGNATURE_ELEMENT },
    { "zmail_signature_below", LINE_SIGNATURE_ELEMENT },
    { "composer_signature", LINE_SIGNATURE_ELEMENT },
    { "email-signature", LINE_SIGNATURE_ELEMENT },
    { "mailsignature", LINE_SIGNATURE_ELEMENT },
    { "front-signature", LINE_SIGNATURE_ELEMENT },
    { "spark-signature", LINE_SIGNATURE_ELEMENT },
    { "messagesignaturesection", LINE_SIGNATURE_ELEMENT },
    { "hs_signature", LINE_SIGNATURE_ELEMENT },
    { "bloop_sign", LINE_SIGNATURE_ELEMENT },
    { "ntes-signature", LINE_SIGNATURE_ELEMENT },
    { "userdefinedsignature", LINE_SIGNATURE_ELEMENT },

    { "gmail_quote", MARK_CONTAINER },
    { "gmail_quote_container", MARK_CONTAINER },
    { "gmail_attr", MARK_ATTRIBUTION },
    { "moz-cite-prefix", MARK_ATTRIBUTION },
    { "ydp-quoted", LINE_QUOTE_ELEMENT },
    { "yahoo_quoted", LINE_QUOTE_ELEMENT },
    { "yahoo-quoted", LINE_QUOTE_ELEMENT },
    { "qtdseparatebr", 0 },
    { "protonmail_quote", LINE_QUOTE_ELEMENT },
    { "tutanota_quote", LINE_QUOTE_ELEMENT },
    { "zmail_extra", LINE_QUOTE_ELEMENT },
    { "zmail_extra_hr", MARK_ATTRIBUTION },
    { "olk_src_body_section", LINE_QUOTE_ELEMENT },
    { "divrplyfwdmsg", MARK_REST },
    { "appendonsend", MARK_REST },
    { "mail-editor-reference-message-container", LINE_QUOTE_ELEMENT },
    { "ms-outlook-mobile-reference-message", LINE_QUOTE_ELEMENT },
    { "isreplycontent", LINE_QUOTE_ELEMENT },
    { "isforwardcontent", MARK_FORWARD },
    { "ntes-mailmaster-quote", LINE_QUOTE_ELEMENT },
    { "ntes-pcmail-quote", LINE_QUOTE_ELEMENT },
    { "mail-app-auto-quote", LINE_QUOTE_ELEMENT },
    { "mailru-quote", LINE_QUOTE_ELEMENT },
    { "messagereplysection", LINE_QUOTE_ELEMENT },
    { "front-blockquote", LINE_QUOTE_ELEMENT },
    { "moz-forward-container", MARK_FORWARD },
    { "zwchr", MARK_REST },
    { "origbody", LINE_QUOTE_ELEMENT },
    { "reply-intro", MARK_ATTRIBUTION },
    { "airmail_on", MARK_ATTRIBUTION },
    { "airmail_ext_on", MARK_ATTRIBUTION },
};

static pthread_once_t named_once = PTHREAD_ONCE_INIT;
static GHashTable *named_index; /* name -> marks; constant after the once */

static void
make_named_index(void)
{
    named_index = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < G_N_ELEMENTS(named); i++)
        (void) g_hash_table_insert(named_index,
                                   (gpointer) (uintptr_t) named[i].name,
                                   GUINT_TO_POINTER(named[i].marks));
}

enum { NAME_MAX_LENGTH = 48 };

/* Marks of one class attribute or id: of any of its words that is known. */
unsigned
html_marks_of_names(const char *names)
{
    unsigned marks = 0;
    const char *p = names;
    (void) pthread_once(&named_once, make_named_index);
    while (*p != 0) {
        while (*p == ' ' || *p == '\t' || *p == '\n')
            p++;
        char word[NAME_MAX_LENGTH];
        size_t n = 0;
        for (; *p != 0 && *p != ' ' && *p != '\t' && *p != '\n'; p++) {
            if (n + 1 < sizeof(word))
                word[n++] = g_ascii_tolower(*p);
        }
        word[n] = 0;
        const char *key = word;
        while (key[0] == 'x' && key[1] == '_')
            key += 2;
        if (g_str_has_prefix(key, "yahoo_quoted_"))
            marks |= LINE_QUOTE_ELEMENT; /* followed by a number */
        else
            marks |= GPOINTER_TO_UINT(g_hash_table_lookup(named_index, key));
    }
    return marks;
}

/* --- style attributes ---------------------------------------------------- */

static bool
slice_is(const char *p, size_t n, const char *word)
{
    return strlen(word) == n && g_ascii_strncasecmp(p, word, n) == 0;
}

bool
html_slice_has(const char *p, size_t n, const char *word)
{
    size_t m = strlen(word);
    for (size_t i = 0; i + m <= n; i++) {
        if (g_ascii_strncasecmp(p + i, word, m) == 0)
            return true;
    }
    return false;
}

/* "13.5pt": the number, and where it ends. */
static float
number_at(const char *p, size_t n, size_t *out_end)
{
    float value = 0, scale = 1;
    size_t i = 0;
    bool point = false;
    for (; i < n && i < 12; i++) {
        if (g_ascii_isdigit(p[i])) {
            value = value * 10 + (float) (p[i] - '0');
            if (point)
                scale *= 10;
        } else if (p[i] == '.' && !point) {
            point = true;
        } else {
            break;
        }
    }
    *out_end = i;
    return value / scale;
}

static bool
is_zero_length(const char *p, size_t n)
{
    size_t end;
    return n > 0 && g_ascii_isdigit(*p) && number_at(p, n, &end) < 0.05f;
}

bool
html_is_grey(const char *p, size_t n)
{
    static const char *const names[] = { "gray",      "grey",     "silver",
                                         "darkgray",  "darkgrey", "lightgray",
                                         "lightgrey", "dimgray",  "dimgrey" };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (slice_is(p, n, names[i]))
            return true;
    }
    int rgb[3] = { 0, 0, 0 };
    if (n >= 7 && p[0] == '#') {
        for (size_t i = 0; i < 3; i++) {
            if (!g_ascii_isxdigit(p[1 + 2 * i]) ||
                !g_ascii_isxdigit(p[2 + 2 * i]))
                return false;
            rgb[i] = g_ascii_xdigit_value(p[1 + 2 * i]) * 16 +
                     g_ascii_xdigit_value(p[2 + 2 * i]);
        }
    } else if (n >= 4 && p[0] == '#') {
        for (size_t i = 0; i < 3; i++) {
            if (!g_ascii_isxdigit(p[1 + i]))
                return false;
            rgb[i] = g_ascii_xdigit_value(p[1 + i]) * 17;
        }
    } else if (n > 4 && g_ascii_strncasecmp(p, "rgb", 3) == 0) {
        size_t i = 3, k = 0;
        while (i < n && k < 3) {
            if (g_ascii_isdigit(p[i])) {
                size_t used;
                rgb[k++] = (int) number_at(p + i, n - i, &used);
                i += used;
            } else {
                i++;
            }
        }
        if (k < 3)
            return false;
    } else {
        return false;
    }
    int low = MIN(rgb[0], MIN(rgb[1], rgb[2]));
    int high = MAX(rgb[0], MAX(rgb[1], rgb[2]));
    return high - low <= 40 && low >= 0x50 && high <= 0xe0;
}

static float
font_size(const char *p, size_t n, float inherited)
{
    size_t end;
    if (n > 0 && (g_ascii_isdigit(p[0]) || p[0] == '.')) {
        float v = number_at(p, n, &end);
        p += end;
        n -= end;
        if (n >= 2 && g_ascii_strncasecmp(p, "px", 2) == 0)
            return v * 0.75f;
        if (n >= 2 && g_ascii_strncasecmp(p, "em", 2) == 0)
            return v * inherited;
        if (n >= 3 && g_ascii_strncasecmp(p, "rem", 3) == 0)
            return v * 12;
        if (n >= 1 && *p == '%')
            return v * inherited / 100;
        return v;
    }
    if (slice_is(p, n, "smaller"))
        return inherited * 0.83f;
    if (slice_is(p, n, "xx-small"))
        return 7;
    if (slice_is(p, n, "x-small"))
        return 7.5f;
    if (slice_is(p, n, "small"))
        return 10;
    if (slice_is(p, n, "medium"))
        return 12;
    return 0;
}

static void
style_declaration(HtmlStyle *style, const char *name, size_t n,
                  const char *value, size_t m, float inherited)
{
    if (slice_is(name, n, "display")) {
        style->hidden |= html_slice_has(value, m, "none");
    } else if (slice_is(name, n, "visibility")) {
        style->hidden |= html_slice_has(value, m, "hidden");
    } else if (slice_is(name, n, "mso-hide")) {
        style->hidden |= html_slice_has(value, m, "all");
    } else if (slice_is(name, n, "max-height") ||
               slice_is(name, n, "opacity")) {
        style->hidden |= is_zero_length(value, m);
    } else if (slice_is(name, n, "font-size")) {
        style->size = font_size(value, m, inherited);
        style->hidden |= is_zero_length(value, m);
    } else if (slice_is(name, n, "font-weight")) {
        style->bold = html_slice_has(value, m, "bold") ||
                      (m > 0 && value[0] >= '6' && value[0] <= '9');
        style->not_bold = !style->bold;
    } else if (slice_is(name, n, "color")) {
        style->grey = html_is_grey(value, m);
        style->coloured = !style->grey;
    } else if (slice_is(name, n, "margin") || slice_is(name, n, "margin-top") ||
               slice_is(name, n, "margin-bottom")) {
        style->no_margin |= is_zero_length(value, m);
    } else if (slice_is(name, n, "border")) {
        style->border_none = html_slice_has(value, m, "none");
    }
    if (n >= 6 && g_ascii_strncasecmp(name, "border", 6) == 0 &&
        html_slice_has(value, m, "solid") &&
        (html_slice_has(value, m, "#e1e1e1") ||
         html_slice_has(value, m, "#b5c4df") ||
         html_slice_has(value, m, "rgb(225,225,225)") ||
         html_slice_has(value, m, "rgb(225, 225, 225)") ||
         html_slice_has(value, m, "rgb(181,196,223)") ||
         html_slice_has(value, m, "rgb(181, 196, 223)")))
        style->outlook_border = true;
}

void
html_style_parse(HtmlStyle *style, const char *text, float inherited)
{
    const char *p = text;
    while (*p != 0) {
        while (*p == ' ' || *p == ';' || *p == '\n' || *p == '\t')
            p++;
        const char *name = p;
        while (*p != 0 && *p != ':' && *p != ';')
            p++;
        size_t n = (size_t) (p - name);
        while (n > 0 && (name[n - 1] == ' ' || name[n - 1] == '\n'))
            n--;
        if (*p != ':')
            continue;
        p++;
        while (*p == ' ' || *p == '\n' || *p == '\t')
            p++;
        const char *value = p;
        while (*p != 0 && *p != ';')
            p++;
        size_t m = (size_t) (p - value);
        while (m > 0 && (value[m - 1] == ' ' || value[m - 1] == '\n'))
            m--;
        style_declaration(style, name, n, value, m, inherited);
    }
}

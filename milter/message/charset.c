/*
 * charset.c - bytes of any charset to UTF-8
 *
 * Mail says windows-1252 and means UTF-8, says nothing and means Shift_JIS.
 * The order here: plain ASCII is copied; what is valid UTF-8 is UTF-8, unless
 * a multi-byte charset is declared that decodes it without error; then the
 * declared charset (superset names: gb2312 is read as GB18030, iso-8859-1 as
 * windows-1252, as browsers do); then a guess from the bytes
 * (charset_guess.c).
 *
 * Charsets of one byte a character are 128-entry tables that iconv fills once
 * per charset: iconv_open() for every header field would cost more than the
 * rest of the parser.
 */
#include "message/charset.h"

#include <iconv.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define ESC 0x1b

bool
charset_is_plain_ascii(const char *bytes, size_t len)
{
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t v;
        memcpy(&v, bytes + i, 8);
        if ((v & UINT64_C(0x8080808080808080)) != 0)
            return false;
    }
    for (; i < len; i++) {
        if (((unsigned char) bytes[i] & 0x80) != 0)
            return false;
    }
    return memchr(bytes, 0, len) == NULL && memchr(bytes, ESC, len) == NULL;
}

/* --- names ----------------------------------------------------------------- */

typedef struct {
    const char *name;  /* lower case, as mail declares it */
    const char *iconv; /* NULL: says nothing, guess */
    bool single;       /* one byte a character */
} Alias;

static const Alias aliases[] = {
    { "utf-8", "UTF-8", false },
    { "utf8", "UTF-8", false },
    { "unicode-1-1-utf-8", "UTF-8", false },
    { "utf-8mb4", "UTF-8", false },
    { "utf8mb4", "UTF-8", false },
    { "x-unicode-2-0-utf-8", "UTF-8", false },
    { "us-ascii", NULL, false },
    { "ascii", NULL, false },
    { "ansi_x3.4-1968", NULL, false },
    { "iso646-us", NULL, false },
    { "unknown", NULL, false },
    { "x-unknown", NULL, false },
    { "unknown-8bit", NULL, false },
    { "x-user-defined", NULL, false },
    { "default", NULL, false },
    { "none", NULL, false },
    { "_autodetect_all", NULL, false },
    { "iso-8859-1", "CP1252", true },
    { "iso8859-1", "CP1252", true },
    { "iso_8859-1", "CP1252", true },
    { "latin1", "CP1252", true },
    { "latin-1", "CP1252", true },
    { "l1", "CP1252", true },
    { "windows-1252", "CP1252", true },
    { "cp1252", "CP1252", true },
    { "ansi", "CP1252", true },
    { "iso-8859-15", "ISO-8859-15", true },
    { "iso8859-15", "ISO-8859-15", true },
    { "iso_8859-15", "ISO-8859-15", true },
    { "iso-8859-2", "ISO-8859-2", true },
    { "iso-8859-3", "ISO-8859-3", true },
    { "iso-8859-4", "ISO-8859-4", true },
    { "iso-8859-5", "ISO-8859-5", true },
    { "iso-8859-6", "ISO-8859-6", true },
    { "iso-8859-6-i", "ISO-8859-6", true },
    { "iso-8859-7", "ISO-8859-7", true },
    { "iso-8859-8", "CP1255", true },
    { "iso-8859-8-i", "CP1255", true },
    { "iso-8859-8-e", "CP1255", true },
    { "iso-8859-9", "CP1254", true },
    { "iso-8859-9e", "CP1254", true },
    { "iso-8859-10", "ISO-8859-10", true },
    { "iso-8859-11", "CP874", true },
    { "iso-8859-13", "ISO-8859-13", true },
    { "iso-8859-14", "ISO-8859-14", true },
    { "iso-8859-16", "ISO-8859-16", true },
    { "tis-620", "CP874", true },
    { "windows-874", "CP874", true },
    { "cp874", "CP874", true },
    { "windows-1250", "CP1250", true },
    { "cp1250", "CP1250", true },
    { "windows-1251", "CP1251", true },
    { "cp1251", "CP1251", true },
    { "windows-1253", "CP1253", true },
    { "cp1253", "CP1253", true },
    { "windows-1254", "CP1254", true },
    { "cp1254", "CP1254", true },
    { "windows-1255", "CP1255", true },
    { "cp1255", "CP1255", true },
    { "windows-1256", "CP1256", true },
    { "cp1256", "CP1256", true },
    { "windows-1257", "CP1257", true },
    { "windows-1258", "CP1258", true },
    { "koi8-r", "KOI8-R", true },
    { "koi8r", "KOI8-R", true },
    { "koi8-u", "KOI8-U", true },
    { "koi8-ru", "KOI8-U", true },
    { "cp866", "CP866", true },
    { "ibm866", "CP866", true },
    { "ibm850", "CP850", true },
    { "cp850", "CP850", true },
    { "cp-850", "CP850", true },
    { "ibm437", "CP437", true },
    { "cp437", "CP437", true },
    { "macintosh", "MACINTOSH", true },
    { "x-mac-roman", "MACINTOSH", true },
    { "x-mac-ce", "MAC-CENTRALEUROPE", true },
    { "x-mac-cyrillic", "MAC-CYRILLIC", true },
    { "shift_jis", "CP932", false },
    { "shift-jis", "CP932", false },
    { "sjis", "CP932", false },
    { "x-sjis", "CP932", false },
    { "ms_kanji", "CP932", false },
    { "windows-31j", "CP932", false },
    { "cp932", "CP932", false },
    { "euc-jp", "EUC-JP-MS", false },
    { "x-euc-jp", "EUC-JP-MS", false },
    { "eucjp", "EUC-JP-MS", false },
    { "iso-2022-jp", "ISO-2022-JP-3", false },
    { "iso-2022-jp-1", "ISO-2022-JP-2", false },
    { "iso-2022-jp-2", "ISO-2022-JP-2", false },
    { "iso-2022-jp-ms", "ISO-2022-JP-3", false },
    { "cp50220", "ISO-2022-JP-3", false },
    { "cp50221", "ISO-2022-JP-3", false },
    { "iso-2022-kr", "ISO-2022-KR", false },
    { "iso-2022-cn", "ISO-2022-CN", false },
    { "gb2312", "GB18030", false },
    { "gb_2312-80", "GB18030", false },
    { "csgb2312", "GB18030", false },
    { "x-gbk", "GB18030", false },
    { "gbk", "GB18030", false },
    { "cp936", "GB18030", false },
    { "windows-936", "GB18030", false },
    { "ms936", "GB18030", false },
    { "euc-cn", "GB18030", false },
    { "gb18030", "GB18030", false },
    { "chinesebig5", "BIG5-HKSCS", false },
    { "big5", "CP950", false },
    { "big5-eten", "CP950", false },
    { "x-x-big5", "CP950", false },
    { "cn-big5", "CP950", false },
    { "cp950", "CP950", false },
    { "big5-hkscs", "BIG5-HKSCS", false },
    { "euc-kr", "CP949", false },
    { "ks_c_5601-1987", "CP949", false },
    { "ks_c_5601-1989", "CP949", false },
    { "ks_c_5601", "CP949", false },
    { "ksc5601", "CP949", false },
    { "korean", "CP949", false },
    { "windows-949", "CP949", false },
    { "cp949", "CP949", false },
    { "utf-7", "UTF-7", false },
    { "unicode-1-1-utf-7", "UTF-7", false },
    { "utf-16", "UTF-16", false },
    { "utf-16le", "UTF-16LE", false },
    { "utf-16be", "UTF-16BE", false },
    { "unicode", "UTF-16", false },
    { "utf-32", "UTF-32", false },
};

/* Only what can stand in a charset name goes on to iconv_open(): no "//"
 * suffixes, no paths. */
static bool
name_is_sane(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > 40)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!g_ascii_isalnum(name[i]) && strchr("-_.:+", name[i]) == NULL)
            return false;
    }
    return true;
}

static const Alias *
alias_find(const char *charset)
{
    for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++) {
        if (g_ascii_strcasecmp(aliases[i].name, charset) == 0)
            return &aliases[i];
    }
    return NULL;
}

/* --- single-byte tables ----------------------------------------------------- */

enum { MAX_TABLES = 48 };

typedef struct {
    const char *iconv;
    char utf8[128][4]; /* NUL-padded UTF-8 of 0x80..0xff */
} Table;

static pthread_mutex_t tables_lock = PTHREAD_MUTEX_INITIALIZER;
static Table *tables[MAX_TABLES]; /* under tables_lock; entries are constant */

static Table *
table_new(const char *name)
{
    iconv_t cd = iconv_open("UTF-8", name);
    if (cd == (iconv_t) -1) // NOLINT(performance-no-int-to-ptr)
        return NULL;
    Table *table = g_new0(Table, 1);
    table->iconv = name;
    for (unsigned c = 0; c < 128; c++) {
        char byte = (char) (0x80 + c);
        char utf8[8] = { 0 };
        char *in = &byte, *out = utf8;
        size_t in_left = 1, out_left = sizeof(utf8) - 1;
        /* Two calls: CP1255 and CP1258 hold a letter back to compose it. */
        if (iconv(cd, &in, &in_left, &out, &out_left) == (size_t) -1 ||
            iconv(cd, NULL, NULL, &out, &out_left) == (size_t) -1 ||
            utf8[0] == 0 || out - utf8 > 3) {
            iconv(cd, NULL, NULL, NULL, NULL);
            memcpy(table->utf8[c], "\xef\xbf\xbd", 4);
            continue;
        }
        memcpy(table->utf8[c], utf8, 4);
    }
    iconv_close(cd);
    return table;
}

/* `name` is one of the static strings of `aliases`. */
static const Table *
table_get(const char *name)
{
    pthread_mutex_lock(&tables_lock);
    Table *found = NULL;
    for (size_t i = 0; i < MAX_TABLES; i++) {
        if (tables[i] == NULL)
            tables[i] = table_new(name);
        if (tables[i] == NULL)
            break;
        if (strcmp(tables[i]->iconv, name) == 0) {
            found = tables[i];
            break;
        }
    }
    pthread_mutex_unlock(&tables_lock);
    return found;
}

static void
append_single(GString *out, const char *bytes, size_t len, const Table *table)
{
    size_t i = 0;
    while (i < len) {
        size_t start = i;
        while (i < len && bytes[i] != 0 && ((unsigned char) bytes[i] < 0x80))
            i++;
        g_string_append_len(out, bytes + start, (gssize) (i - start));
        for (; i < len && ((unsigned char) bytes[i] >= 0x80 || bytes[i] == 0);
             i++) {
            if (bytes[i] != 0)
                g_string_append(out,
                                table->utf8[(unsigned char) bytes[i] - 0x80]);
        }
    }
}

/* --- UTF-8 as it comes ------------------------------------------------------ */

/* Copies valid UTF-8; each bad byte becomes U+FFFD, NUL is dropped. */
static void
append_lenient_utf8(GString *out, const char *bytes, size_t len)
{
    const char *p = bytes, *end = bytes + len;
    while (p < end) {
        const char *bad = end;
        (void) g_utf8_validate_len(p, (gsize) (end - p), &bad);
        g_string_append_len(out, p, bad - p);
        p = bad;
        if (p >= end)
            break;
        if (*p != 0)
            g_string_append(out, "\xef\xbf\xbd");
        p++;
        /* The rest of one broken sequence is one replacement. */
        while (p < end && ((unsigned char) *p & 0xc0) == 0x80)
            p++;
    }
}

/* How many multi-byte characters are right, and how many bytes are wrong? */
static void
utf8_statistics(const char *bytes, size_t len, size_t *out_good,
                size_t *out_bad)
{
    size_t good = 0, bad = 0;
    const unsigned char *p = (const unsigned char *) bytes;
    size_t i = 0;
    while (i < len) {
        if (p[i] < 0x80) {
            i++;
            continue;
        }
        size_t need = p[i] >= 0xf0   ? 3
                      : p[i] >= 0xe0 ? 2
                      : p[i] >= 0xc2 ? 1
                                     : 0;
        if (need == 0 || p[i] > 0xf4) {
            bad++;
            i++;
            continue;
        }
        size_t have = 0;
        while (have < need && i + 1 + have < len &&
               (p[i + 1 + have] & 0xc0) == 0x80)
            have++;
        if (have == need)
            good++;
        else if (i + 1 + have < len) /* cut off at the end is no error */
            bad++;
        i += 1 + have;
    }
    *out_good = good;
    *out_bad = bad;
}

/* --- iconv ------------------------------------------------------------------ */

enum { MAX_ERRORS = 1000, MAX_PINNED = 64 };

/* `name` is a static string. Without an open descriptor glibc unloads a charset's module at the last
 * iconv_close() and maps it again at the next iconv_open(), which costs more
 * than most conversions. So the first descriptor of each of our own charsets
 * stays open, unused. */
static void
pin(const char *name)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct {
        const char *name;
        iconv_t descriptor;
    } pinned[MAX_PINNED]; /* under lock */

    pthread_mutex_lock(&lock);
    size_t i = 0;
    while (i < MAX_PINNED && pinned[i].name != NULL &&
           strcmp(pinned[i].name, name) != 0)
        i++;
    if (i < MAX_PINNED && pinned[i].name == NULL) {
        pinned[i].name = name;
        pinned[i].descriptor = iconv_open("UTF-8", name);
    }
    pthread_mutex_unlock(&lock);
}

/* Appends what iconv makes of it; false (and nothing appended) when the
 * charset is not known, or when more than a few bytes are wrong and
 * `tolerate` is false. */
static bool
append_iconv(GString *out, const char *bytes, size_t len, const char *name,
             bool tolerate)
{
    iconv_t cd = iconv_open("UTF-8", name);
    if (cd == (iconv_t) -1) // NOLINT(performance-no-int-to-ptr)
        return false;
    size_t before = out->len, errors = 0;
    char *in = (char *) (uintptr_t) bytes;
    size_t in_left = len;
    char buffer[4096];
    while (in_left > 0) {
        char *to = buffer;
        size_t to_left = sizeof(buffer), in_before = in_left;
        size_t r = iconv(cd, &in, &in_left, &to, &to_left);
        g_string_append_len(out, buffer, to - buffer);
        if (r != (size_t) -1)
            break;
        if (to == buffer && in_left == in_before) {
            /* EILSEQ or a cut sequence: pass one byte over */
            if (++errors > MAX_ERRORS)
                break; /* rubbish: what follows will be, too */
            in++;
            in_left--;
            g_string_append(out, "\xef\xbf\xbd");
        }
    }
    char *to = buffer;
    size_t to_left = sizeof(buffer);
    (void) iconv(cd, NULL, NULL, &to, &to_left);
    g_string_append_len(out, buffer, to - buffer);
    iconv_close(cd);
    if (!tolerate && errors > 1 + len / 50) {
        g_string_truncate(out, before);
        return false;
    }
    /* UTF-16 text and stray NULs: none may be left; and what iconv lets
     * through must be UTF-8 to GLib, too. */
    if (memchr(out->str + before, 0, out->len - before) != NULL ||
        !g_utf8_validate_len(out->str + before, out->len - before, NULL)) {
        g_autofree char *copy = g_memdup2(out->str + before, out->len - before);
        size_t n = out->len - before;
        g_string_truncate(out, before);
        append_lenient_utf8(out, copy, n);
    }
    return true;
}

/* --- all together ------------------------------------------------------------ */

static void
append_guessed(GString *out, const char *bytes, size_t len)
{
    const char *guess = charset_guess(bytes, len);
    const Table *table = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++) {
        if (aliases[i].single && strcmp(aliases[i].iconv, guess) == 0) {
            table = table_get(aliases[i].iconv);
            break;
        }
    }
    if (table != NULL) {
        append_single(out, bytes, len, table);
        return;
    }
    pin(guess);
    if (!append_iconv(out, bytes, len, guess, true))
        append_lenient_utf8(out, bytes, len);
}

void
charset_append_utf8(GString *out, const char *bytes, size_t len,
                    const char *charset)
{
    const Alias *alias = charset != NULL ? alias_find(charset) : NULL;
    const char *declared = alias != NULL ? alias->iconv : NULL;
    bool wide = declared != NULL && g_str_has_prefix(declared, "UTF-");
    wide = wide && strcmp(declared, "UTF-8") != 0;

    if (!wide && charset_is_plain_ascii(bytes, len)) {
        g_string_append_len(out, bytes, (gssize) len);
        return;
    }
    if (charset != NULL && alias == NULL && name_is_sane(charset) &&
        append_iconv(out, bytes, len, charset, false))
        return;

    bool has_escape = memchr(bytes, ESC, len) != NULL;
    bool valid = g_utf8_validate_len(bytes, len, NULL);
    bool multi =
        declared != NULL && !alias->single && strcmp(declared, "UTF-8") != 0;
    if (valid && !multi && !has_escape) {
        g_string_append_len(out, bytes, (gssize) len);
        return;
    }
    if (multi) {
        pin(declared);
        if (append_iconv(out, bytes, len, declared, valid))
            return;
    }
    if (declared != NULL && alias->single) {
        const Table *table = table_get(declared);
        if (table != NULL) {
            append_single(out, bytes, len, table);
            return;
        }
    }
    size_t good, bad;
    utf8_statistics(bytes, len, &good, &bad);
    if (!(has_escape && bad == 0 && good == 0) && (good > 4 * bad || bad == 0))
        append_lenient_utf8(out, bytes, len);
    else
        append_guessed(out, bytes, len);
}

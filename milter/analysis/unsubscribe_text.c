/*
 * unsubscribe_text.c - folding and tokens
 *
 * One table over the Basic Multilingual Plane says for each character what it
 * is (letter, glyph, blank, end of sentence...) and what it folds to; it is
 * made once from GLib's Unicode data plus what NFKD does not know (strokes,
 * dotless i, final letters, traditional characters). Tokenising is then one
 * pass with one look-up a character.
 *
 * Addresses and URLs are taken whole first, so that their dots and words do
 * not disturb. An apostrophe joins n't ("dont" is how many write it) and
 * parts anything else (l'adresse, dall'elenco, e-posta'larinizi).
 */
#include "config.h"

#include "analysis/unsubscribe_text.h"

#include <string.h>

enum {
    KIND_OTHER,  /* a separator without meaning */
    KIND_LETTER, /* part of a word */
    KIND_GLYPH,
    KIND_DROP, /* invisible, or a mark */
    KIND_BLANK,
    KIND_LF,
    KIND_APOSTROPHE,
    KIND_END,    /* . ! ? */
    KIND_CLAUSE, /* , ; : ( ) */
    KIND_SOUND,  /* voiced sound marks of kana, apart */
};

struct TextFold {
    uint16_t to[0x10000];
    uint8_t kind[0x10000];
};

/* Letters without decomposition. Two letters are folded to the first: what
 * matters is that mail and rules fold alike ("ss" for sharp s apart). */
static const struct {
    uint16_t from, to;
} letters[] = {
    { 0x0111, 'd' },    { 0x0110, 'd' },    { 0x00f0, 'd' },
    { 0x00d0, 'd' },    { 0x00f8, 'o' },    { 0x00d8, 'o' },
    { 0x0142, 'l' },    { 0x0141, 'l' },    { 0x0131, 'i' },
    { 0x0130, 'i' },    { 0x0127, 'h' },    { 0x0126, 'h' },
    { 0x00df, 's' },    { 0x1e9e, 's' },    { 0x00e6, 'a' },
    { 0x00c6, 'a' },    { 0x0153, 'o' },    { 0x0152, 'o' },
    { 0x0173, 'u' },    { 0x03c2, 0x03c3 }, { 0x0649, 0x064a },
    { 0x0629, 0x0647 }, { 0x06cc, 0x064a }, { 0x06a9, 0x0643 },
    { 0x0671, 0x0627 }, { 0x05da, 0x05db }, { 0x05dd, 0x05de },
    { 0x05df, 0x05e0 }, { 0x05e3, 0x05e4 }, { 0x05e5, 0x05e6 },
    { 0x0491, 0x0433 }, { 0x0490, 0x0433 },
};

/* Traditional and simplified characters of the rules' words, in pairs. */
static const char characters[] =
    "訂订閱阅請请發发郵邮電电訊讯將将從从單单將将刪删會会員员資资們们貴贵"
    "關关閉闭廣广廠厂這这個个裡里裏里來来過过還还沒没對对錯错誤误離离職职"
    "應应謝谢給给讓让寄寄傳传繼继續续購购買买預预約约費费報报價价優优惠惠"
    "簡简體体語语說说話话麻麻煩烦處处後后為为與与無无網网箱箱號号碼码"
    "聯联絡络繫系擾扰騷骚興兴趣趣貨货經经辦办銷销帳账戶户務务項项實实錄录"
    "開开該该別别讀读認认識识總总幾几間间時时讚赞點点擊击鏈链接接連连鍵键"
    "東东動动節节構构減减頻频選选擇择現现際际錢钱裝装議议論论遠远壞坏專专"
    "飯饭棄弃權权據据條条類类詢询問问題题邊边鐘钟備备註注記记頁页須须"
    "轉转換换變变場场參参術术業业產产僅仅雙双嗎吗麼么樣样嚴严輯辑覆复復复"
    "複复並并併并徵征顧顾雜杂誌志";

static void
set_kind(TextFold *f, uint32_t from, uint32_t to, uint8_t kind)
{
    for (uint32_t c = from; c <= to; c++) {
        f->kind[c] = kind;
        f->to[c] = (uint16_t) c;
    }
}

static bool
is_glyph(gunichar c)
{
    return (c >= 0x0e01 && c <= 0x0e4f) || (c >= 0x3041 && c <= 0x3096) ||
           (c >= 0x30a1 && c <= 0x30fa) || c == 0x30fc || c == 0x3005 ||
           (c >= 0x3400 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7a3) ||
           (c >= 0x1100 && c <= 0x11ff) || (c >= 0x0e80 && c <= 0x0eff);
}

static gunichar
fold_one(gunichar c)
{
    gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];

    for (size_t i = 0; i < G_N_ELEMENTS(letters); i++) {
        if (letters[i].from == c)
            return letters[i].to;
    }
    if (is_glyph(c))
        return c;
    gsize n = g_unichar_fully_decompose(c, TRUE, parts, G_N_ELEMENTS(parts));
    gunichar base = n > 0 ? g_unichar_tolower(parts[0]) : c;
    for (size_t i = 0; i < G_N_ELEMENTS(letters); i++) {
        if (letters[i].from == base)
            return letters[i].to;
    }
    return base;
}

static void
fold_range(TextFold *f, gunichar from, gunichar to)
{
    for (gunichar c = from; c <= to; c++) {
        GUnicodeType type = g_unichar_type(c);
        if (is_glyph(c)) {
            f->kind[c] = KIND_GLYPH;
            f->to[c] = (uint16_t) c;
        } else if (type == G_UNICODE_NON_SPACING_MARK ||
                   type == G_UNICODE_FORMAT ||
                   type == G_UNICODE_ENCLOSING_MARK) {
            f->kind[c] = KIND_DROP;
        } else if (g_unichar_isalnum(c)) {
            gunichar to_c = fold_one(c);
            f->kind[c] = is_glyph(to_c) ? KIND_GLYPH : KIND_LETTER;
            f->to[c] = to_c < 0x10000 ? (uint16_t) to_c : (uint16_t) c;
        } else if (g_unichar_isspace(c)) {
            f->kind[c] = KIND_BLANK;
        }
    }
}

static void
set_all(TextFold *f, const char *chars, uint8_t kind)
{
    for (const char *p = chars; *p != '\0'; p = g_utf8_next_char(p))
        f->kind[g_utf8_get_char(p)] = kind;
}

TextFold *
text_fold_new(void)
{
    TextFold *f = g_new0(TextFold, 1);

    fold_range(f, 0x0020, 0x07ff);
    fold_range(f, 0x0900, 0x0dff);
    fold_range(f, 0x1e00, 0x218f);
    fold_range(f, 0x2460, 0x24ff);
    fold_range(f, 0x3000, 0x30ff);
    fold_range(f, 0xf900, 0xfffd);
    set_kind(f, 0x0e01, 0x0e4e, KIND_GLYPH);
    set_kind(f, 0x1100, 0x11ff, KIND_GLYPH);
    set_kind(f, 0x3400, 0x9fff, KIND_GLYPH);
    set_kind(f, 0xac00, 0xd7a3, KIND_GLYPH);
    f->kind[0x3005] = KIND_GLYPH;
    f->kind[0x00ad] = KIND_DROP; /* soft hyphen */
    f->kind[0x0640] = KIND_DROP; /* tatweel */
    f->kind[0x3099] = f->kind[0xff9e] = KIND_SOUND;
    f->kind[0x309a] = f->kind[0xff9f] = KIND_SOUND;
    f->to[0x3099] = f->to[0xff9e] = 1;
    f->to[0x309a] = f->to[0xff9f] = 2;
    f->kind['\t'] = KIND_BLANK;
    f->kind['\n'] = KIND_LF;
    f->kind['_'] = KIND_OTHER;
    set_all(f, "'`´‘’ʼ＇", KIND_APOSTROPHE);
    set_all(f, "!?.…。！？｡؟．‼⁇⁉¿¡", KIND_END);
    f->kind[0x00bf] = f->kind[0x00a1] = KIND_CLAUSE; /* they open */
    set_all(f, ",;:()[]{}<>«»\"„“”–—•·|、，；：（）「」『』【】《》،؛､",
            KIND_CLAUSE);

    for (const char *p = characters; *p != '\0';) {
        gunichar from = g_utf8_get_char(p);
        p = g_utf8_next_char(p);
        f->to[from] = (uint16_t) g_utf8_get_char(p);
        p = g_utf8_next_char(p);
    }
    return f;
}

void
text_fold_free(TextFold *fold)
{
    g_free(fold);
}

void
text_tokens_clear(TextTokens *tokens)
{
    g_free(tokens->tokens);
    g_free(tokens->chars);
    g_free(tokens->sentences);
    memset(tokens, 0, sizeof *tokens);
}

/* --- addresses and URLs ------------------------------------------------- */

static bool
is_local_char(char c)
{
    return g_ascii_isalnum(c) ||
           (c != '\0' && strchr("!#$%&*+-/=?^_{|}~.", c) != NULL);
}

/* The addr-spec around the '@' at `at`, or false. */
static bool
address_around(const char *text, size_t len, size_t at, size_t low,
               size_t *out_start, size_t *out_end)
{
    size_t start = at, end = at + 1;

    while (start > low && at - start < 64 && is_local_char(text[start - 1]))
        start--;
    while (start < at && strchr("!#$%&*+-/=?^{|}~.", text[start]) != NULL)
        start++;
    while (end < len && end - at < 254 &&
           (g_ascii_isalnum(text[end]) || text[end] == '-' || text[end] == '.'))
        end++;
    while (end > at + 1 && !g_ascii_isalnum(text[end - 1]))
        end--;
    if (start == at || memchr(text + at, '.', end - at) == NULL)
        return false;
    *out_start = start;
    *out_end = end;
    return true;
}

static size_t
url_length(const char *text, size_t len)
{
    size_t n = 0;

    if (len < 5 || ((text[1] | 0x20) != 't' && (text[1] | 0x20) != 'w'))
        return 0; /* most words with these letters */
    if (!((len > 8 && g_ascii_strncasecmp(text, "https://", 8) == 0) ||
          (len > 7 && g_ascii_strncasecmp(text, "http://", 7) == 0) ||
          (len > 4 && g_ascii_strncasecmp(text, "www.", 4) == 0)))
        return 0;
    while (n < len && !g_ascii_isspace(text[n]) &&
           strchr("<>\"", text[n]) == NULL)
        n++;
    while (n > 0 && strchr(".,;:!?)]'", text[n - 1]) != NULL)
        n--;
    return n;
}

/* --- the pass ----------------------------------------------------------- */

typedef struct {
    TextTokens *out;
    bool in_word;
    bool wide; /* the word has letters beyond Latin ones */
    unsigned clause;
    bool clause_used, sentence_used;
    bool mentioned; /* between quotation marks */
    size_t sentence_first;
} Pass;

/* Languages differ in which of them opens and which closes: the first opens,
 * the next closes, the end of the sentence as well. */
static bool
is_quotation_mark(gunichar c)
{
    return c == '"' || c == 0x00ab || c == 0x00bb ||
           (c >= 0x201c && c <= 0x201e) || (c >= 0x300c && c <= 0x300f);
}

static TextToken *
add_token(Pass *p, TextTokenKind kind, size_t start)
{
    TextTokens *out = p->out;

    if (out->n == out->room) {
        out->room = out->room * 2 + 64;
        out->tokens = g_renew(TextToken, out->tokens, out->room);
    }
    TextToken *t = &out->tokens[out->n++];
    *t = (TextToken){ .start = (uint32_t) start,
                      .end = (uint32_t) start,
                      .first = (uint32_t) out->n_chars,
                      .kind = (uint8_t) kind,
                      .sentence = (uint16_t) out->n_sentences,
                      .clause = (uint16_t) p->clause,
                      .mentioned = p->mentioned };
    p->clause_used = p->sentence_used = true;
    return t;
}

static void
add_char(Pass *p, TextToken *t, uint16_t c, size_t end)
{
    TextTokens *out = p->out;

    t->end = (uint32_t) end;
    if (t->n >= TEXT_MAX_WORD)
        return;
    p->wide |= c >= 0x0370;
    g_assert(out->n_chars < out->room_chars); /* at most one for a byte */
    out->chars[out->n_chars++] = c;
    t->n++;
}

static void
end_clause(Pass *p)
{
    p->in_word = false;
    if (p->clause_used && p->clause < UINT16_MAX)
        p->clause++;
    p->clause_used = false;
}

static void
end_sentence(Pass *p, bool question)
{
    TextTokens *out = p->out;

    end_clause(p);
    p->mentioned = false;
    if (!p->sentence_used || out->n_sentences >= UINT16_MAX - 1)
        return;
    if (out->n_sentences == out->room_sentences) {
        out->room_sentences = out->room_sentences * 2 + 16;
        out->sentences =
            g_renew(TextSentence, out->sentences, out->room_sentences);
    }
    out->sentences[out->n_sentences++] =
        (TextSentence){ .first = (uint32_t) p->sentence_first,
                        .end = (uint32_t) out->n,
                        .question = question };
    p->sentence_first = out->n;
    p->sentence_used = false;
}

/* Letters that look like Latin ones within an otherwise Latin word. */
static uint16_t
look_alike(uint16_t c)
{
    static const struct {
        uint16_t from;
        char to;
    } pairs[] = {
        { 0x0430, 'a' }, { 0x0435, 'e' }, { 0x043e, 'o' }, { 0x0440, 'p' },
        { 0x0441, 'c' }, { 0x0443, 'y' }, { 0x0445, 'x' }, { 0x0456, 'i' },
        { 0x0455, 's' }, { 0x0458, 'j' }, { 0x0432, 'b' }, { 0x043c, 'm' },
        { 0x043d, 'h' }, { 0x0442, 't' }, { 0x043a, 'k' }, { 0x03b1, 'a' },
        { 0x03b5, 'e' }, { 0x03b9, 'i' }, { 0x03bf, 'o' }, { 0x03c1, 'p' },
        { 0x03c5, 'u' }, { 0x03bd, 'v' }, { 0x03ba, 'k' }, { 0x0501, 'd' },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        if (pairs[i].from == c)
            return (uint16_t) pairs[i].to;
    }
    return c;
}

static void
end_word(Pass *p)
{
    TextTokens *out = p->out;

    if (!p->in_word)
        return;
    p->in_word = false;
    if (!p->wide)
        return;
    p->wide = false;
    const TextToken *t = &out->tokens[out->n - 1];
    uint16_t *c = out->chars + t->first;
    bool latin = false, foreign = false;
    for (size_t i = 0; i < t->n; i++) {
        latin |= c[i] >= 'a' && c[i] <= 'z';
        foreign |= c[i] >= 0x0370 && c[i] < 0x0530;
    }
    if (latin && foreign) {
        for (size_t i = 0; i < t->n; i++)
            c[i] = look_alike(c[i]);
    }
}

/* Thai has no marks: its blanks part clauses. */
static void
end_glyphs(Pass *p)
{
    const TextTokens *out = p->out;

    if (out->n > 0 && out->n_chars > 0 &&
        out->tokens[out->n - 1].kind == TOKEN_GLYPH &&
        out->chars[out->n_chars - 1] < 0x1000)
        end_clause(p);
}

/* The run of ASCII letters and digits from `i` on, up to `stop`: what most of
 * most texts is. */
static size_t
add_run(const TextFold *fold, TextTokens *out, const char *text, size_t i,
        size_t stop)
{
    TextToken *t = &out->tokens[out->n - 1];
    uint16_t *chars = out->chars + out->n_chars;
    size_t room = TEXT_MAX_WORD - t->n, n = 0;

    for (; i < stop; i++) {
        unsigned char b = (unsigned char) text[i];
        if (b >= 0x80 || fold->kind[b] != KIND_LETTER)
            break;
        if (n < room)
            chars[n++] = fold->to[b];
    }
    t->n = (uint8_t) (t->n + n);
    t->end = (uint32_t) i;
    out->n_chars += n;
    return i;
}

void
text_tokenise(const TextFold *fold, const char *text, size_t len,
              TextTokens *out)
{
    memset(out, 0, sizeof *out);
    text_tokenise_again(fold, text, len, out);
}

void
text_tokenise_again(const TextFold *fold, const char *text, size_t len,
                    TextTokens *out)
{
    Pass p = { .out = out };
    size_t i = 0, low = 0;

    out->text = text;
    out->n = out->n_chars = out->n_sentences = 0;
    if (out->room < len / 6 + 16) {
        g_free(out->tokens);
        out->room = len / 5 + 64;
        out->tokens = g_new(TextToken, out->room);
    }
    if (out->room_chars < len + 16) {
        g_free(out->chars);
        out->room_chars = len + 64;
        out->chars = g_new(uint16_t, out->room_chars);
    }
    const char *at = memchr(text, '@', len);
    size_t a_start = 0, a_end = 0;
    bool have_address = false;

    while (i < len && out->n < TEXT_MAX_TOKENS) {
        /* The next address, found before its first letter is reached. */
        while (!have_address && at != NULL) {
            size_t pos = (size_t) (at - text);
            if (pos >= low &&
                address_around(text, len, pos, low, &a_start, &a_end) &&
                a_start >= i)
                have_address = true;
            else
                at = memchr(at + 1, '@', len - pos - 1);
        }
        if (have_address && i == a_start) {
            end_word(&p);
            TextToken *t = add_token(&p, TOKEN_ADDRESS, i);
            t->end = (uint32_t) a_end;
            i = low = a_end;
            have_address = false;
            at = memchr(text + i, '@', len - i);
            continue;
        }

        unsigned char b = (unsigned char) text[i];
        if (b == ' ') { /* what is met most, but for letters */
            end_word(&p);
            end_glyphs(&p);
            i++;
            continue;
        }
        if (!p.in_word && ((b | 0x20) == 'w' || (b | 0x20) == 'h')) {
            size_t n = url_length(text + i, len - i);
            if (n > 0 && !(have_address && a_start < i + n)) {
                TextToken *t = add_token(&p, TOKEN_URL, i);
                i += n;
                t->end = (uint32_t) i;
                continue;
            }
        }

        if (b < 0x80 && fold->kind[b] == KIND_LETTER) {
            if (!p.in_word) {
                (void) add_token(&p, TOKEN_WORD, i);
                p.in_word = true;
            }
            size_t stop = have_address ? a_start : len;
            if (out->n == TEXT_MAX_TOKENS)
                stop = i + 1;
            i = add_run(fold, out, text, i, stop);
            continue;
        }
        gunichar c = b;
        size_t step = 1;
        if (b >= 0x80) {
            c = g_utf8_get_char_validated(text + i, (gssize) (len - i));
            if (c == (gunichar) -1 || c == (gunichar) -2) {
                end_word(&p);
                i++;
                continue;
            }
            step = (size_t) g_unichar_to_utf8(c, NULL);
            if (c >= 0x10000) {
                gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
                gsize n = g_unichar_fully_decompose(c, TRUE, parts,
                                                    G_N_ELEMENTS(parts));
                c = n == 1 && parts[0] < 0x10000 ? parts[0] : 0;
            }
        }
        i += step;

        switch (fold->kind[c]) {
        case KIND_LETTER:
            if (!p.in_word) {
                (void) add_token(&p, TOKEN_WORD, i - step);
                p.in_word = true;
            }
            add_char(&p, &out->tokens[out->n - 1], fold->to[c], i);
            if (c == 0x00df || c == 0x1e9e) /* sharp s */
                add_char(&p, &out->tokens[out->n - 1], 's', i);
            else if (c == 0x00e6 || c == 0x00c6 || c == 0x0153 || c == 0x0152)
                add_char(&p, &out->tokens[out->n - 1], 'e', i);
            break;
        case KIND_GLYPH:
            end_word(&p);
            add_char(&p, add_token(&p, TOKEN_GLYPH, i - step), fold->to[c], i);
            break;
        case KIND_SOUND:
            if (out->n_chars > 0 && out->n > 0 &&
                out->tokens[out->n - 1].kind == TOKEN_GLYPH)
                out->chars[out->n_chars - 1] =
                    (uint16_t) (out->chars[out->n_chars - 1] + fold->to[c]);
            break;
        case KIND_DROP:
            break;
        case KIND_APOSTROPHE:
            if (p.in_word && i < len && (text[i] | 0x20) == 't' &&
                (i + 1 == len || !g_ascii_isalpha(text[i + 1])))
                break; /* don't, can't: one word */
            end_word(&p);
            break;
        case KIND_END:
            end_word(&p);
            /* "example.org", "3.5", "p.m": no end without a blank after
             * it, unless it is one of a script without blanks. */
            if (c == '.' && i < len && g_ascii_isalnum(text[i]))
                break;
            end_sentence(&p, c == '?' || c == 0xff1f || c == 0x061f);
            break;
        case KIND_CLAUSE:
            end_word(&p);
            end_clause(&p);
            if (is_quotation_mark(c))
                p.mentioned = !p.mentioned && c != 0x300d && c != 0x300f;
            break;
        case KIND_LF:
            end_word(&p);
            end_sentence(&p, false);
            break;
        case KIND_BLANK:
            end_word(&p);
            end_glyphs(&p);
            break;
        default:
            end_word(&p);
            if (c == '-' && i < len && text[i] == ' ' && i >= 2 &&
                text[i - 2] == ' ')
                end_clause(&p);
            break;
        }
    }
    end_word(&p);
    end_sentence(&p, false);
}

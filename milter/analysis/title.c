/*
 * title.c - a position by its nouns
 *
 * A part with a noun of the title vocabulary is a candidate; ranks and fields
 * ("Senior", "Sales") support it, words of organisations and legal forms speak
 * against it. Nearness to the name decides between several. Departments alone
 * are no titles. What follows after a comma belongs to the title while it is
 * only made of its words ("Director, Marketing & Events").
 */
#include "analysis/title.h"

#include "analysis/company.h"

#include <string.h>

/* Positions in Chinese, Japanese and Korean; longest first where one ends in
 * another. */
static const char *const cjk_titles[] = {
    "代表取締役社長", "代表取締役",
    "取締役",         "社長",
    "会長",           "副社長",
    "専務",           "常務",
    "執行役員",       "本部長",
    "副部長",         "部長",
    "次長",           "課長",
    "課長代理",       "係長",
    "主任",           "主査",
    "主幹",           "室長",
    "所長",           "支店長",
    "店長",           "館長",
    "園長",           "校長",
    "教授",           "准教授",
    "講師",           "助教",
    "研究員",         "秘書",
    "マネージャー",   "マネジャー",
    "ディレクター",   "プロデューサー",
    "プランナー",     "コーディネーター",
    "リーダー",       "エンジニア",
    "デザイナー",     "コンサルタント",
    "アシスタント",   "スタッフ",
    "支配人",         "副支配人",
    "料理長",         "担当",
    "代表",           "弁護士",
    "税理士",         "行政書士",
    "建築士",         "董事长",
    "董事長",         "总裁",
    "總裁",           "副总裁",
    "总经理",         "總經理",
    "副总经理",       "副總經理",
    "执行董事",       "董事",
    "总监",           "總監",
    "副总监",         "经理",
    "經理",           "副经理",
    "副理",           "協理",
    "襄理",           "主管",
    "主任",           "专员",
    "專員",           "助理",
    "秘书",           "秘書",
    "工程师",         "工程師",
    "设计师",         "設計師",
    "策划",           "企劃",
    "企划",           "编辑",
    "編輯",           "律师",
    "律師",           "会计",
    "會計",           "教授",
    "讲师",           "講師",
    "研究员",         "研究員",
    "组长",           "組長",
    "科长",           "科長",
    "处长",           "處長",
    "店长",           "顾问",
    "顧問",           "客户经理",
    "销售代表",       "业务员",
    "業務",           "負責人",
    "负责人",         "执行长",
    "執行長",         "策展人",
    "負責人",         "대표이사",
    "대표",           "이사",
    "상무",           "전무",
    "부사장",         "사장",
    "회장",           "본부장",
    "실장",           "부장",
    "차장",           "과장",
    "대리",           "주임",
    "사원",           "팀장",
    "파트장",         "센터장",
    "소장",           "원장",
    "교수",           "연구원",
    "선임",           "책임",
    "수석",           "매니저",
    "디렉터",         "프로듀서",
    "디자이너",       "엔지니어",
    "컨설턴트",       "비서",
    "변호사",         "회계사",
    "기자",           "지배인",
    "총지배인",       "간사",
};

size_t
title_cjk(const char *text, size_t len)
{
    size_t best = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(cjk_titles); i++) {
        size_t n = strlen(cjk_titles[i]);
        if (n > best && n <= len &&
            memcmp(text + len - n, cjk_titles[i], n) == 0)
            best = n;
    }
    return best;
}

/* What the place says: on the name's line, or not far below it. */
static double
near_name(const Card *card, const CardPart *part, size_t name_line,
          bool on_name)
{
    if (on_name)
        return 1.5;
    double score = 0;
    if (name_line < card->n_lines) {
        size_t distance = part->line > name_line ? part->line - name_line
                                                 : name_line - part->line;
        score += distance <= 1   ? 1.2
                 : distance == 2 ? 0.8
                 : distance <= 4 ? 0.2
                                 : -0.6;
        if (part->line < name_line)
            score -= 0.3;
    }
    return score;
}

static double
score_part(const Card *card, const CardPart *part, size_t name_line,
           bool on_name)
{
    if (part->role != PART_FREE || part->n_words == 0 || part->n_words > 10)
        return 0;
    const char *text = card->lines[part->line].text + part->start;
    size_t len = part->end - part->start;
    if (len > 100)
        return 0;
    double score = 0;
    if (part->cjk) {
        Word words[CARD_WORDS];
        size_t n = card_words(card, part, words);
        for (size_t i = 0; i < n; i++)
            if (words[i].cjk && title_cjk(words[i].text, words[i].len) > 0 &&
                g_utf8_strlen(words[i].text, (gssize) words[i].len) <= 14)
                score = 3.0;
        if (score == 0)
            return 0;
    } else {
        if (part->n_title == 0)
            return 0;
        score = 2.0 + 0.5 * MIN(part->n_titlemod, 3);
        if (part->n_legal > 0)
            score -= 2.0;
        if (part->n_organisation > part->n_titlemod && part->n_organisation > 0)
            score -= 0.5 * part->n_organisation;
        if (part->n_digit > 0 && !g_str_has_prefix(text, "1. ") &&
            !g_str_has_prefix(text, "2. "))
            score -= 2.0;
        if (part->n_street > 0 && part->n_digit > 0)
            score -= 2.0;
        if (part->n_lower > 4)
            score -= 1.5;
        if (text[len - 1] == '.' && part->n_words > 5)
            score -= 2.0;
        Word words[CARD_WORDS];
        size_t n = card_words(card, part, words);
        /* "Office of the President" is where somebody works */
        if (n > 2 &&
            (words[0].classes & (WORD_DEPARTMENT | WORD_ORGANISATION)) &&
            !(words[0].classes & WORD_TITLE) && !words[1].capital &&
            (words[1].classes & WORD_TITLEMOD))
            score -= 2.5;
        /* "Rose Manager" is nobody; "Kim Ward" is no title */
        if (part->n_given > 0 && n <= 3 && part->n_titlemod == 0 &&
            (words[0].classes & WORD_GIVEN))
            score -= 2.0;
        /* "Commercial Property": the noun may be an adjective as well */
        bool noun = n == 1;
        for (size_t i = 0; i < n; i++)
            noun |=
                (words[i].classes & (WORD_TITLE | WORD_TITLEMOD)) == WORD_TITLE;
        if (!noun && (words[0].classes & (WORD_DEPARTMENT | WORD_TITLE |
                                          WORD_TITLEMOD)) == WORD_DEPARTMENT)
            return 0; /* "Ufficio Commerciale" */
        if (!noun)
            score -= 0.8;
        /* one word that is also something else ("Host", "Lead", "Bar") */
        if (n == 1 && words[0].folded_len <= 3 && !words[0].all_caps)
            score -= 1.5;
        if (card_names_domain(card, text, len) && part->n_titlemod == 0)
            score -= 1.2;
        if (len > 0 && (text[0] == '"' || text[0] == '\''))
            score -= 1.0;
    }
    return score + near_name(card, part, name_line, on_name);
}

/* Only words that a title is made of? */
static bool
continues(const Card *card, const CardPart *part, char separator)
{
    if (part->role != PART_FREE || part->before != separator ||
        part->n_words == 0 || part->n_words > 7 || part->n_digit > 0 ||
        part->n_legal > 0)
        return false;
    Word words[CARD_WORDS];
    size_t n = card_words(card, part, words);
    /* French: "Conseillere principale, evenements d'entreprise" */
    if (separator == ',' && n <= 4 && !words[0].capital && words[0].letter)
        return true;
    for (size_t i = 0; i < n; i++)
        if (!(words[i].classes & (WORD_TITLE | WORD_TITLEMOD | WORD_DEPARTMENT |
                                  WORD_POSTNOMINAL)) &&
            !(words[i].folded_len <= 3 && !words[i].capital))
            return false;
    return true;
}

/* Do the initials of three words or more begin the domain ("nhsevents")? */
static bool
begins_domain(const Card *card, const Word *words, size_t n)
{
    char initials[CARD_WORDS + 1];
    size_t used = 0;
    for (size_t i = 0; i < n; i++)
        if (words[i].capital && g_ascii_isalpha(words[i].folded[0]))
            initials[used++] = words[i].folded[0];
    return used >= 3 && card->domain[0] == '.' &&
           strncmp(card->domain + 1, initials, used) == 0;
}

static bool
firm_elsewhere(const Card *card, const CardPart *but)
{
    for (size_t i = 0; i < card->n_parts; i++) {
        const CardPart *part = &card->parts[i];
        if (part != but && part->role == PART_FREE && part->n_legal > 0)
            return true;
    }
    return false;
}

/* Does another line name the firm? */
static bool
firm_on_another_line(const Card *card, const CardPart *but)
{
    for (size_t i = 0; i < card->n_parts; i++) {
        const CardPart *part = &card->parts[i];
        if (part->role != PART_FREE || part->line == but->line ||
            part->n_title > 0 || part->n_digit > 0)
            continue;
        Word words[CARD_WORDS];
        size_t n = card_words(card, part, words);
        const char *text = card->lines[part->line].text + part->start;
        if (part->n_legal > 0 ||
            ((words[0].classes | words[n - 1].classes) & WORD_ORGANISATION &&
             n > 1 && part->before == '\n') ||
            card_names_domain(card, text, part->end - part->start))
            return true;
    }
    return false;
}

/* May the word name a field of work, though firms have it in their names as
 * well ("Services")? */
static bool
may_be_field(const Word *word)
{
    return !(word->classes & WORD_ORGANISATION) ||
           (word->classes & (WORD_TITLEMOD | WORD_DEPARTMENT));
}

/* "Manager, West Gas Origination": a field that the vocabulary does not know,
 * unless it looks like the firm. */
static bool
names_field(const Card *card, const CardPart *part)
{
    bool dash = part->before == '-';
    if (part->role != PART_FREE || (!dash && part->before != ',') ||
        part->n_words == 0 || part->n_words > (dash ? 3 : 5) ||
        part->n_digit > 0 || part->n_legal > 0 || part->n_lower > 0 ||
        part->n_given > 0 || card->domain[0] == '\0')
        return false;
    const char *text = card->lines[part->line].text + part->start;
    if (!g_ascii_isalpha(*text) &&
        !((unsigned char) *text >= 0xc3 && (unsigned char) *text < 0xe0))
        return false; /* quoted: a firm */
    Word words[CARD_WORDS];
    size_t n = card_words(card, part, words);
    size_t len = part->end - part->start;
    if (company_is_field(&words[n - 1]) && !dash)
        return true; /* "Director, Gas Structuring" */
    if (part->n_street > 0 || (dash && !firm_on_another_line(card, part)))
        return false;
    if ((words[0].classes | words[n - 1].classes) & WORD_ORGANISATION)
        return may_be_field(&words[0]) && may_be_field(&words[n - 1]) &&
               !card_names_domain(card, text, len) &&
               firm_on_another_line(card, part);
    return !card_names_domain(card, text, len) &&
           !(begins_domain(card, words, n) && !firm_elsewhere(card, part));
}

static void
take_cjk(Card *card, size_t index, Field *out, double confidence)
{
    CardPart *part = &card->parts[index];
    Word words[CARD_WORDS];
    size_t n = card_words(card, part, words);
    for (size_t i = 0; i < n; i++) {
        if (!words[i].cjk || title_cjk(words[i].text, words[i].len) == 0)
            continue;
        g_autofree char *text = g_strndup(words[i].text, words[i].len);
        field_set(out, text, card_evidence(card, index), confidence);
        if (n == 1)
            part->role = PART_TITLE;
        return;
    }
}

/* Endings of those who do something: "meteorologist", "konstruktor". */
static bool
ends_as_doer(const Word *word)
{
    static const char *const endings[] = {
        "ist",   "ogist", "er",    "or",   "eur",  "euse",  "ian",
        "ista",  "ador",  "adora", "aire", "ent",  "ant",   "nik",
        "ka",    "in",    "ero",   "era",  "ik",   "logue", "iste",
        "ienne", "trice", "iere",  "loge", "loog", "turg"
    };
    return word->folded_len >= 6 &&
           !(word->classes &
             (WORD_GIVEN | WORD_LEGAL | WORD_ORGANISATION | WORD_STREET)) &&
           words_ends_in(word, endings, G_N_ELEMENTS(endings));
}

/* A line right below the name that no list knows: small words, or a rank or
 * the ending of one who does something, and no firm. */
static double
score_unknown(const Card *card, size_t index, size_t name_line)
{
    const CardPart *part = &card->parts[index];
    if (part->role != PART_FREE || part->cjk || part->line != name_line + 1 ||
        part->before != '\n' || part->n_words == 0 || part->n_words > 4 ||
        part->n_digit > 0 || part->n_legal > 0 || part->n_organisation > 0 ||
        part->n_street > 0 || part->n_given > 0 || part->n_department > 0 ||
        (card->lines[part->line].flags & LINE_IMAGE_ALT))
        return 0;
    const char *text = card->lines[part->line].text + part->start;
    size_t len = part->end - part->start;
    if (card_names_domain(card, text, len) || strpbrk(text, ".!?&\"") != NULL)
        return 0;
    Word words[CARD_WORDS];
    size_t n = card_words(card, part, words);
    if (words[0].caseless)
        return 0;
    bool alone = index + 1 == card->n_parts ||
                 card->parts[index + 1].line != part->line ||
                 card->parts[index + 1].before == '/';
    if (part->n_capital == 0 && part->n_lower > 0 && alone)
        return 1.6; /* "tonski tehnik" */
    bool rank = (words[0].classes & WORD_TITLEMOD) && n > 1;
    if (part->n_lower == 0 && ends_as_doer(&words[n - 1]) &&
        (rank || (n <= 2 && firm_on_another_line(card, part))))
        return 1.5;
    return 0;
}

/* Where the firm begins in "artistic director FS Example" (small words are the
 * title, the capital ones after them the firm) and in "Zaakvoerder Example" or
 * "Tresoriere de la Chorale Example" (behind what titles are made of); n when
 * nowhere. */
static size_t
firm_in_title(const Word *words, size_t n)
{
    static const char joints[] = " de la le les l du des d der des von van het "
                                 "of the di della dell del do da dos das ";
    size_t at = n;
    while (at > 1 && words[at - 1].capital && !words[at - 1].cjk)
        at--;
    if (at >= 2 && at < n && !words[at - 1].capital && !words[0].capital &&
        !(words[at].classes & WORD_TITLE) &&
        !(words[at - 1].classes & WORD_PARTICLE))
        return at;
    at = 0;
    while (at < n && words[at].capital && !words[at].cjk &&
           (words[at].classes & (WORD_TITLE | WORD_TITLEMOD)))
        at++;
    size_t title = at, nouns = 0;
    for (size_t i = 0; i < n; i++)
        nouns += (words[i].classes & WORD_TITLE) ? (i < at ? 1 : n + 1) : 0;
    if (nouns == 0 || nouns > n)
        return n;
    for (; at < n && !words[at].capital; at++) {
        char padded[WORD_FOLDED_MAX + 4];
        g_snprintf(padded, sizeof padded, " %s ", words[at].folded);
        if (strstr(joints, padded) == NULL)
            return n;
    }
    /* "Director of Music" works in no firm of that name */
    if (at >= n || !words[at].capital || words[at].cjk ||
        (words[at].classes & (WORD_TITLE | WORD_TITLEMOD | WORD_DEPARTMENT)) ||
        (at > title && at + 1 == n))
        return n;
    return at;
}

/* The firm, which the domain spells, is parted from the title. */
static void
part_from_firm(Card *card, size_t index, char *text)
{
    CardPart *part = &card->parts[index];
    Word words[CARD_WORDS];
    size_t n = card_words(card, part, words), at = firm_in_title(words, n);
    if (at == n || card->n_parts == CARD_PARTS)
        return;
    size_t start = (size_t) (words[at].text - card->lines[part->line].text);
    if (!card_names_domain(card, words[at].text, part->end - start))
        return;
    g_autofree char *firm = g_strndup(words[at].text, part->end - start);
    char *hit = strstr(text, firm);
    if (hit == NULL)
        return;
    CardPart *rest = &card->parts[card->n_parts++];
    *rest = *part;
    rest->start = start;
    rest->before = '-';
    rest->role = PART_FREE;
    rest->n_title = 0;
    *hit = '\0';
    g_strchomp(text);
    for (; words[0].capital && !words[at - 1].capital; at--) {
        start = (size_t) (words[at - 1].text - card->lines[part->line].text);
        char *joint = strrchr(text, ' '); /* "of", "de la" */
        if (joint != NULL)
            *joint = '\0';
    }
    part->end = start;
}

void
title_find(Card *card, size_t name, Field *out)
{
    size_t name_line =
        name < card->n_parts ? card->parts[name].line : card->n_lines;
    size_t best = 0;
    double best_score = 1.4;
    for (size_t i = 0; i < card->n_parts; i++) {
        const CardPart *part = &card->parts[i];
        if (part->role == PART_NAME && part->cjk && i == name) {
            Word words[CARD_WORDS];
            size_t n = card_words(card, part, words);
            for (size_t k = 0; k < n; k++)
                if (n > 1 && words[k].cjk &&
                    title_cjk(words[k].text, words[k].len) > 0 &&
                    g_utf8_strlen(words[k].text, (gssize) words[k].len) >= 2) {
                    g_autofree char *text =
                        g_strndup(words[k].text, words[k].len);
                    field_set(out, text, card_evidence(card, i), 0.9);
                    return;
                }
        }
        bool on_name = name < card->n_parts && part->line == name_line;
        double score = score_part(card, part, name_line, on_name);
        if (score <= 0 && name < card->n_parts)
            score = score_unknown(card, i, name_line);
        if (score > best_score + 0.01) {
            best = i;
            best_score = score;
        }
    }
    if (best_score <= 1.4)
        return;
    double confidence = best_score >= 3.5   ? 0.9
                        : best_score >= 2.5 ? 0.8
                        : best_score > 1.6  ? 0.7
                                            : 0.65;
    if (card->parts[best].cjk) {
        take_cjk(card, best, out, confidence);
        return;
    }
    size_t first = best, last = best;
    while (last + 1 < card->n_parts &&
           card->parts[last + 1].line == card->parts[best].line &&
           (continues(card, &card->parts[last + 1], ',') ||
            (continues(card, &card->parts[last + 1], '/') &&
             card->parts[last + 1].n_title > 0) ||
            continues(card, &card->parts[last + 1], '-') ||
            names_field(card, &card->parts[last + 1])))
        last++;
    while (first > 0 && first - 1 != name &&
           card->parts[first - 1].line == card->parts[best].line &&
           strchr("/,-", card->parts[first].before) != NULL &&
           card->parts[first - 1].n_title > 0 &&
           card->parts[first - 1].role == PART_FREE &&
           card->parts[first - 1].n_legal == 0)
        first--;
    g_autofree char *text = card_text(card, first, last);

    if (first == last)
        part_from_firm(card, best, text);
    /* "Coordinator at Acme": the firm goes to the company */
    static const char *const joints[] = { " at ",  " @ ",      " en ",
                                          " bei ", " chez ",   " bij ",
                                          " hos ", " presso ", " na ",
                                          " w ",   " v " };
    for (size_t i = 0; i < G_N_ELEMENTS(joints) && first == last; i++) {
        const char *hit = strstr(text, joints[i]);
        if (hit == NULL || hit == text)
            continue;
        const char *right = hit + strlen(joints[i]);
        if (!g_unichar_isupper(g_utf8_get_char(right)) ||
            !(card_names_domain(card, right, strlen(right)) ||
              joints[i][1] == 'a' || joints[i][1] == '@'))
            continue;
        CardPart *part = &card->parts[best];
        const char *line = card->lines[part->line].text;
        const char *where = strstr(line + part->start, joints[i]);
        if (where == NULL || card->n_parts == CARD_PARTS)
            continue;
        CardPart *rest = &card->parts[card->n_parts];
        *rest = *part;
        rest->start = (size_t) (where - line) + strlen(joints[i]);
        rest->before = '-';
        rest->role = PART_FREE;
        rest->n_title = 0;
        part->end = (size_t) (where - line);
        card->n_parts++;
        text[hit - text] = '\0';
        break;
    }
    for (size_t i = first; i <= last; i++)
        card->parts[i].role = PART_TITLE;
    size_t n = strlen(text);
    /* "Marriage Celebrant A99991": a licence's number */
    char *number = strrchr(text, ' ');
    if (number != NULL && strpbrk(number, "0123456789") != NULL &&
        strlen(number) >= 5) {
        *number = '\0';
        n = strlen(text);
    }
    while (n > 0 && strchr(".,;:-", text[n - 1]) != NULL && text[n - 1] != '.')
        text[--n] = '\0';
    field_set(out, text, card_evidence(card, best), confidence);
}

/*
 * company.c - legal forms, nouns of organisations, and the domain as witness
 *
 * Every free part is scored: a legal form is nearly proof, agreement with the
 * sender's domain is strong, nouns such as "Hotel" or "Council" help, and so
 * does the place right below name and title. Departments, sentences, addresses
 * and numbers speak against it.
 */
#include "analysis/company.h"

#include "analysis/title.h"

#include <string.h>

static const char *const cjk_legal[] = {
    "株式会社", "有限会社", "合同会社", "一般社団法人", "公益財団法人",
    "合資会社", "有限公司", "股份公司", "集团",         "集團",
    "公司",     "(株)",     "㈱",       "주식회사",     "(주)",
    "㈜",       "유한회사", "법인",     "协会",         "協會",
};
static const char *const cjk_nouns[] = {
    "ホテル",   "大学",   "大學",     "学校",         "學校",   "協会",
    "研究所",   "事務所", "スタジオ", "センター",     "工房",   "商店",
    "旅館",     "酒店",   "饭店",     "飯店",         "医院",   "醫院",
    "银行",     "銀行",   "工作室",   "事务所",       "文化",   "传媒",
    "프로덕션", "호텔",   "대학교",   "재단",         "협회",   "스튜디오",
    "은행",     "병원",   "그룹",     "엔터테인먼트", "컴퍼니", "기획",
    "トラベル", "企画",   "製作所",   "出版社",       "美術館", "博物館",
    "劇場",     "市役所", "財団",     "研究会",       "委員会", "学会",
    "연구회",   "협의회", "위원회",   "학회",         "동호회", "연합회",
    "센터",     "조합",   "研究會",   "委員會",       "學會",   "委员会",
};
static const char *const cjk_departments[] = {
    "部", "課", "係", "室", "팀", "부서", "处", "處", "科", "组", "組", "본부",
};

static size_t
find_any(const char *text, size_t len, const char *const *list, size_t n)
{
    size_t hits = 0;
    for (size_t i = 0; i < n; i++)
        hits += g_strstr_len(text, (gssize) len, list[i]) != NULL;
    return hits;
}

static bool
ends_any(const char *text, size_t len, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t m = strlen(list[i]);
        if (m <= len && memcmp(text + len - m, list[i], m) == 0)
            return true;
    }
    return false;
}

/* Legal forms with spaces or dots inside: "S.A. de C.V.", "sp. z o.o." */
static bool
only_legal(const Word *words, size_t n)
{
    if (n == 0)
        return false;
    size_t legal = 0;
    for (size_t i = 0; i < n; i++) {
        if (words[i].classes & WORD_LEGAL)
            legal++;
        else if (strcmp(words[i].folded, "de") != 0 &&
                 strcmp(words[i].folded, "z") != 0 &&
                 strcmp(words[i].folded, "co") != 0 && words[i].folded_len > 1)
            return false;
    }
    return legal > 0;
}

bool
company_plausible(const char *text, size_t len)
{
    Word words[CARD_WORDS];
    size_t n = words_split(text, len, words, CARD_WORDS);
    size_t good = 0;
    for (size_t i = 0; i < n; i++)
        good += (words[i].classes & (WORD_LEGAL | WORD_ORGANISATION)) &&
                words[i].capital;
    return good > 0 ||
           find_any(text, len, cjk_legal, G_N_ELEMENTS(cjk_legal)) > 0;
}

/* Are the words the domain's first label and nothing else? */
static bool
is_domain(const Card *card, const Word *words, size_t n)
{
    if (n != 1 || card->domain[0] != '.')
        return false;
    size_t label = strcspn(card->domain + 1, ".");
    return words[0].folded_len == label &&
           memcmp(words[0].folded, card->domain + 1, label) == 0;
}

bool
company_is_field(const Word *word)
{
    static const char *const endings[] = { "tion",  "sion",  "ment",  "turing",
                                           "lysis", "ning",  "ting",  "ance",
                                           "ence",  "tions", "sions", "ments" };
    return word->folded_len >= 7 &&
           !(word->classes & (WORD_GIVEN | WORD_LEGAL | WORD_ORGANISATION)) &&
           words_ends_in(word, endings, G_N_ELEMENTS(endings));
}

static double
score_part(const Card *card, size_t index, size_t name, bool title)
{
    const CardPart *part = &card->parts[index];
    if (part->role != PART_FREE || part->n_words == 0 || part->n_words > 9)
        return 0;
    const CardLine *line = &card->lines[part->line];
    const char *text = line->text + part->start;
    size_t len = part->end - part->start;
    if (len < 2 || len > 100 || text[0] == '@')
        return 0;
    if (part->cjk) {
        double score = 0;
        if (find_any(text, len, cjk_legal, G_N_ELEMENTS(cjk_legal)) > 0)
            score += 5.0;
        else if (find_any(text, len, cjk_nouns, G_N_ELEMENTS(cjk_nouns)) > 0)
            score += 2.5;
        else if (part->line <= 2 && part->n_digit == 0 &&
                 g_utf8_strlen(text, (gssize) len) >= 3)
            score += 1.0;
        if (part->n_digit > 0)
            score -= 2.0;
        return score;
    }
    Word words[CARD_WORDS];
    size_t n = card_words(card, part, words);
    double score = 0;
    bool evidence = false, quoted = false;
    if (only_legal(words, n))
        return 0;
    if (part->n_legal > 0 && n > 1) {
        for (size_t i = 0; i < n; i++) {
            if (!(words[i].classes & WORD_LEGAL))
                continue;
            bool sure = words[i].folded_len > 2 || words[i].all_caps ||
                        words[i].after == '.' ||
                        strchr(words[i].folded, '.') != NULL;
            if (strcmp(words[i].folded, "co") == 0 && i == 0)
                continue; /* "Co. Offaly" */
            bool edge =
                i == 0 || i + 1 == n || (words[i + 1].classes & WORD_LEGAL) ||
                (i >= 2 && i + 2 == n && words[i + 1].capital &&
                 strchr(words[i].folded, '.') != NULL); /* d.o.o. Beograd */
            if (sure && edge &&
                !(words[i].classes & WORD_PARTICLE && !words[i].all_caps)) {
                score += 4.0;
                evidence = true;
                break;
            }
        }
    }
    if (part->n_organisation > 0 && part->n_capital > 0) {
        /* the noun leads or ends the name: "Hotel Alpha", "Alpha Hotel" */
        bool head = (words[0].classes | words[n - 1].classes) &
                    (WORD_ORGANISATION | WORD_LEGAL);
        score += MIN(part->n_organisation, 2) * (head ? 1.6 : 0.5);
        evidence = head;
    }
    if (card_names_domain(card, text, len)) {
        score += 3.5;
        if (part->before != ',' && is_domain(card, words, n))
            score += 1.0;
        evidence = true;
    }
    if (n <= 5 && (text[0] == '"' || g_str_has_prefix(text, "«") ||
                   g_str_has_prefix(text, "„"))) {
        score += 1.5; /* as Russian firms are written */
        evidence = true;
    } else if (part->n_organisation > 0 && part->n_title == 0 &&
               (g_strstr_len(text, (gssize) len, " «") != NULL ||
                g_strstr_len(text, (gssize) len, " „") != NULL)) {
        score += 1.5; /* a kind of firm, and its name in quotes */
        quoted = true;
        evidence = true;
    }
    if (!evidence && n <= 3 && company_is_field(&words[n - 1]))
        return 0; /* "Quantitative Analysis": a department */
    /* "Hotel de Ville - 1, place du Marche": a building's name */
    if (part->n_legal == 0 && index + 1 < card->n_parts &&
        card->parts[index + 1].line == part->line &&
        card->parts[index + 1].role == PART_ADDRESS &&
        strchr(",-", card->parts[index + 1].before) != NULL)
        score -= 1.0;
    /* "St Example's College, Town" */
    if (n == 1 && part->before == ',' && index > 0 && part->n_legal == 0 &&
        card->parts[index - 1].n_organisation > 0)
        score -= 3.0;
    if (part->n_title > 0)
        score -= evidence ? 1.0 : 3.0;
    bool only_department = true;
    for (size_t i = 0; i < n; i++)
        only_department &=
            (words[i].classes & (WORD_DEPARTMENT | WORD_TITLEMOD)) != 0;
    if (only_department)
        score -= 2.5;
    if ((words[0].classes & WORD_DEPARTMENT ||
         words[n - 1].classes & WORD_DEPARTMENT) &&
        part->n_legal == 0 && !(words[n - 1].classes & WORD_ORGANISATION))
        score -= 1.5;
    if (!quoted)
        score -= part->n_lower > 3 ? 2.5 : 0.4 * part->n_lower;
    if (part->n_digit > 0)
        score -= part->n_street > 0 ? 4.0 : 1.5;
    if (part->n_street > 0 && !evidence)
        score -= 1.0;
    if (text[len - 1] == '.' && part->n_legal == 0 && n > 4)
        score -= 2.0;
    if (text[len - 1] == '!' || text[len - 1] == '?')
        score -= 2.0;
    if (text[0] == '"' && n > 4)
        score -= 1.0;
    if (words[0].folded_len <= 3 && !words[0].capital && words[0].letter &&
        !words[0].digit && (words[0].classes & WORD_TITLEMOD))
        return 0; /* "to Warren T. Hollis" */
    if (words[0].classes & WORD_REGISTRATION && n > 2)
        score -= 2.0;
    if (line->flags & LINE_IMAGE_ALT)
        score -= evidence && score > 2.0 ? 0.8 : 5.0;
    if (name < card->n_parts) {
        size_t name_line = card->parts[name].line;
        if (part->line < name_line)
            score -= 0.3;
        size_t distance = part->line > name_line ? part->line - name_line : 0;
        score -= 0.15 * (double) MIN(distance, (size_t) 8);
        /* without evidence: the line below the title */
        size_t small = 0; /* "Luz y Escena" */
        for (size_t i = 1; i + 1 < n; i++)
            small += !words[i].capital && words[i].folded_len < 4;
        if (!evidence && part->n_capital + small == n && n <= 5 && n >= 1 &&
            part->n_digit == 0 && part->n_title == 0 && part->n_lower == 0 &&
            !only_department && distance <= 2) {
            if (title && (distance > 0 || part->before == '|' ||
                          part->before == ',' || part->before == '-'))
                score += n >= 2 || part->before != '\n' ? 1.9 : 1.5;
            else if (distance == 1 && part->before == '\n' && n >= 2)
                score += 1.2;
        }
    } else {
        score -= 0.1 * (double) MIN(part->line, (size_t) 8);
    }
    if (part->n_caps == n && n > 0 && len > 3)
        score += 0.2;
    return score;
}

/* May the part be one of several names that make a firm's name? */
static bool
is_partner(const CardPart *part)
{
    return part->role == PART_FREE && part->n_words > 0 && part->n_words <= 4 &&
           part->n_capital > 0 && part->n_lower == 0 && part->n_digit == 0 &&
           part->n_title == 0 && !part->cjk;
}

/* "Ashford, Blackwood & Lowe": names between commas, the last two joined by
 * an ampersand, are one firm. */
static void
partners(const Card *card, size_t *first, size_t *last)
{
    size_t line = card->parts[*first].line;
    size_t a = *first, b = *last;
    while (a > 0 && card->parts[a].before == ',' &&
           card->parts[a - 1].line == line && is_partner(&card->parts[a - 1]))
        a--;
    while (b + 1 < card->n_parts && card->parts[b + 1].line == line &&
           card->parts[b + 1].before == ',' && is_partner(&card->parts[b + 1]))
        b++;
    for (; b > a; b--) {
        const CardPart *part = &card->parts[b];
        const char *text = card->lines[line].text + part->start;
        const char *joint = memchr(text, '&', part->end - part->start);
        if (joint != NULL && joint > text && part->n_words >= 2 &&
            is_partner(part)) {
            *first = MIN(a, *first);
            *last = MAX(b, *last);
            return;
        }
    }
}

/* "logo Atelier Example": what the picture is, and what it shows. In place. */
static void
cut_logo(char *text)
{
    static const char *const words[] = { "logo ",    "logo: ",    "logo de ",
                                         "logo of ", "logotipo ", "logotype ",
                                         "logo der " };
    size_t longest = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strncasecmp(text, words[i], strlen(words[i])) == 0)
            longest = MAX(longest, strlen(words[i]));
    memmove(text, text + longest, strlen(text + longest) + 1);
    size_t len = strlen(text);
    if (len > 6 && g_ascii_strcasecmp(text + len - 5, " logo") == 0)
        text[len - 5] = '\0';
}

void
company_find(Card *card, size_t name, bool title, Field *out)
{
    size_t best = 0;
    double best_score = 0.99;
    for (size_t i = 0; i < card->n_parts; i++) {
        double score = score_part(card, i, name, title);
        if (score > best_score + 0.01) {
            best = i;
            best_score = score;
        }
    }
    if (best_score <= 0.99)
        return;
    CardPart *part = &card->parts[best];
    double confidence = best_score >= 3.0   ? 0.9
                        : best_score >= 2.0 ? 0.8
                        : best_score >= 1.5 ? 0.7
                                            : 0.6;
    if (part->cjk) {
        /* "株式会社X 営業部": the department goes; "X 무대기술팀" likewise */
        Word words[CARD_WORDS];
        size_t n = card_words(card, part, words);
        size_t last = n;
        while (last > 1 &&
               (title_cjk(words[last - 1].text, words[last - 1].len) > 0 ||
                ends_any(words[last - 1].text, words[last - 1].len,
                         cjk_departments, G_N_ELEMENTS(cjk_departments))) &&
               find_any(words[last - 1].text, words[last - 1].len, cjk_legal,
                        G_N_ELEMENTS(cjk_legal)) == 0)
            last--;
        const char *begin = words[0].text;
        if (words[0].before == '(') /* a legal form in brackets */
            begin = card->lines[part->line].text + part->start;
        g_autofree char *text =
            g_strndup(begin, (size_t) (words[last - 1].text +
                                       words[last - 1].len - begin));
        field_set(out, text, card_evidence(card, best), confidence);
        part->role = PART_COMPANY;
        return;
    }
    /* "Bayanihan Events, Inc.", "Smith, Jones & Co" */
    size_t first = best, last = best;
    partners(card, &first, &last);
    while (last + 1 < card->n_parts &&
           card->parts[last + 1].line == part->line &&
           card->parts[last + 1].before == ',') {
        Word words[CARD_WORDS];
        size_t n = card_words(card, &card->parts[last + 1], words);
        if (!only_legal(words, n))
            break;
        last++;
    }
    g_autofree char *text = card_text(card, first, last);
    /* "Inc." keeps its full stop: it was cut by the splitting, or stands */
    if (card->lines[part->line].flags & LINE_IMAGE_ALT)
        cut_logo(text);
    for (size_t i = first; i <= last; i++)
        card->parts[i].role = PART_COMPANY;
    field_set(out, text, card_evidence(card, best), confidence);
}

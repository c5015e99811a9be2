/*
 * Whose words? Own text apart from quotations, over mail programs and
 * languages, and what must not be cut.
 */
#include "message/body.h"
#include "message/reply.h"

#include <string.h>

/* --- helpers ------------------------------------------------------------------ */

/* The lines of one zone that have text, joined by '|'. */
static char *
zone_lines(const Body *body, Zone zone)
{
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < body->n_lines; i++) {
        const Line *line = &body->lines[i];
        if (line->zone != zone || line->len == 0)
            continue;
        if (out->len > 0)
            g_string_append_c(out, '|');
        g_string_append(out, line->text);
    }
    return g_string_free(out, FALSE);
}

static Body *
body_of_text(const char *text, const char *subject, bool html)
{
    /* exact-size copy: the sanitizer sees one byte too far */
    size_t len = strlen(text);
    g_autofree char *copy = g_memdup2(text, MAX(len, 1));
    Body *body = html ? body_from_html(copy, len) : body_from_plain(copy, len);
    if (subject != NULL)
        reply_split(body, subject);
    return body;
}

static void
expect(const char *text, const char *subject, bool html, const char *own,
       const char *forwarded)
{
    g_autoptr(Body) body = body_of_text(text, subject, html);
    g_autofree char *got_own = zone_lines(body, ZONE_OWN);
    g_assert_cmpstr(got_own, ==, own);
    if (forwarded != NULL) {
        g_autofree char *got = zone_lines(body, ZONE_FORWARDED);
        g_assert_cmpstr(got, ==, forwarded);
    }
}

/* --- attribution lines ----------------------------------------------------------- */

#define ANN "Ann Lee <ann@example.org>"

/* As the programs write them; '^' is where a program may fold the line. */
static const char *const attributions[] = {
    /* Gmail */
    "On Thu, 12 Mar 2026 at 10:22, Ann Lee ^<ann@example.org> wrote:",
    "On Thu, Mar 12, 2026 at 10:22 AM Ann Lee ^<ann@example.org> wrote:",
    "Am Do., 12. März 2026 um 10:22 Uhr schrieb Ann Lee ^<ann@example.org>:",
    "Le jeu. 12 mars 2026 à 10:22, Ann Lee ^<ann@example.org> a écrit :",
    "El jue, 12 mar 2026 a las 10:22, Ann Lee ^(<ann@example.org>) escribió:",
    "Em qui., 12 de mar. de 2026 às 10:22, Ann Lee ^<ann@example.org> "
    "escreveu:",
    "Il giorno gio 12 mar 2026 alle ore 10:22 Ann Lee ^<ann@example.org> ha "
    "scritto:",
    "Op do 12 mrt 2026 om 10:22 schreef Ann Lee ^<ann@example.org>:",
    "Den tors 12 mars 2026 kl 10:22 skrev Ann Lee ^<ann@example.org>:",
    "Den tor. 12. mar. 2026 kl. 10.22 skrev Ann Lee ^<ann@example.org>:",
    "tor. 12. mar. 2026 kl. 10:22 skrev Ann Lee ^<ann@example.org>:",
    "to 12. maalisk. 2026 klo 10.22 Ann Lee ^(ann@example.org) kirjoitti:",
    "czw., 12 mar 2026 o 10:22 Ann Lee ^<ann@example.org> napisał(a):",
    "čt 12. 3. 2026 v 10:22 odesílatel Ann Lee ^<ann@example.org> napsal:",
    "št 12. 3. 2026 o 10:22 Ann Lee ^<ann@example.org> napísal(a):",
    "Ann Lee <ann@example.org> ezt írta ^(időpont: 2026. márc. 12., Cs, "
    "10:22):",
    "În joi, 12 mar. 2026 la 10:22, Ann Lee ^<ann@example.org> a scris:",
    "чт, 12 мар. 2026 г. в 10:22, Ann Lee ^<ann@example.org>:",
    "чт, 12 бер. 2026 р. о 10:22 Ann Lee ^<ann@example.org> пише:",
    "Ann Lee <ann@example.org>, 12 Mar 2026 Per, 10:22 ^tarihinde şunu yazdı:",
    "Στις Πέμ 12 Μαρ 2026 στις 10:22 π.μ., ο/η Ann Lee ^<ann@example.org> "
    "έγραψε:",
    "2026年3月12日(木) 10:22 Ann Lee ^<ann@example.org>:",
    "Ann Lee <ann@example.org> 于2026年3月12日周四 10:22写道：",
    "Ann Lee <ann@example.org> 於 2026年3月12日 週四 上午10:22寫道：",
    "2026년 3월 12일 (목) 오전 10:22, Ann Lee ^<ann@example.org>님이 작성:",
    "في الخميس، 12 مارس 2026 في 10:22 ص تمت كتابة ما يلي بواسطة Ann Lee "
    "^<ann@example.org>:",
    "\xe2\x80\xab"
    "בתאריך יום ה׳, 12 במרץ 2026 ב-10:22 מאת \xe2\x80\xaa"
    "Ann Lee\xe2\x80\xac\xe2\x80\x8f"
    " "
    "^<\xe2\x80\xaa"
    "ann@example.org\xe2\x80\xac\xe2\x80\x8f"
    ">:\xe2\x80\xac"
    "",
    "ในวันที่ พฤ. 12 มี.ค. 2026 เวลา 10:22 Ann Lee ^<ann@example.org> เขียนว่า:",
    "Vào Th 5, 12 thg 3, 2026 vào lúc 10:22 Ann Lee ^<ann@example.org> đã "
    "viết:",
    "Pada tanggal Kam, 12 Mar 2026 pukul 10.22 Ann Lee ^<ann@example.org> "
    "menulis:",
    /* Apple Mail */
    "On 12 Mar 2026, at 10:22 am, Ann Lee ^<ann@example.org> wrote:",
    "Am 12.03.2026 um 10:22 schrieb Ann Lee ^<ann@example.org>:",
    "Le 12 mars 2026 à 10:22, Ann Lee ^<ann@example.org> a écrit :",
    "Il giorno 12 mar 2026, alle ore 10:22, Ann Lee ^<ann@example.org> ha "
    "scritto:",
    "Op 12 mrt. 2026, om 10:22 heeft Ann Lee ^<ann@example.org> het volgende "
    "geschreven:",
    "12 mars 2026 kl. 10:22 skrev Ann Lee ^<ann@example.org>:",
    "2026/03/12 10:22、Ann Lee <ann@example.org>のメール:",
    "12 марта 2026 г., в 10:22, Ann Lee ^<ann@example.org> написал(а):",
    "Wiadomość napisana przez Ann Lee <ann@example.org> ^w dniu 12 mar 2026, o "
    "godz. 10:22:",
    "12. 3. 2026 v 10:22, Ann Lee ^<ann@example.org>:",
    /* Thunderbird */
    "On 12/03/2026 10:22, Ann Lee wrote:",
    "Am 12.03.26 um 10:22 schrieb Ann Lee:",
    "Le 12/03/2026 à 10:22, Ann Lee a écrit :",
    "Il 12/03/2026 10:22, Ann Lee ha scritto:",
    "W dniu 12.03.2026 o 10:22, Ann Lee pisze:",
    "12.03.2026 10:22, Ann Lee пишет:",
    "Dne 12. 03. 26 v 10:22 Ann Lee napsal(a):",
    "Op 12-03-2026 om 10:22 schreef Ann Lee:",
    "2026. 03. 12. 10:22 keltezéssel, Ann Lee írta:",
    /* Yahoo, Mail.ru, Yandex, Proton, others */
    "On Thursday, March 12, 2026, 10:22:13 AM GMT+11, Ann Lee "
    "^<ann@example.org> wrote:",
    "Le jeudi 12 mars 2026 à 10:22:13 UTC+1, Ann Lee ^<ann@example.org> a "
    "écrit :",
    "Четверг, 12 марта 2026, 10:22 +03:00 от Ann Lee ^<ann@example.org>:",
    "12.03.2026, 10:22, \"Ann Lee\" <ann@example.org>:",
    "On Thursday, March 12th, 2026 at 10:22 AM, Ann Lee ^<ann@example.org> "
    "wrote:",
    "在 2026-03-12 10:22:13，\"Ann Lee\" <ann@example.org> 写道：",
    "At 2026-03-12 10:22:13, \"Ann Lee\" ^<ann@example.org> wrote:",
    "* Ann Lee <ann@example.org> [2026-03-12 10:22]:",
    "Quoting Ann Lee (12.03.2026 10:22) <ann@example.org>:",
    "Ann Lee <ann@example.org> wrote on 12/03/2026 10:22:13 AM:",
    "Ann Lee <ann@example.org> schrieb am 12.03.2026 10:22:",
    "Ann Lee (ann@example.org) skrev (2026-03-12):",
    "Ann Lee <ann@example.org> hat am 12.03.2026 10:22 CET geschrieben:",
    "In a message dated 3/12/2026 10:22:13 AM Eastern Daylight Time, "
    "^ann@example.org writes:",
    "12 Mar 2026, 10:22 by ann@example.org:",
    "12. März 2026, 10:22 von ann@example.org:",
    "On Mar 12, 2026, 10:22 AM +1100, Ann Lee ^<ann@example.org>, wrote:",
    "On Thu, Mar 12, 2026 at 10:22 AM, Ann Lee < ann@example.org > wrote:",
    "On Thu, 2026-03-12 at 10:22 +1100, Ann Lee wrote:",
    "Am 2026-03-12 10:22, schrieb Ann Lee:",
    "On March 12, 2026, Ann Lee ^<ann@example.org> wrote:",
    "Dnia 12 marca 2026 10:22 Ann Lee ^<ann@example.org> napisał(a):",
    "12 марта 2026 г., 10:22 пользователь Ann Lee ^<ann@example.org> написал:",
    "On Thu, 12 Mar 2026 10:22:13 +0900 ^Ann Lee <ann@example.org> wrote:",
    "Em 12/03/2026 10:22, Ann Lee escreveu:",
};

static char *
folded(const char *attribution, const char *fold)
{
    g_auto(GStrv) pieces = g_strsplit(attribution, "^", -1);
    g_autofree char *joined = g_strjoinv(fold, pieces);
    return g_steal_pointer(&joined);
}

static void
test_attribution_marked(gconstpointer data)
{
    g_autofree char *line = folded(data, "");
    g_autofree char *text = g_strconcat(
        "Mine above.\n\n", line, "\n\n> theirs\n> more\n\nMine below.\n", NULL);
    expect(text, "Re: x", false, "Mine above.|Mine below.", NULL);
}

static void
test_attribution_folded(gconstpointer data)
{
    g_autofree char *line = folded(data, "\n");
    g_autofree char *text =
        g_strconcat("Mine above.\n\n", line, "\n> theirs\n> more\n", NULL);
    expect(text, NULL, false, "Mine above.", NULL);
}

/* Yahoo and others: what follows has no quote marks. */
static void
test_attribution_bare(gconstpointer data)
{
    g_autofree char *line = folded(data, "");
    if (strchr(line, '@') == NULL && strchr(line, ':') == NULL)
        return;
    g_autofree char *text = g_strconcat("Mine above.\n\n", line,
                                        "\n\nTheirs.\n\nMore of it.\n", NULL);
    expect(text, NULL, false, "Mine above.", NULL);
}

static void
test_attribution_html(gconstpointer data)
{
    g_autofree char *line = folded(data, "");
    g_autofree char *escaped = g_markup_escape_text(line, -1);
    g_autofree char *text = g_strconcat(
        "<div>Mine above.</div><br><div class=\"gmail_quote\"><div "
        "class=\"gmail_attr\">",
        escaped,
        "<br></div><blockquote class=\"gmail_quote\">Theirs</blockquote></div>"
        "<div>Mine below.</div>",
        NULL);
    expect(text, NULL, true, "Mine above.|Mine below.", NULL);
}

/* --- header blocks -------------------------------------------------------------------- */

typedef struct {
    const char *lang;
    const char *from, *sent, *date, *to, *subject;
} BlockWords;

static const BlockWords blocks[] = {
    { "en", "From:", "Sent:", "Thursday, 12 March 2026 10:22 AM",
      "To:", "Subject:" },
    { "de", "Von:", "Gesendet:", "Donnerstag, 12. März 2026 10:22",
      "An:", "Betreff:" },
    { "fr", "De :", "Envoyé :", "jeudi 12 mars 2026 10:22", "À :", "Objet :" },
    { "es", "De:", "Enviado el:", "jueves, 12 de marzo de 2026 10:22",
      "Para:", "Asunto:" },
    { "pt", "De:", "Enviada em:", "quinta-feira, 12 de março de 2026 10:22",
      "Para:", "Assunto:" },
    { "it", "Da:", "Inviato:", "giovedì 12 marzo 2026 10:22",
      "A:", "Oggetto:" },
    { "nl", "Van:", "Verzonden:", "donderdag 12 maart 2026 10:22",
      "Aan:", "Onderwerp:" },
    { "sv", "Från:", "Skickat:", "den 12 mars 2026 10:22", "Till:", "Ämne:" },
    { "da", "Fra:", "Sendt:", "12. marts 2026 10:22", "Til:", "Emne:" },
    { "nb", "Fra:", "Sendt:", "torsdag 12. mars 2026 10:22", "Til:", "Emne:" },
    { "fi", "Lähettäjä:", "Lähetetty:", "torstai 12. maaliskuuta 2026 10.22",
      "Vastaanottaja:", "Aihe:" },
    { "pl", "Od:", "Wysłano:", "czwartek, 12 marca 2026 10:22",
      "Do:", "Temat:" },
    { "cs", "Od:", "Odesláno:", "čtvrtek 12. března 2026 10:22",
      "Komu:", "Předmět:" },
    { "sk", "Od:", "Odoslané:", "štvrtok 12. marca 2026 10:22",
      "Komu:", "Predmet:" },
    { "hu", "Feladó:", "Elküldve:", "2026. március 12., csütörtök 10:22",
      "Címzett:", "Tárgy:" },
    { "ro", "De la:", "Trimis:", "joi, 12 martie 2026 10:22",
      "Către:", "Subiect:" },
    { "ru", "От:", "Отправлено:", "12 марта 2026 г. 10:22", "Кому:", "Тема:" },
    { "uk", "Від:", "Надіслано:", "12 березня 2026 р. 10:22",
      "Кому:", "Тема:" },
    { "tr", "Kimden:", "Gönderildi:", "12 Mart 2026 Perşembe 10:22",
      "Kime:", "Konu:" },
    { "el", "Από:", "Στάλθηκε:", "Πέμπτη, 12 Μαρτίου 2026 10:22",
      "Προς:", "Θέμα:" },
    { "ja", "差出人:", "送信日時:", "2026年3月12日 10:22", "宛先:", "件名:" },
    { "zh-Hans", "发件人:", "发送时间:", "2026年3月12日 10:22",
      "收件人:", "主题:" },
    { "zh-Hant", "寄件者:", "寄件日期:", "2026年3月12日 上午 10:22",
      "收件者:", "主旨:" },
    { "zh wide", "发件人：", "发送时间：", "2026年3月12日 10:22", "收件人：",
      "主题：" },
    { "ko", "보낸 사람:", "보낸 날짜:", "2026년 3월 12일 목요일 오전 10:22",
      "받는 사람:", "제목:" },
    { "ar", "من:", "تاريخ الإرسال:", "12 مارس, 2026 10:22",
      "إلى:", "الموضوع:" },
    { "he", "מאת:", "נשלח:", "יום חמישי 12 מרץ 2026 10:22", "אל:", "נושא:" },
    { "th", "จาก:", "ส่ง:", "12 มีนาคม 2569 10:22", "ถึง:", "เรื่อง:" },
    { "vi", "Từ:", "Đã gửi:", "12 Tháng Ba 2026 10:22", "Đến:", "Chủ đề:" },
    { "id", "Dari:", "Dikirim:", "12 Maret 2026 10:22", "Kepada:", "Perihal:" },
};

#define ABOVE "Mine above.\n\nAnn Own\n\n"
#define BELOW "\n\nTheir words.\n\nUnsubscribe here\n"

/* Every order that programs use, with and without bold marks and rules. */
static void
test_block(gconstpointer data)
{
    const BlockWords *w = data;
    static const char *const shapes[] = {
        "%1 " ANN "\n%2 %d\n%3 Bob <bob@example.com>\n%4 RE: Boats",
        "%1 Ann Lee\n%2 %d\n%3 Bob\n%4 RE: Boats",
        "*%1* Ann Lee [mailto:ann@example.org]\n*%2* %d\n*%3* Bob\n*%4* Boats",
        "%4 RE: Boats\n%2 %d\n%1 Ann Lee\n%3 Bob",
        "________________________________\n%1 " ANN "\n%2 %d\n%3 Bob; "
        "Carla Long-Name;\nDora Other-Name\n%4 Boats",
        "-----x-----\n%2 %d\n%1 " ANN "\n%3 Bob\n%4 Boats",
        "%1 Ann Lee\n\n%2 %d\n\n%3 Bob\n\n%4 RE: Boats",
        "%1 " ANN "\n%2 %d\n%3 Bob",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        GString *text = g_string_new(ABOVE);
        for (const char *p = shapes[i]; *p != 0; p++) {
            if (*p != '%') {
                g_string_append_c(text, *p);
                continue;
            }
            p++;
            g_string_append(text, *p == '1'   ? w->from
                                  : *p == '2' ? w->sent
                                  : *p == '3' ? w->to
                                  : *p == '4' ? w->subject
                                              : w->date);
        }
        g_string_append(text, BELOW);
        g_autofree char *done = g_string_free(text, FALSE);
        g_test_message("shape %zu", i);
        expect(done, "Re: Boats", false, "Mine above.|Ann Own", NULL);
    }
}

/* --- separators ------------------------------------------------------------------------- */

typedef struct {
    const char *text;
    bool forward;
} SeparatorCase;

static const SeparatorCase separators[] = {
    { "-----Original Message-----", false },
    { "-------- Original message --------", false },
    { "-----Ursprüngliche Nachricht-----", false },
    { "-----Message d'origine-----", false },
    { "-----Mensaje original-----", false },
    { "-----Mensagem original-----", false },
    { "-----Messaggio originale-----", false },
    { "-----Oorspronkelijk bericht-----", false },
    { "-----Ursprungligt meddelande-----", false },
    { "-----Oprindelig meddelelse-----", false },
    { "-----Opprinnelig melding-----", false },
    { "-----Alkuperäinen viesti-----", false },
    { "-----Wiadomość oryginalna-----", false },
    { "-----Původní zpráva-----", false },
    { "-----Eredeti üzenet-----", false },
    { "-----Исходное сообщение-----", false },
    { "-----Orijinal Mesaj-----", false },
    { "-----Αρχικό μήνυμα-----", false },
    { "-----元のメッセージ-----", false },
    { "------------------ 原始邮件 ------------------", false },
    { "-----原始郵件-----", false },
    { "-----원본 메시지-----", false },
    { "-----الرسالة الأصلية-----", false },
    { "-----הודעה מקורית-----", false },
    { "----- Ann Lee <ann@example.org> schrieb: -----", false },
    { "----- Original Message ----- ", false },
    { "---- On Thu, 12 Mar 2026 10:22:13 +1100 Ann <ann@example.org> wrote ---",
      false },
    { "---------- Forwarded message ---------", true },
    { "---------- Weitergeleitete Nachricht ---------", true },
    { "---------- Message transféré ---------", true },
    { "---------- Mensaje reenviado ---------", true },
    { "---------- Mensagem encaminhada ---------", true },
    { "---------- Messaggio inoltrato ---------", true },
    { "---------- Doorgestuurd bericht ---------", true },
    { "-------- Пересылаемое сообщение --------", true },
    { "---------- 转发的邮件 ----------", true },
    { "----- Forwarded by Ann Lee/ACME on 12/03/2026 10:22 -----", true },
    { "Begin forwarded message:", true },
    { "Anfang der weitergeleiteten Nachricht:", true },
    { "Début du message transféré :", true },
    { "Inicio del mensaje reenviado:", true },
    { "Начало переадресованного сообщения:", true },
};

static void
test_separator(gconstpointer data)
{
    const SeparatorCase *c = data;
    g_autofree char *text =
        g_strconcat("Mine.\n\n", c->text, "\nTheirs.\n\nMore.\n", NULL);
    g_autofree char *forwarded =
        c->forward ? g_strconcat(c->text, "|Theirs.|More.", NULL)
                   : g_strdup("");
    g_strchomp(forwarded);
    expect(text, "Re: x", false, "Mine.", forwarded);
}

/* --- single cases ------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    const char *subject;
    const char *text;
    const char *own;
    const char *forwarded; /* NULL: not looked at */
} ReplyCase;

static const ReplyCase plain_cases[] = {
    { "nothing quoted", NULL, "One.\n\nTwo.\n", "One.|Two.", "" },
    { "marks alone", NULL, "> theirs\n> more\n\nMine.", "Mine.", NULL },
    { "interleaved", NULL,
      "Hi,\n\n> first?\n\nYes.\n\n> second?\n> really?\nNo.\n>> deep\nEnd.",
      "Hi,|Yes.|No.|End.", NULL },
    { "blank before the mark", NULL, "Mine.\n > theirs\n  > more\n", "Mine.",
      NULL },
    { "wrapped without its mark", NULL,
      "Mine.\n> The vines have turned and so have our menus, and the old "
      "boathouse\nis open.\n> Come\n",
      "Mine.", NULL },
    { "two attributions, two quotations", NULL,
      "A.\n\nOn 12/03/2026 10:22, Ann wrote:\n> one\n\nB.\n\nOn 11/03/2026 "
      "09:00, Bob wrote:\n> two\n\nC.\n",
      "A.|B.|C.", NULL },
    { "one word before its verb, right above marks", NULL,
      "Mine.\n\nAnn Lee wrote:\n> theirs\n", "Mine.", NULL },
    { "attribution over four lines", NULL,
      "Mine.\n\nOn Thursday, 12 March 2026 at 10:22:13 am AEDT,\n"
      "Ann Lee of the Society of Long and Longer Names\nand of their many "
      "friends everywhere <\nann@example.org> wrote:\n> theirs\n",
      "Mine.", NULL },
    { "own paragraph right above an attribution", NULL,
      "Mine.\nOn Thu, 12 Mar 2026 at 10:22, Ann Lee <ann@example.org> wrote:\n"
      "> theirs\n",
      "Mine.", NULL },
    { "no joining across an empty line", NULL,
      "On 12 March 2026 at 10:22 we met Ann.\n\nAnd then she wrote:\n\nNothing "
      "at all.\n",
      "On 12 March 2026 at 10:22 we met Ann.|And then she wrote:|Nothing at "
      "all.",
      NULL },
    { "attribution without its colon", NULL,
      "Mine.\n\nOn Thu, 12 Mar 2026 at 10:22 Ann Lee <ann@example.org> wrote\n"
      "\nTheirs.\n",
      "Mine.", NULL },
    { "bottom posted", "Re: x",
      "On 12/03/2026 10:22, Ann wrote:\n> theirs\n> more\n\nMine at last.\n",
      "Mine at last.", NULL },
    { "Notes, names on lines of their own", "Re: x",
      "Mine.\n\nE. Own\n\n\n\n\"Ann Lee\" <ann@example.org>\n12/03/2026 "
      "10:22\n\nTo\nBob Own <bob@example.com>\ncc\n\nSubject\nBoats\n\n\n"
      "Theirs.\n",
      "Mine.|E. Own", NULL },
    { "Notes, names with colons", "Re: x",
      "Mine.\n\n\nAnn Lee/Sales/ACME@ACME\n12/03/2026 10:22\n\nTo: Bob/ACME\n"
      "cc:\nSubject: Boats\n\nTheirs.\n",
      "Mine.", NULL },
    { "Notes, German", "Antwort: x",
      "Meins.\n\n\n\nVon:    Ann Lee <ann@example.org>\nAn:     bob@example."
      "com\nDatum:  12.03.2026 10:22\nBetreff:        Boote\n\n\nTheirs.\n",
      "Meins.", NULL },
    { "GMX", "Aw: x",
      "Meins.\n\n\nGesendet: Donnerstag, 12. März 2026 um 10:22 Uhr\nVon: "
      "\"Ann Lee\" <ann@example.org>\nAn: bob@example.com\nBetreff: Boote\n\n"
      "Theirs.\n",
      "Meins.", NULL },
    { "QQ", "回复：x",
      "我的\n\n------------------ 原始邮件 ------------------\n发件人: \"Ann\" "
      "<ann@example.org>;\n发送时间: 2026年3月12日(星期四) 上午10:22\n收件人: "
      "\"Bob\"<bob@example.com>;\n主题: x\n\n\n\nTheirs.\n",
      "我的", NULL },
    { "QQ in English", "Re: x",
      "Mine\n\n------------------ Original ------------------\nFrom: \"Ann\" "
      "<ann@example.org>;\nDate: Thu, Mar 12, 2026 10:22 AM\nTo: \"Bob\";\n\n"
      "Theirs.\n",
      "Mine", NULL },
    { "Samsung", "Re: x",
      "Mine.\n\nSent from my Galaxy\n\n\n-------- Original message --------\n"
      "From: Ann <ann@example.org>\nDate: 12/3/26 10:22 am (GMT+10:00)\nTo: "
      "bob@example.com\nSubject: x\n\nTheirs.\n",
      "Mine.|Sent from my Galaxy", NULL },
    { "Zimbra", "Re: x",
      "Mine.\n\n----- Original Message -----\nFrom: \"Ann\" "
      "<ann@example.org>\nTo: \"bob\" <bob@example.com>\nSent: Thursday, "
      "March 12, 2026 10:22:13 AM\nSubject: x\n\nTheirs.\n",
      "Mine.", NULL },
    { "Zoho", "Re: x",
      "Mine.\n\n\n---- On Thu, 12 Mar 2026 10:22:13 +1100 Ann "
      "<ann@example.org> wrote ----\n\nTheirs.\n",
      "Mine.", NULL },
    { "Proton", "Re: x",
      "Mine.\n\nSent with Proton Mail secure email.\n\nOn Thursday, March "
      "12th, "
      "2026 at 10:22 AM, Ann Lee <ann@example.org> wrote:\n\n> theirs\n",
      "Mine.|Sent with Proton Mail secure email.", NULL },
    { "Mail.ru marks its attribution", "Re: x",
      "Моё.\n\n>Четверг, 12 марта 2026, 10:22 +03:00 от Ann "
      "<ann@example.org>:\n> \n>Theirs\n",
      "Моё.", NULL },
    { "ticket system", "Re: [#12] x",
      "Mine.\n\n##- Please type your reply above this line -##\n\nYour "
      "request (12) has been updated.\n",
      "Mine.", NULL },
    { "ticket system, German", "Re: x",
      "Meins.\n\n##- Bitte antworten Sie über dieser Zeile -##\n\nText.\n",
      "Meins.", NULL },
    { "ticket system, French", "Re: x",
      "Le mien.\n\n## Répondez au-dessus de cette ligne ##\n\nTexte.\n",
      "Le mien.", NULL },
    { "ticket system's own mail", NULL,
      "##- Please type your reply above this line -##\n\nYour request (12) "
      "has been updated.\n",
      "##- Please type your reply above this line -##|Your request (12) has "
      "been updated.",
      NULL },
    { "forward above everything", "Fwd: x",
      "---------- Forwarded message ---------\nFrom: Ann "
      "<ann@example.org>\nDate: Thu, 12 Mar 2026 at 10:22\nSubject: x\nTo: "
      "<bob@example.com>\n\nTheirs.\n",
      "", NULL },
    { "Outlook block under a forward's subject", "FW: x",
      "Please see below.\n\nFrom: Ann <ann@example.org>\nSent: Thursday, 12 "
      "March 2026 10:22\nTo: Bob\nSubject: x\n\nTheirs.\n",
      "Please see below.",
      "From: Ann <ann@example.org>|Sent: Thursday, 12 March 2026 10:22|To: "
      "Bob|Subject: x|Theirs." },
    { "the same under a German one", "WG: x",
      "Siehe unten.\n\nVon: Ann <ann@example.org>\nGesendet: Donnerstag, 12. "
      "März 2026 10:22\nAn: Bob\nBetreff: x\n\nTheirs.\n",
      "Siehe unten.",
      "Von: Ann <ann@example.org>|Gesendet: Donnerstag, 12. März 2026 10:22|"
      "An: Bob|Betreff: x|Theirs." },
    { "Apple's forward has marks, and an end", "Fwd: x",
      "See.\n\nBegin forwarded message:\n\n> From: Ann "
      "<ann@example.org>\n> Subject: x\n> \n> Theirs.\n\nMine below.\n",
      "See.|Mine below.",
      "Begin forwarded message:|From: Ann <ann@example.org>|Subject: "
      "x|Theirs." },
    { "forward with nothing above, no prefix", NULL,
      "From: Ann <ann@example.org>\nSent: Thursday, 12 March 2026 10:22\nTo: "
      "Bob\nSubject: x\n\nTheirs.\n",
      "", NULL },
    { "empty reply", "Re: x",
      "\n\nFrom: Ann <ann@example.org>\nSent: Thursday, 12 March 2026 10:22\n"
      "To: Bob\nSubject: x\n\nTheirs.\n",
      "", "" },
    { "iOS: Von, Datum, An, Betreff", NULL,
      "Meins.\n\nVon: Ann <ann@example.org>\nDatum: Donnerstag, 12. März 2026 "
      "um 10:22\nAn: Bob <bob@example.com>\nCc: Cy <cy@example.com>\nBetreff: "
      "x\n\nTheirs.\n",
      "Meins.", NULL },
    { "header values on the next lines", NULL,
      "Mine.\n\nFrom:\nAnn Lee <ann@example.org>\nSent:\nThursday, 12 March "
      "2026 10:22\nTo:\nBob\nSubject:\nx\n\nTheirs.\n",
      "Mine.", NULL },
    { "signature below the quotation", NULL,
      "Mine.\n\n> theirs\n\n-- \nBob Own\n", "Mine.|--|Bob Own", NULL },
    { "disclaimer under the quotation stays own", NULL,
      "On 12/03/2026 10:22, Ann wrote:\n> theirs\n\nThis mail is "
      "confidential.\n",
      "This mail is confidential.", NULL },
    { "Polymail-like date and address", NULL,
      "Mine.\n\nOn Thu, Mar 12, 2026 at 10:22 am Ann Lee < "
      "ann@example.org\n> wrote:\n\nTheirs.\n",
      "Mine.", NULL },
    { "link target inside the brackets", NULL,
      "Mine.\n\nOn 12 Mar 2026, at 10:22, Ann Lee "
      "<ann@example.org<mailto:ann@example.org>> wrote:\n\nTheirs.\n",
      "Mine.", NULL },
    { "Outlook mobile rule of underscores", NULL,
      "Mine.\n\nGet Outlook for iOS<https://aka.example/o0ukef>\n"
      "________________________________\nFrom: Ann "
      "<ann@example.org>\nSent: Thursday, March 12, 2026 10:22:13 AM\nTo: Bob "
      "<bob@example.com>\nSubject: x\n\nTheirs.\n",
      "Mine.|Get Outlook for iOS<https://aka.example/o0ukef>", NULL },

    { "Yahoo's app, their text on the same line", "Re: x",
      "Mine.\n\nSent from Yahoo Mail on Android \n \n  On Thu, 12 Mar 2026 at "
      "10:22, Ann Lee<ann@example.org> wrote:   Theirs begins here.\n\nAnd "
      "goes on.\n",
      "Mine.|Sent from Yahoo Mail on Android", NULL },
    { "eM Client has no colons", "Re: x",
      "Mine.\n\n------ Original Message ------\nFrom \"Ann\" "
      "<ann@example.org>\nTo \"Bob\" <bob@example.com>\nDate 12/03/2026 "
      "10:22:13\nSubject x\n\nTheirs.\n",
      "Mine.", NULL },
    { "Libero", "R: x",
      "Mio.\n\n----Messaggio originale----\nDa: ann@example.org\nData: "
      "12/03/2026 10.22\nA: <bob@example.com>\nOgg: x\n\nTheirs.\n",
      "Mio.", NULL },
    { "Orange, small letters", "RE: x",
      "Le mien.\n\n\nenvoyé : 12 mars 2026 à 10:22\nde : Ann "
      "<ann@example.org>\nà : bob@example.com\nobjet : x\n\nTheirs.\n",
      "Le mien.", NULL },
    { "T-Online", "Aw: x",
      "Meins.\n\n-----Original-Nachricht-----\nBetreff: x\nDatum: "
      "2026-03-12T10:22:13+0100\nVon: \"Ann\" <ann@example.org>\nAn: "
      "\"Bob\"\n\nTheirs.\n",
      "Meins.", NULL },
    { "The Bat!", "Re: x",
      "Hello Ann,\n\nThursday, March 12, 2026, 10:22:13 AM, you wrote:\n\n> "
      "theirs\n\nMine.\n",
      "Hello Ann,|Mine.", NULL },
    { "Seznam", "Re: x",
      "Moje.\n\n---------- Původní e-mail ----------\nOd: Ann "
      "<ann@example.org>\nKomu: bob@example.com\nDatum: 12. 3. 2026 "
      "10:22:13\nPředmět: x\n\nTheirs.\n",
      "Moje.", NULL },

    /* what must not be cut */
    { "an address, a date, a time and wrote, in prose", NULL,
      "On 12 March 2026 at 10:22 Ann (ann@example.org) wrote to me that the "
      "barn is free.\n\nIs it?\n",
      "On 12 March 2026 at 10:22 Ann (ann@example.org) wrote to me that the "
      "barn is free.|Is it?",
      NULL },
    { "web form with a date", "Enquiry",
      "From: Ann Lee\nDate: 12 March 2026\nSubject: Wedding\nGuests: 40\n\nIs "
      "it free?\n",
      "From: Ann Lee|Date: 12 March 2026|Subject: Wedding|Guests: 40|Is it "
      "free?",
      NULL },
    { "agenda, Danish", NULL,
      "Dato: 12.3.2026\nFra: kl. 10:00\nTil: kl. 14:00\n\nHilsen Bo\n",
      "Dato: 12.3.2026|Fra: kl. 10:00|Til: kl. 14:00|Hilsen Bo", NULL },
    { "agenda, German", NULL,
      "Datum: 12. März 2026\nVon: 10:00 Uhr\nBis: 14:00 Uhr\n\nGruß Bo\n",
      "Datum: 12. März 2026|Von: 10:00 Uhr|Bis: 14:00 Uhr|Gruß Bo", NULL },
    { "agenda", NULL,
      "The room:\n\nDate: 12 March 2026\nFrom: 10:00\nTo: 14:00\nVenue: The "
      "barn\n\nThanks, Bob\n",
      "The room:|Date: 12 March 2026|From: 10:00|To: 14:00|Venue: The "
      "barn|Thanks, Bob",
      NULL },
    { "agenda with weekdays", NULL,
      "Opening times\nFrom: Monday we are open\nTo: Friday we are closed\n\n"
      "Bye\n",
      "Opening times|From: Monday we are open|To: Friday we are closed|Bye",
      NULL },
    { "travel", NULL,
      "Trip:\nFrom: Geelong\nTo: Ballarat\nDate: 12 March 2026, 10:22\n\nBob\n",
      "Trip:|From: Geelong|To: Ballarat|Date: 12 March 2026, 10:22|Bob", NULL },
    { "travel, French", NULL,
      "De : Paris\nÀ : Lyon\nDate : 12 mars 2026\n\nMerci\n",
      "De : Paris|À : Lyon|Date : 12 mars 2026|Merci", NULL },
    { "Date: in prose", NULL, "Date: 12 March 2026, please confirm.\n\nBob\n",
      "Date: 12 March 2026, please confirm.|Bob", NULL },
    { "From: in prose", NULL, "From: Monday we are open.\nCome by.\n",
      "From: Monday we are open.|Come by.", NULL },
    { "Subject: in prose", NULL,
      "Subject: to availability, we would like the barn.\nTo: be discussed\n",
      "Subject: to availability, we would like the barn.|To: be discussed",
      NULL },
    { "French prose with a date", NULL,
      "Le 12 mars 2026, représentant notre société, Ann visitera.\nMerci.\n",
      "Le 12 mars 2026, représentant notre société, Ann visitera.|Merci.",
      NULL },
    { "On in prose", NULL,
      "On 12 March 2026 at 10:22 the caterer wrote to me.\n\nWhat now?\n",
      "On 12 March 2026 at 10:22 the caterer wrote to me.|What now?", NULL },
    { "someone wrote:", NULL,
      "As the poet wrote:\n\nRoses are red.\n\nAnd so on.\n",
      "As the poet wrote:|Roses are red.|And so on.", NULL },
    { "a date and wrote, human", NULL,
      "On 12 March you wrote:\n\nwe can have the barn.\n\nCan we?\n",
      "On 12 March you wrote:|we can have the barn.|Can we?", NULL },
    { "sections between rules", NULL,
      "One\n--\nTwo\n____\nThree\n-----\nFour\n=======\nFive\n",
      "One|--|Two|____|Three|-----|Four|=======|Five", NULL },
    { "heading between dashes", NULL,
      "--- Programme ---\n10:00 Coffee\n--- Speakers ---\nAnn Lee\n",
      "--- Programme ---|10:00 Coffee|--- Speakers ---|Ann Lee", NULL },
    { "original message in prose", NULL,
      "My original message: please call.\n\nBob\n",
      "My original message: please call.|Bob", NULL },
    { "forwarded message in prose", NULL,
      "The forwarded message did not arrive.\nBegin forwarded messages with a "
      "note.\n",
      "The forwarded message did not arrive.|Begin forwarded messages with a "
      "note.",
      NULL },
    { "web form", "Website enquiry",
      "From: Ann Lee <ann@example.org>\nSubject: Wedding\n\nMessage Body:\n"
      "Is the barn free?\n",
      "From: Ann Lee <ann@example.org>|Subject: Wedding|Message Body:|Is the "
      "barn free?",
      NULL },
    { "contact data with colons", NULL,
      "Name: Ann\nEmail: ann@example.org\nDate: 12 March 2026\nTime: 10:22\n"
      "Guests: 40\n",
      "Name: Ann|Email: ann@example.org|Date: 12 March 2026|Time: "
      "10:22|Guests: 40",
      NULL },
    { "contact me at, with a colon", NULL,
      "Please write to ann@example.org:\nthe 12 March 2026 suits me.\n",
      "Please write to ann@example.org:|the 12 March 2026 suits me.", NULL },
    { "signature with an address and a colon", NULL,
      "Bye\n\nAnn Lee\nMobile: 0400 000 000\nE: ann@example.org\nA: 1 Road\n",
      "Bye|Ann Lee|Mobile: 0400 000 000|E: ann@example.org|A: 1 Road", NULL },
    { "Spanish prose with De and Para", NULL,
      "De: parte de todos, gracias.\nPara: el viernes estamos listos.\n",
      "De: parte de todos, gracias.|Para: el viernes estamos listos.", NULL },
    { "a list of arrows", NULL, "Steps:\n-> one\n=> two\n",
      "Steps:|-> one|=> two", NULL },
    { "mbox escape", NULL, "Hello.\n\n>From Monday on we are closed.\nBob\n",
      "Hello.|From Monday on we are closed.|Bob", NULL },
    { "reply above in prose", NULL,
      "See my reply above this line of argument, please.\nBob\n",
      "See my reply above this line of argument, please.|Bob", NULL },
    { "schedule with times and names", NULL,
      "Thursday 12.03.2026\n10:22 Ann Lee speaks:\n\nabout boats\n",
      "Thursday 12.03.2026|10:22 Ann Lee speaks:|about boats", NULL },
};

static const ReplyCase html_cases[] = {
    { "plain paragraphs", NULL, "<p>One.</p><p>Two.</p>", "One.|Two.", NULL },
    { "Outlook: divRplyFwdMsg and what follows it", "Re: x",
      "<div>Mine.</div><hr><div id=\"divRplyFwdMsg\"><b>From:</b> Ann "
      "&lt;ann@example.org&gt;<br><b>Sent:</b> Thursday<br><b>To:</b> "
      "Bob<br><b>Subject:</b> x</div><div>Theirs.</div><p>More.</p>",
      "Mine.", NULL },
    { "the same in words that nobody knows", "Re: x",
      "<div>Mine.</div><hr><div id=\"x_divRplyFwdMsg\"><b>Zyx:</b> "
      "Ann<br><b>Abc:</b> Thursday</div><div>Theirs.</div>",
      "Mine.", NULL },
    { "Outlook desktop, border above the block", "Re: x",
      "<p class=MsoNormal>Mine.<o:p></o:p></p><div><div style='border:none;"
      "border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p "
      "class=MsoNormal><b>From:</b> Ann<br><b>Sent:</b> 12 March 2026 "
      "10:22<br><b>To:</b> Bob<br><b>Subject:</b> x<o:p></o:p></p></div></div>"
      "<p class=MsoNormal>Theirs.</p>",
      "Mine.", NULL },
    { "the border in words that nobody knows", "Re: x",
      "<p class=MsoNormal>Mine.</p><div style='border:none;border-top:solid "
      "#B5C4DF 1.0pt'><p class=MsoNormal><b>Zyx:</b> Ann<br><b>Abc:</b> 12 "
      "2026<br><b>Def:</b> Bob</p></div><p class=MsoNormal>Theirs.</p>",
      "Mine.", NULL },
    { "appendonsend", "Re: x",
      "<div>Mine.</div><div id=\"appendonsend\"></div><hr><div>Theirs.</div>",
      "Mine.", NULL },
    { "Outlook for Mac section", NULL,
      "<div>Mine.</div><span id=\"OLK_SRC_BODY_SECTION\"><div>Theirs."
      "</div></span>",
      "Mine.", NULL },
    { "Yahoo", NULL,
      "<div>Mine.</div><div id=\"ydp123yahoo_quoted_4567\" "
      "class=\"ydp123yahoo_quoted\"><div>On Thursday, 12 March 2026, 10:22 am, "
      "Ann &lt;ann@example.org&gt; wrote:</div><div>Theirs.</div></div>",
      "Mine.", NULL },
    { "Yahoo by its class", NULL,
      "<div>Mine.</div><div class=\"yahoo_quoted\"><div>Zyx 12</div>"
      "<div>Theirs.</div></div>",
      "Mine.", NULL },
    { "gmail_quote around the author's own words", NULL,
      "<div class=\"gmail_quote\"><div>Mine.</div><div>Ann Own</div><div>0400 "
      "000 000</div></div>",
      "Mine.|Ann Own|0400 000 000", NULL },
    { "gmail_quote, words then a quotation inside", NULL,
      "<div class=\"gmail_quote\"><div>Mine.</div><div class=\"gmail_attr\">On "
      "Thu, 12 Mar 2026 at 10:22, Ann wrote:</div><blockquote "
      "class=\"gmail_quote\">Theirs.</blockquote></div>",
      "Mine.", NULL },
    { "one div around reply and quotation", NULL,
      "<div><div>Mine.</div><div>On Thu, 12 Mar 2026 at 10:22, Ann "
      "&lt;ann@example.org&gt; wrote:</div><div>Theirs.</div></div>",
      "Mine.", NULL },
    { "nested gmail_quote", NULL,
      "<div>Mine.</div><div class=\"gmail_quote\">On Thu, 12 Mar 2026 at "
      "10:22, Ann &lt;a@example.org&gt; wrote:<br><blockquote "
      "class=\"gmail_quote\"><div>Theirs.</div><div class=\"gmail_quote\">On "
      "Wed, 11 Mar 2026 at 09:00, Bob &lt;b@example.org&gt; "
      "wrote:<blockquote>Deep.</blockquote></div></blockquote></div>",
      "Mine.", NULL },
    { "interleaved answers", NULL,
      "<p>Hi</p><blockquote type=cite>One?</blockquote><p>Yes.</p><blockquote "
      "type=\"cite\">Two?</blockquote><p>No.</p>",
      "Hi|Yes.|No.", NULL },
    { "moz-cite-prefix in words that nobody knows", NULL,
      "<p>Mine.</p><div class=\"moz-cite-prefix\">Zyx 12 Abc:<br></div>"
      "<blockquote type=\"cite\">Theirs.</blockquote><p>Below.</p>",
      "Mine.|Below.", NULL },
    { "blockquote that only indents", NULL,
      "<p>Mine:</p><blockquote style=\"margin:0 0 0 40px;border:none;padding:"
      "0px\">still mine</blockquote><p>End.</p>",
      "Mine:|still mine|End.", NULL },
    { "the same under an attribution", NULL,
      "<p>Mine.</p><p>On Thu, 12 Mar 2026 at 10:22, Ann wrote:</p><blockquote "
      "style=\"margin:0 0 0 40px;border:none\">theirs</blockquote><p>End.</p>",
      "Mine.|End.", NULL },
    { "GMX", NULL,
      "<div>Meins.</div><div name=\"quote\" style=\"margin:10px\"><div "
      "name=\"quoted-content\">Theirs.</div></div>",
      "Meins.", NULL },
    { "QQ includetail", NULL,
      "<div>我的</div><includetail><div>Theirs.</div></includetail>", "我的",
      NULL },
    { "163", NULL, "<div>我的</div><div id=\"isReplyContent\">Theirs.</div>",
      "我的", NULL },
    { "Zimbra rule", NULL,
      "<div>Mine.</div><hr id=\"zwchr\" "
      "data-marker=\"__DIVIDER__\"><div>Theirs.</div>",
      "Mine.", NULL },
    { "Proton", NULL,
      "<div>Mine.</div><div class=\"protonmail_quote\">On 12 "
      "March<blockquote>Theirs.</blockquote></div>",
      "Mine.", NULL },
    { "Thunderbird forward", "Fwd: x",
      "<p>See.</p><div class=\"moz-forward-container\">-------- Forwarded "
      "Message --------<table class=\"moz-email-headers-table\"><tr><th>From: "
      "</th><td>Ann</td></tr></table>Theirs.</div>",
      "See.", "-------- Forwarded Message --------|From: Ann|Theirs." },
    { "Gmail forward", "Fwd: x",
      "<div>See.</div><div class=\"gmail_quote\"><div "
      "class=\"gmail_attr\">---------- Forwarded message "
      "---------<br>From: <strong>Ann</strong> "
      "&lt;ann@example.org&gt;<br>Date: Thu, 12 Mar 2026 at "
      "10:22<br>Subject: x<br>To: Bob<br></div>Theirs.</div>",
      "See.",
      "---------- Forwarded message ---------|From: Ann "
      "<ann@example.org>|Date: Thu, 12 Mar 2026 at 10:22|Subject: x|To: "
      "Bob|Theirs." },
    { "header block in a table", "Re: x",
      "<p>Mine.</p><table><tr><td>From:</td><td>Ann "
      "&lt;ann@example.org&gt;</td></tr><tr><td>Sent:</td><td>12 March 2026 "
      "10:22</td></tr><tr><td>To:</td><td>Bob</td></tr><tr><td>Subject:</td>"
      "<td>x</td></tr></table><p>Theirs.</p>",
      "Mine.", NULL },
    { "price quotation in an element named so", NULL,
      "<div class=\"quote-table\">Our quote: $500</div><p>Bye</p>",
      "Our quote: $500|Bye", NULL },
};

static void
test_plain_case(gconstpointer data)
{
    const ReplyCase *c = data;
    expect(c->text, c->subject, false, c->own, c->forwarded);
    /* CR LF mail has lost its CRs before it comes here; a missing last line
     * end must not matter. */
    g_autofree char *more = g_strconcat(c->text, "\n\n\n", NULL);
    expect(more, c->subject, false, c->own, c->forwarded);
}

static void
test_html_case(gconstpointer data)
{
    const ReplyCase *c = data;
    expect(c->text, c->subject, true, c->own, c->forwarded);
}

/* --- hostile --------------------------------------------------------------------------------- */

static void
test_hostile(void)
{
    static const char *const lines[] = {
        "On 12/03/2026 10:22 a@b.example wrote\n",
        "From: a@b.example\n",
        ">\n",
        "wrote:\n",
        "-----x-----\n",
        ":\n",
        "\n",
        "> a\nb\n",
        "Date: 12/03/2026 10:22\nTo: x\n",
        "From:\nTo:\n\n",
        "1 2 3 4 5 6 7 8 9 10:22 12/03/2026 @ @ @ @ @:\n",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        GString *text = g_string_new(NULL);
        while (text->len < 200000)
            g_string_append(text, lines[i]);
        g_autoptr(Body) body = body_from_plain(text->str, text->len);
        g_assert_cmpuint(body->n_lines, <=, BODY_MAX_LINES);
        g_string_free(text, TRUE);
    }
    g_autoptr(Body) empty = body_from_plain("", 0);
    g_assert_cmpuint(empty->n_lines, ==, 0);
    /* bytes that are no UTF-8, cut characters at the end */
    g_autoptr(Body) bad = body_from_plain("\xe2\x80\n> \xff\xfe:\n\xe2:", 11);
    g_assert_cmpuint(bad->n_lines, >, 0);
}

static void
add(const char *group, size_t i, const char *name, gconstpointer data,
    GTestDataFunc function)
{
    g_autofree char *path =
        g_strdup_printf("/reply/%s/%zu %.30s", group, i, name);
    for (char *p = path + strlen("/reply/") + strlen(group) + 1; *p != 0; p++) {
        if (*p == '/' || (*p & 0x80) != 0)
            *p = '_';
    }
    g_test_add_data_func(path, data, function);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions(); /* see all that fails, not the first */
    for (size_t i = 0; i < G_N_ELEMENTS(attributions); i++) {
        const char *a = attributions[i];
        add("attribution", i, a, a, test_attribution_marked);
        add("folded", i, a, a, test_attribution_folded);
        add("bare", i, a, a, test_attribution_bare);
        add("html", i, a, a, test_attribution_html);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(blocks); i++)
        add("block", i, blocks[i].lang, &blocks[i], test_block);
    for (size_t i = 0; i < G_N_ELEMENTS(separators); i++)
        add("separator", i, separators[i].text, &separators[i], test_separator);
    for (size_t i = 0; i < G_N_ELEMENTS(plain_cases); i++)
        add("plain", i, plain_cases[i].name, &plain_cases[i], test_plain_case);
    for (size_t i = 0; i < G_N_ELEMENTS(html_cases); i++)
        add("markup", i, html_cases[i].name, &html_cases[i], test_html_case);
    g_test_add_func("/reply/hostile", test_hostile);
    return g_test_run();
}

/*
 * disclaimer.c - phrases by which such footers are known
 *
 * Three kinds: lines of clients ("Sent from my iPhone"), which are known by
 * their beginning; banners of gateways ("[EXTERNAL]"), at the top; and notices,
 * which are known by phrases that people hardly write themselves. A notice
 * runs to the end of its paragraph, or further, while the text stays prose.
 */
#include "analysis/disclaimer.h"

#include "analysis/words.h"

#include <string.h>

/* Beginnings of lines that mail clients add; folded. */
static const char *const client_lines[] = {
    "sent from my ", "sent from mail for ", "sent from outlook",
    "sent from yahoo", "sent from proton", "sent from my", "sent from gmail",
    "sent from samsung", "sent from a mobile", "sent from mobile",
    "sent via ", "sent with proton", "sent with shift", "sent using ",
    "sent on the go", "get outlook for", "download outlook",
    "typed on my", "from my iphone", "from my mobile", "on the move",
    "please excuse typos", "please excuse brevity", "please excuse any typos",
    "apologies for typos", "excuse the brevity",
    "von meinem iphone gesendet", "von meinem ipad gesendet",
    "von meinem samsung", "von meinem handy", "von meinem smartphone",
    "von meinem android", "von meinem mobil", "gesendet von ",
    "gesendet mit ", "gesendet aus ", "gesendet uber ", "von unterwegs",
    "diese nachricht wurde von meinem android", "outlook fur ",
    "holen sie sich outlook", "laden sie outlook", "beziehen sie outlook",
    "envoye de mon", "envoye depuis", "envoye a partir de", "envoye via",
    "envoye par", "obtenez outlook", "obtenir outlook", "telecharger outlook",
    "telechargez outlook", "de mon iphone",
    "enviado desde", "enviado de mi", "enviado con", "obtener outlook",
    "obten outlook", "descargar outlook", "enviado via", "enviado pelo",
    "enviado do meu", "enviado a partir do", "enviado del meu", "enviat des",
    "obter o outlook", "obtenha o outlook", "baixe o outlook",
    "inviato da", "inviato dal", "ottieni outlook", "scarica outlook",
    "verstuurd vanaf", "verzonden vanaf", "verzonden met", "verzonden via",
    "verstuurd met", "verstuurd via", "outlook voor ", "outlook downloaden",
    "download outlook voor", "haal outlook",
    "skickat fran", "skickat med", "hamta outlook", "fa outlook",
    "sendt fra", "sendt med", "hent outlook", "skaff deg outlook",
    "lahetetty", "hanki outlook", "lataa outlook",
    "wyslane z", "wyslano z", "wyslano za", "pobierz aplikacje outlook",
    "pobierz outlook", "odeslano z", "odeslane z", "odoslane z",
    "ziskat outlook", "stahnout outlook", "iphone-rol kuldve",
    "az iphone-omrol kuldve", "kuldve ", "trimis de pe", "trimis din",
    "poslano z", "poslano s", "poslato sa", "preuzmite outlook",
    "отправлено с", "отправлено из", "послано с", "отправлено от",
    "надіслано з", "изпратено от", "скачать outlook", "получить outlook",
    "σταλθηκε απο", "αποστολη απο", "εσταλη απο",
    "iphone'umdan gonderildi", "iphone’umdan", "gonderen", "ipad'imden",
    "iphone 'dan gonderildi", "outlook'u edinin", "android icin outlook",
    "ios icin outlook", "dikirim dari", "gui tu ", "hantar dari",
    "iphoneから送信", "ipadから送信", "androidから送信", "スマホから送信",
    "outlook for ios を入手", "发自我的", "從我的", "从我的", "来自我的",
    "發自我的", "寄自我的", "获取 outlook", "取得 outlook", "나의 iphone",
    "내 iphone", "iphone에서 보냄", "갤럭시에서 보냄", "מאת האייפון",
    "أرسلت من", "नसे भेजा", "virenfrei", "virus-free", "sans virus",
    "libre de virus", "livre de virus", "senza virus", "virusvrij",
    "privo di virus", "без вирусов", "www.avast.com", "www.avg.com",
    "get bluemail", "bluemail for", "mailbird", "sent from airmail",
    "sent from spark", "sent from front", "sent from superhuman",
    "sent from the all new", "sent by ", "yahoo mail: ", "cheers from my phone",
    "from my phone", "no virus found", "scanned by", "checked by",
};

/* Phrases of notices; one is enough. Folded. */
static const char *const strong_phrases[] = {
    "intended recipient", "intended only for", "intended solely for",
    "intended for the addressee", "intended addressee", "named addressee",
    "addressee only", "if you are not the", "received this email in error",
    "received this e-mail in error", "received this message in error",
    "received it in error", "strictly confidential", "legally privileged",
    "is confidential", "are confidential", "confidentiality notice",
    "may contain confidential", "contains confidential",
    "contain confidential", "privileged and", "proprietary information",
    "unauthorised use", "unauthorized use", "unauthorised disclosure",
    "unauthorized disclosure", "unauthorized review", "any dissemination",
    "before printing", "before you print", "think before",
    "consider the environment", "environment before", "save a tree",
    "scanned for viruses", "scanned by", "has been checked", "virus scan",
    "virus check", "free from viruses", "free of viruses", "no virus",
    "accepts no liability", "accept no liability", "accept liability",
    "no responsibility", "is not bound by", "not legally binding",
    "do not necessarily represent", "do not necessarily reflect",
    "views expressed", "email disclaimer", "e-mail disclaimer", "disclaimer:",
    "this email and any", "this e-mail and any", "this message and any",
    "this email is ", "this e-mail is ", "this communication is",
    "this transmission", "this email originated", "originated from outside",
    "outside your organization", "outside of your organization",
    "outside the organization", "outside of the organization",
    "do not click", "external email", "external sender", "[external]",
    "caution:", "you don't often get email", "learn why this is important",
    "monitored for", "reserves the right to monitor", "may be monitored",
    "to unsubscribe", "unsubscribe from", "manage preferences",
    "mailing list", "privacy policy", "privacy notice", "privacy statement",
    "personal data", "data protection", "gdpr",
    "diese e-mail enthalt", "diese e-mail ist", "diese nachricht enthalt",
    "diese nachricht ist", "dieser e-mail", "vertrauliche", "vertraulich",
    "irrtumlich", "nicht der richtige adressat", "nicht der beabsichtigte",
    "ausschliesslich fur den", "rechtlich geschutzt", "unbefugte",
    "umwelt", "bevor sie diese", "ausdrucken", "datenschutzhinweise",
    "datenschutzerklarung", "informationen zum datenschutz",
    "informationen zur verarbeitung", "virengepruft", "auf viren",
    "ce message", "ce courriel", "cet e-mail", "cet email", "ce mail",
    "est confidentiel", "strictement confidentiel", "confidentielles",
    "destinataire", "par erreur", "n'imprimez", "avant d'imprimer",
    "pensez a l'environnement", "pensez a la planete", "imprimer ce",
    "absence de virus", "protection des donnees",
    "este mensaje", "este correo", "el presente correo", "es confidencial",
    "informacion confidencial", "confidencial", "destinatario", "por error",
    "antes de imprimir", "medio ambiente", "proteccion de datos",
    "aviso legal", "aquest missatge", "aquest correu", "medi ambient",
    "esta mensagem", "este e-mail", "este email", "informacoes confidenciais",
    "antes de imprimir", "meio ambiente", "protecao de dados",
    "questo messaggio", "questa e-mail", "questa email", "presente messaggio",
    "presente e-mail", "riservat", "prima di stampare", "per errore",
    "rispetta l'ambiente", "tutela della privacy", "2016/679", "196/2003",
    "dit bericht", "deze e-mail", "deze email", "dit e-mailbericht",
    "vertrouwelijk", "geadresseerde", "abusievelijk", "alvorens te printen",
    "voordat u deze", "denk aan het milieu", "disclaimer",
    "detta meddelande", "detta e-post", "detta mejl", "konfidentiell",
    "avsedda mottagaren", "av misstag", "tank pa miljon",
    "personuppgifter", "denne e-post", "denne e-mail", "denne mail",
    "fortrolig", "ved en feil", "ved en fejl", "taenk pa miljoet",
    "tenk pa miljoet", "personopplysninger", "personoplysninger",
    "tama viesti", "tama sahkoposti", "luottamuksellinen", "vahingossa",
    "ta wiadomosc", "niniejsza wiadomosc", "poufn", "adresat", "omylkowo",
    "srodowisko", "danych osobowych", "tato zprava", "duvern", "omylem",
    "osobnich udaju", "tato sprava", "dovern", "ez az uzenet",
    "bizalmas", "acest mesaj", "acest e-mail", "confidential si",
    "ova poruka", "ovaj e-mail", "povjerljiv", "poverljiv",
    "това съобщение", "поверителн", "данное сообщение", "это сообщение",
    "конфиденциальн", "по ошибке", "це повідомлення", "конфіденційн",
    "το μηνυμα αυτο", "αυτο το μηνυμα", "εμπιστευτικ", "περιβαλλον",
    "bu e-posta", "bu mesaj", "bu elektronik", "gizli", "cevreyi",
    "e-mel ini", "email ini", "surel ini", "rahasia",
    "本メール", "このメール", "機密", "誤って", "本邮件", "本郵件", "保密",
    "机密", "환경", "본 메일", "본 이메일", "기밀", "비밀",
};

static bool
begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* "~ Sent from my iPhone", "[Sent from ...]" */
static const char *
skip_marks(const char *text)
{
    while (*text != '\0' && strchr(" *_-~<[(>|.", *text) != NULL)
        text++;
    return text;
}

static bool
is_client_line(const char *folded, size_t len)
{
    const char *text = skip_marks(folded);
    if (len > 160)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(client_lines); i++)
        if (begins(text, client_lines[i])) {
            /* "sent via ...", "gesendet von ..." name a program; a sentence
             * that merely begins so goes on */
            return len <= 70 || strstr(text, "http") != NULL ||
                   strstr(text, "outlook") != NULL ||
                   strstr(text, "avast") != NULL || strstr(text, "avg") != NULL;
        }
    return false;
}

/* The first byte of each phrase, so that a scan of a line tries few of them. */
typedef struct {
    guint16 start[257];
    guint16 order[G_N_ELEMENTS(strong_phrases)];
} Index;

static bool
has_strong_phrase(const char *folded)
{
    for (size_t i = 0; i < G_N_ELEMENTS(strong_phrases); i++)
        if (strstr(folded, strong_phrases[i]) != NULL)
            return true;
    return false;
}

static bool
looks_prose(const Line *line)
{
    return line->len > 60 || strchr(".;:,)", line->text[line->len - 1]) != NULL;
}

static bool
line_is_notice(const Line *line, const char *folded)
{
    /* Short lines are rarely notices, unless they say so outright. */
    if (line->len < 25 && !begins(folded, "disclaimer") &&
        !begins(folded, "caution") && !begins(folded, "[external") &&
        !begins(folded, "confidential") && !words_has_cjk(line->text, line->len))
        return false;
    return has_strong_phrase(folded);
}

void
disclaimer_mark(Body *body)
{
    bool notice = false;    /* inside one */
    size_t blank = 0;
    size_t after = 0; /* non-empty own lines seen before */
    for (size_t i = 0; i < body->n_lines; i++) {
        Line *line = &body->lines[i];
        if (line->zone != ZONE_OWN) {
            notice = false;
            continue;
        }
        if (line->len == 0) {
            blank++;
            continue;
        }
        bool separate = blank > 0 || (line->flags & LINE_PARAGRAPH);
        blank = 0;
        char folded[DISCLAIMER_BYTES];
        size_t n = words_fold(line->text, line->len, folded, sizeof folded);
        if (is_client_line(folded, n)) {
            line->zone = ZONE_DISCLAIMER;
            notice = false;
            continue;
        }
        /* Notices stand apart or are long; the author's first lines only when
         * they are a gateway's banner. */
        bool banner = after == 0 && (strstr(folded, "external") != NULL ||
                                     begins(folded, "caution") ||
                                     strstr(folded, "often get email") != NULL ||
                                     strstr(folded, "originated") != NULL);
        if (banner || (after > 0 && line_is_notice(line, folded))) {
            line->zone = ZONE_DISCLAIMER;
            notice = true;
            continue;
        }
        if (notice && (!separate || line->len > 120) && looks_prose(line)) {
            line->zone = ZONE_DISCLAIMER; /* wrapped */
            continue;
        }
        if (notice && !separate && !looks_prose(line)) {
            line->zone = ZONE_DISCLAIMER; /* its last line */
            notice = false;
            continue;
        }
        notice = false;
        after++;
    }
}

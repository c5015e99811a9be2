/*
 * language.c - the guess
 *
 * Scripts that one language has to itself decide at once (kana, Hangul, Thai,
 * Hebrew, Greek). Latin, Cyrillic, Arabic and Han texts are told apart by
 * their most frequent words, looked up in one hash table, and by letters that
 * few languages have. A word that several languages share counts for each of
 * them less than one that belongs to one alone.
 */
#include "config.h"

#include "analysis/language.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const struct {
    const char *lang;
    const char *words;
} frequent[] = {
    { "en", "the and you your to of is are this that for from with not please "
            "we our be have has was were will would can could it i my me an "
            "any by on at if do does don't hi hello thanks thank regards dear "
            "would like about there what when which been just take off list "
            "them they all no out get stop these now "
            "remove unsubscribe emails" },
    { "de", "der die das und ist nicht ich sie wir mich mir uns bitte aus dem "
            "den von zu zur zum mit für auf ein eine einen ihre ihren ihrem "
            "ihr mehr keine kein auch noch wird werden haben habe hat sind "
            "wie bei oder hallo danke vielen dank grüße gruß guten tag "
            "freundlichen sehr geehrte mein meine meiner können möchte "
            "nicht wurde dass daß über schon nur weitere" },
    { "fr", "le la les des du et est une un je vous nous ne pas plus de votre "
            "vos mon ma mes me pour dans sur avec ce cette que qui par bonjour "
            "merci cordialement bien au aux recevoir veuillez adresse suis "
            "avons être été ou où votre s'il svp plaît" },
    { "es", "el la los las de y es una un no por favor que en con para su sus "
            "mi mis me hola gracias saludos buenos días del se lo al más "
            "esta este como pero está ya quiero correo usted ustedes "
            "nuestra nuestro muy estoy dejen quiten les agradecería siento "
            "gustaría recibir baja suscripción envíen" },
    { "pt", "o a os as de e é uma um não por favor que em com para seu sua "
            "meu minha me olá obrigado obrigada do da dos das no na ao mais "
            "esta este como mas está já quero você vocês lista gostaria "
            "são bom dia boa tarde nossa nosso atenciosamente abraço" },
    { "it", "il la lo gli le di e è una un non per favore che in con mi mio "
            "mia vostra vostro vostre vi ciao grazie saluti buongiorno del "
            "della dei delle dalla dal al più questa questo come ma sono "
            "cordiali vorrei prego salve desidero dalla nostra nostro "
            "ho avete alla si anche" },
    { "nl", "de het een en is niet ik u uw we wij mij me ons van voor met op "
            "dat die dit te om aan er geen meer graag naar bij ook maar als "
            "hallo dank bedankt groet groeten met vriendelijke goedemorgen "
            "beste jullie mijn deze wil kunt kan zijn hebben heb uit "
            "alstublieft aub zou kunnen worden" },
    { "sv", "och att det är inte jag ni er vi mig oss från för med på en ett "
            "som av till har den hej tack vänliga hälsningar mvh min mitt "
            "mina kan vill vara om ska inga fler längre era ert denna detta "
            "eller men också gärna nu så någon snälla ta bort" },
    { "da", "og at det er ikke jeg i jer vi mig os fra for med på en et som af "
            "til har den hej tak venlig hilsen mvh min mit mine kan vil være "
            "om skal ingen flere længere jeres denne dette eller men også "
            "gerne nu så venligst meget hvad hvor hvordan bedes fra af "
            "nogen må få" },
    { "nb", "og at det er ikke jeg dere vi meg oss fra for med på en et som av "
            "til har den hei takk vennlig hilsen mvh min mitt mine kan vil "
            "være om skal ingen flere lenger deres denne dette eller men "
            "også gjerne nå så vennligst hva hvor hvordan noe noen må få "
            "ønsker fra av eg ikkje dykk frå fleire noko" },
    { "fi", "ja on ei en että se hän me te minä minun olen olla ole mutta kun "
            "jos tämä nämä teidän meidän hei kiitos terveisin ystävällisin "
            "pois minut minulle enää halua haluan voisitteko voitteko "
            "pyydän moi kuin myös ovat tai sekä vielä nyt lisää" },
    { "pl", "i w z na do nie się to jest że o od po dla za jak proszę mnie mi "
            "moj mój moje dzień dobry dziękuję pozdrawiam państwa nas czy "
            "już tej tego które ale są oraz jestem chcę nam ma będzie "
            "witam więcej adres przez" },
    { "cs", "a v na s z do ne se to je že o od po pro za jak prosím mě mi můj "
            "moji dobrý den děkuji pozdravem vás nás jsem jsme ale nebo "
            "už které také jsou bych si váš vaše vaší ze není být k "
            "chci nechci ještě adresu" },
    { "sk", "a v na s z do nie sa to je že o od po pre za ako prosím ma mi môj "
            "moju dobrý deň ďakujem pozdravom vás nás som sme ale alebo už "
            "ktoré tiež sú by si váš vaše zo nechcem chcem ešte adresu "
            "zoznamu byť k" },
    { "hu", "a az és nem hogy is egy ez ezt kérem kérjük nekem engem önök "
            "üdvözlettel köszönöm tisztelt jó napot vagyok szeretnék többé "
            "már van meg el le címemet címet levelet listáról kell csak "
            "de ha nincs vagy a további szeretném üdv szia" },
    { "ro", "și si de la în nu să vă rog mă mi pe cu din pentru un o este sunt "
            "bună ziua mulțumesc dumneavoastră adresa mea meu nu mai care "
            "ce dar sau vreau doresc am ați fi lista al ale vă "
            "stimate cum" },
    { "tr", "ve bir bu için ile de da mi ne çok lütfen beni benim bana ben biz "
            "size sizin merhaba teşekkürler saygılarımla iyi günler değil "
            "istemiyorum istiyorum var yok daha artık olarak mısınız misiniz "
            "ama gibi kadar sonra adresimi e-posta ediyorum rica" },
    { "vi", "tôi không và của là có cho các này được với xin vui lòng cảm ơn "
            "chào anh chị em những nữa thư khỏi danh sách muốn nhận gửi "
            "quý công ty hãy đừng ạ bạn một để từ đã trong" },
    { "id", "yang dan di ke dari ini itu untuk tidak saya kami anda dengan "
            "mohon tolong terima kasih selamat pagi siang bapak ibu ada "
            "akan sudah bisa lagi jangan dapat pada atau juga "
            "hormat salam apakah tersebut karena nama kirim iklan gak usah "
            "nggak aja dong mau" },
    { "ru", "и в не на что с по это я вы мы меня мне вас нас из для как у за "
            "от пожалуйста здравствуйте добрый день спасибо уважением больше "
            "прошу мой мою ваш ваши вашу хочу уже или но же был есть если "
            "рассылки только ещё еще" },
    { "uk", "і в не на що з по це я ви ми мене мені вас нас із для як у за від "
            "будь ласка добрий день дякую повагою більше прошу мій мою ваш "
            "ваші хочу вже або але ж був є якщо розсилки тільки ще та "
            "доброго дня вітаю до чи" },
    { "bg", "и в не на че с по това аз вие ние мен ми вас нас от за как моля "
            "здравейте добър ден благодаря поздрави повече ще съм са" },
};

enum {
    N_LANGUAGES = G_N_ELEMENTS(frequent),
    TABLE_SIZE = 4096,
    WORD_BYTES = 26, /* of a word count, and the rest of the last letter */
};

/* Eight bytes: the table is to stay in the processor's cache. */
typedef struct {
    uint32_t hash; /* 0: free */
    uint32_t languages;
} Entry;

static const Entry *table;

/* FNV-1a, a byte at a time; | 1 when the word is complete. */
#define HASH_SEED UINT32_C(0x811c9dc5)

static inline uint32_t
hash_byte(uint32_t h, char byte)
{
    return (h ^ (unsigned char) byte) * UINT32_C(0x01000193);
}

static uint32_t
hash_bytes(uint32_t h, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        h = hash_byte(h, bytes[i]);
    return h;
}

/* The entry of this word, or the free one where it belongs. */
static size_t
slot_of(const Entry *entries, uint32_t hash)
{
    size_t slot = (hash >> 12) % TABLE_SIZE;

    while (entries[slot].hash != 0 && entries[slot].hash != hash)
        slot = (slot + 1) % TABLE_SIZE;
    return slot;
}

static const Entry *
make_table(void)
{
    Entry *t = g_new0(Entry, TABLE_SIZE);

    for (size_t l = 0; l < N_LANGUAGES; l++) {
        for (const char *p = frequent[l].words; *p != '\0';) {
            size_t n = strcspn(p, " ");
            uint32_t h = hash_bytes(HASH_SEED, p, n) | 1;
            size_t slot = slot_of(t, h);
            t[slot].hash = h;
            t[slot].languages |= UINT32_C(1) << l;
            p += n;
            p += strspn(p, " ");
        }
    }
    return t;
}

/* Letters that few languages have. */
static const struct {
    const char *letters;
    const char *languages; /* as in `frequent`, with a blank between */
} hints[] = {
    { "ß", "de" },
    { "ñ", "es" },
    { "ãõ", "pt" },
    { "łąęśźż", "pl" },
    { "řěů", "cs" },
    { "ľĺŕ", "sk" },
    { "őű", "hu" },
    { "șță", "ro" },
    { "ğış", "tr" },
    { "đơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ", "vi" },
    { "å", "sv da nb" },
    { "ø", "da nb" },
    { "æ", "da nb" },
    { "äö", "de sv fi" },
    { "ü", "de tr hu" },
    { "œ", "fr" },
    { "іїєґ", "uk" },
    { "ыэё", "ru" },
    { "ъ", "bg" },
};

enum { MAX_HINT_LETTER = 0x1f00 };
static const uint32_t *hint_table;

static uint32_t
language_mask(const char *names)
{
    uint32_t mask = 0;

    for (size_t l = 0; l < N_LANGUAGES; l++) {
        for (const char *p = names; *p != '\0'; p += *p == ' ') {
            size_t n = strcspn(p, " ");
            if (n == strlen(frequent[l].lang) &&
                strncmp(p, frequent[l].lang, n) == 0)
                mask |= UINT32_C(1) << l;
            p += n;
        }
    }
    return mask;
}

static const uint32_t *
make_hints(void)
{
    uint32_t *t = g_new0(uint32_t, MAX_HINT_LETTER);

    for (size_t i = 0; i < G_N_ELEMENTS(hints); i++) {
        uint32_t mask = language_mask(hints[i].languages);
        for (const char *p = hints[i].letters; *p != '\0';
             p = g_utf8_next_char(p))
            t[g_utf8_get_char(p)] |= mask;
    }
    return t;
}

static void
make_tables(void)
{
    static gsize made = 0;

    if (g_once_init_enter(&made)) {
        table = make_table();
        hint_table = make_hints();
        g_once_init_leave(&made, 1);
    }
}

static void
add(unsigned *scores, uint32_t languages, unsigned weight)
{
    while (languages != 0) {
        scores[__builtin_ctz(languages)] += weight;
        languages &= languages - 1;
    }
}

/* A word of one language tells more than one of several. */
static unsigned
weight_of(uint32_t languages)
{
    int n = __builtin_popcount(languages);
    return n <= 1 ? 6 : n == 2 ? 3 : n == 3 ? 2 : 1;
}

typedef struct {
    unsigned latin, cyrillic, greek, hebrew, arabic, thai, kana, hangul, han,
        simplified, traditional;
} Scripts;

static const char *
by_script(const Scripts *s)
{
    unsigned all = s->latin + s->cyrillic + s->greek + s->hebrew + s->arabic +
                   2 * (s->kana + s->hangul + s->han) + s->thai;

    if (s->kana > 0 && 4 * (s->kana + s->han) * 2 > all)
        return "ja";
    if (s->hangul * 8 > all)
        return "ko";
    if (s->han * 6 > all)
        return s->traditional > s->simplified ? "zh-Hant" : "zh-Hans";
    if (s->thai * 4 > all)
        return "th";
    if (s->hebrew * 3 > all)
        return "he";
    if (s->arabic * 3 > all)
        return "ar";
    if (s->greek * 3 > all)
        return "el";
    return NULL;
}

const char *
language_guess(const char *text, size_t len)
{
    static const char traditional[] = "們個這來對請謝嗎麼訂閱發郵電訊將從單刪會"
                                      "員寄關廣還沒錯誤離職應給讓傳過為與無後"
                                      "裡聯絡資務點時間問題話說您貴";
    static const char simplified[] =
        "们个这来对请谢吗么订阅发邮电讯将从单删会员"
        "关广还没错误离职应给让传过为与无后里联络资"
        "务点时间问题话说贵";
    unsigned scores[N_LANGUAGES] = { 0 };
    Scripts s = { 0 };
    uint32_t hash = HASH_SEED; /* of the first n bytes of the word */
    size_t n = 0, words = 0;

    make_tables();
    len = MIN(len, (size_t) LANGUAGE_MAX_TEXT);
    for (size_t i = 0; i <= len;) {
        /* the letters of an ASCII word at once */
        while (i < len && n < WORD_BYTES) {
            unsigned char lower = (unsigned char) text[i] | 0x20;
            if (lower < 'a' || lower > 'z')
                break;
            hash = hash_byte(hash, (char) lower);
            n++;
            s.latin++;
            i++;
        }
        gunichar c = i < len ? (unsigned char) text[i] : ' ';
        size_t step = 1;
        if (c >= 0x80) {
            c = g_utf8_get_char_validated(text + i, (gssize) (len - i));
            if (c == (gunichar) -1 || c == (gunichar) -2) {
                i++;
                continue;
            }
            step = (size_t) g_unichar_to_utf8(c, NULL);
        }
        bool letter = false;
        if (c < 0x80) {
            gunichar lower = c | 0x20;
            letter = lower >= 'a' && lower <= 'z';
            if (letter)
                c = lower;
            letter |= c == '\'' && n > 0;
            s.latin += letter;
        } else if (c == 0x2019 && n > 0) {
            c = '\'';
            letter = true;
        } else if (c < 0x3000 && g_unichar_isalpha(c)) {
            letter = true;
            c = g_unichar_tolower(c);
            if (c < 0x250 || (c >= 0x1e00 && c < 0x1f00))
                s.latin++;
            else if (c < 0x400 || c >= 0x1f00)
                s.greek++;
            else if (c < 0x530)
                s.cyrillic++;
            else if (c >= 0x590 && c < 0x600)
                s.hebrew++;
            else if (c >= 0x600 && c < 0x780)
                s.arabic++;
            else if (c >= 0xe00 && c < 0xe80)
                s.thai++;
            if (c < MAX_HINT_LETTER && hint_table[c] != 0)
                add(scores, hint_table[c],
                    (hint_table[c] & (hint_table[c] - 1)) == 0 ? 3 : 1);
        } else if (c >= 0x3040 && c < 0x3100) {
            s.kana++;
        } else if (c >= 0x4e00 && c < 0xa000) {
            char one[8] = { 0 };
            s.han++;
            (void) g_unichar_to_utf8(c, one);
            bool t = strstr(traditional, one) != NULL;
            bool m = strstr(simplified, one) != NULL;
            s.traditional += t && !m;
            s.simplified += m && !t;
        } else if (c >= 0xac00 && c < 0xd7b0) {
            s.hangul++;
        }
        if (letter && n < WORD_BYTES) {
            char bytes[6] = { (char) c };
            size_t n_bytes =
                c < 0x80 ? 1 : (size_t) g_unichar_to_utf8(c, bytes);
            hash = hash_bytes(hash, bytes, n_bytes);
            n += n_bytes;
        } else if (!letter && n > 0) {
            const Entry *e = &table[slot_of(table, hash | 1)];
            if (e->languages != 0)
                add(scores, e->languages, weight_of(e->languages));
            words++;
            n = 0;
            hash = HASH_SEED;
        }
        i += step;
    }

    const char *script = by_script(&s);
    if (script != NULL)
        return script;
    size_t best = 0;
    unsigned second = 0;
    for (size_t l = 1; l < N_LANGUAGES; l++) {
        if (scores[l] > scores[best])
            best = l;
    }
    for (size_t l = 0; l < N_LANGUAGES; l++) {
        if (l != best)
            second = MAX(second, scores[l]);
    }
    if (scores[best] < 6 || scores[best] == second || words == 0)
        return "";
    return frequent[best].lang;
}

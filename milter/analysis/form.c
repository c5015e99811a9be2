/*
 * form.c - labels of form fields, in the languages that our users' sites have
 *
 * A relay is recognised by three things together: Reply-To: is another mailbox
 * than From:, the body has at least two labelled fields, and one of them holds
 * the Reply-To: address. Each alone also occurs in mail that people write.
 */
#include "analysis/form.h"

#include "analysis/words.h"

#include <string.h>

typedef enum {
    KIND_NAME,
    KIND_FIRST,
    KIND_LAST,
    KIND_EMAIL,
    KIND_PHONE,
    KIND_MOBILE,
    KIND_COMPANY,
    KIND_TITLE,
    KIND_ADDRESS,
    KIND_WEBSITE,
    KIND_MESSAGE,
    N_KINDS,
} Kind;

/* Folded labels of form fields (generators' defaults and translations). */
static const struct {
    const char *label;
    Kind kind;
} labels[] = {
    { "name", KIND_NAME },
    { "full name", KIND_NAME },
    { "contact name", KIND_NAME },
    { "contact person", KIND_NAME },
    { "contact", KIND_NAME },
    { "from", KIND_NAME },
    { "sender", KIND_NAME },
    { "customer name", KIND_NAME },
    { "vor- und nachname", KIND_NAME },
    { "vollstandiger name", KIND_NAME },
    { "ansprechpartner", KIND_NAME },
    { "nom", KIND_NAME },
    { "nom complet", KIND_NAME },
    { "nom et prenom", KIND_NAME },
    { "nombre", KIND_NAME },
    { "nombre completo", KIND_NAME },
    { "nombre y apellidos", KIND_NAME },
    { "nome", KIND_NAME },
    { "nome completo", KIND_NAME },
    { "nome e cognome", KIND_NAME },
    { "naam", KIND_NAME },
    { "volledige naam", KIND_NAME },
    { "namn", KIND_NAME },
    { "navn", KIND_NAME },
    { "nimi", KIND_NAME },
    { "imie i nazwisko", KIND_NAME },
    { "jmeno", KIND_NAME },
    { "jmeno a prijmeni", KIND_NAME },
    { "nev", KIND_NAME },
    { "имя", KIND_NAME },
    { "фио", KIND_NAME },
    { "ονομα", KIND_NAME },
    { "ad soyad", KIND_NAME },
    { "adiniz", KIND_NAME },
    { "nama", KIND_NAME },
    { "お名前", KIND_NAME },
    { "氏名", KIND_NAME },
    { "名前", KIND_NAME },
    { "姓名", KIND_NAME },
    { "이름", KIND_NAME },
    { "성함", KIND_NAME },
    { "first name", KIND_FIRST },
    { "firstname", KIND_FIRST },
    { "given name", KIND_FIRST },
    { "vorname", KIND_FIRST },
    { "prenom", KIND_FIRST },
    { "voornaam", KIND_FIRST },
    { "fornamn", KIND_FIRST },
    { "fornavn", KIND_FIRST },
    { "etunimi", KIND_FIRST },
    { "imie", KIND_FIRST },
    { "primeiro nome", KIND_FIRST },
    { "last name", KIND_LAST },
    { "lastname", KIND_LAST },
    { "surname", KIND_LAST },
    { "family name", KIND_LAST },
    { "nachname", KIND_LAST },
    { "familienname", KIND_LAST },
    { "nom de famille", KIND_LAST },
    { "apellidos", KIND_LAST },
    { "apellido", KIND_LAST },
    { "cognome", KIND_LAST },
    { "sobrenome", KIND_LAST },
    { "apelido", KIND_LAST },
    { "achternaam", KIND_LAST },
    { "efternamn", KIND_LAST },
    { "efternavn", KIND_LAST },
    { "etternavn", KIND_LAST },
    { "sukunimi", KIND_LAST },
    { "nazwisko", KIND_LAST },
    { "prijmeni", KIND_LAST },
    { "email", KIND_EMAIL },
    { "e-mail", KIND_EMAIL },
    { "mail", KIND_EMAIL },
    { "email address", KIND_EMAIL },
    { "e-mail address", KIND_EMAIL },
    { "contact email", KIND_EMAIL },
    { "emailadresse", KIND_EMAIL },
    { "e-mail-adresse", KIND_EMAIL },
    { "e-mailadres", KIND_EMAIL },
    { "adresse e-mail", KIND_EMAIL },
    { "adresse mail", KIND_EMAIL },
    { "courriel", KIND_EMAIL },
    { "correo", KIND_EMAIL },
    { "correo electronico", KIND_EMAIL },
    { "indirizzo email", KIND_EMAIL },
    { "e-post", KIND_EMAIL },
    { "epost", KIND_EMAIL },
    { "sahkoposti", KIND_EMAIL },
    { "adres e-mail", KIND_EMAIL },
    { "эл. почта", KIND_EMAIL },
    { "почта", KIND_EMAIL },
    { "メールアドレス", KIND_EMAIL },
    { "メール", KIND_EMAIL },
    { "邮箱", KIND_EMAIL },
    { "電子郵件", KIND_EMAIL },
    { "이메일", KIND_EMAIL },
    { "reply-to", KIND_EMAIL },
    { "phone", KIND_PHONE },
    { "phone number", KIND_PHONE },
    { "telephone", KIND_PHONE },
    { "telephone number", KIND_PHONE },
    { "contact number", KIND_PHONE },
    { "contact phone", KIND_PHONE },
    { "tel", KIND_PHONE },
    { "ph", KIND_PHONE },
    { "telefon", KIND_PHONE },
    { "telefonnummer", KIND_PHONE },
    { "telefono", KIND_PHONE },
    { "telefone", KIND_PHONE },
    { "telefoon", KIND_PHONE },
    { "telefoonnummer", KIND_PHONE },
    { "numero de telephone", KIND_PHONE },
    { "puhelin", KIND_PHONE },
    { "телефон", KIND_PHONE },
    { "τηλεφωνο", KIND_PHONE },
    { "電話番号", KIND_PHONE },
    { "電話", KIND_PHONE },
    { "电话", KIND_PHONE },
    { "전화번호", KIND_PHONE },
    { "연락처", KIND_PHONE },
    { "mobile", KIND_MOBILE },
    { "mobile number", KIND_MOBILE },
    { "mobile phone", KIND_MOBILE },
    { "cell", KIND_MOBILE },
    { "cell phone", KIND_MOBILE },
    { "handy", KIND_MOBILE },
    { "mobil", KIND_MOBILE },
    { "portable", KIND_MOBILE },
    { "movil", KIND_MOBILE },
    { "celular", KIND_MOBILE },
    { "telemovel", KIND_MOBILE },
    { "cellulare", KIND_MOBILE },
    { "携帯電話", KIND_MOBILE },
    { "手机", KIND_MOBILE },
    { "手機", KIND_MOBILE },
    { "company", KIND_COMPANY },
    { "company name", KIND_COMPANY },
    { "organisation", KIND_COMPANY },
    { "organization", KIND_COMPANY },
    { "organisation name", KIND_COMPANY },
    { "business", KIND_COMPANY },
    { "business name", KIND_COMPANY },
    { "firma", KIND_COMPANY },
    { "unternehmen", KIND_COMPANY },
    { "societe", KIND_COMPANY },
    { "entreprise", KIND_COMPANY },
    { "empresa", KIND_COMPANY },
    { "azienda", KIND_COMPANY },
    { "bedrijf", KIND_COMPANY },
    { "bedrijfsnaam", KIND_COMPANY },
    { "foretag", KIND_COMPANY },
    { "virksomhed", KIND_COMPANY },
    { "yritys", KIND_COMPANY },
    { "компания", KIND_COMPANY },
    { "会社名", KIND_COMPANY },
    { "公司", KIND_COMPANY },
    { "회사", KIND_COMPANY },
    { "회사명", KIND_COMPANY },
    { "job title", KIND_TITLE },
    { "position", KIND_TITLE },
    { "role", KIND_TITLE },
    { "funktion", KIND_TITLE },
    { "fonction", KIND_TITLE },
    { "cargo", KIND_TITLE },
    { "functie", KIND_TITLE },
    { "address", KIND_ADDRESS },
    { "postal address", KIND_ADDRESS },
    { "anschrift", KIND_ADDRESS },
    { "adresse", KIND_ADDRESS },
    { "direccion", KIND_ADDRESS },
    { "indirizzo", KIND_ADDRESS },
    { "website", KIND_WEBSITE },
    { "web site", KIND_WEBSITE },
    { "webseite", KIND_WEBSITE },
    { "site web", KIND_WEBSITE },
    { "message", KIND_MESSAGE },
    { "comments", KIND_MESSAGE },
    { "comment", KIND_MESSAGE },
    { "enquiry", KIND_MESSAGE },
    { "inquiry", KIND_MESSAGE },
    { "nachricht", KIND_MESSAGE },
    { "mitteilung", KIND_MESSAGE },
    { "mensaje", KIND_MESSAGE },
    { "mensagem", KIND_MESSAGE },
    { "messaggio", KIND_MESSAGE },
    { "bericht", KIND_MESSAGE },
    { "meddelande", KIND_MESSAGE },
    { "besked", KIND_MESSAGE },
    { "viesti", KIND_MESSAGE },
    { "wiadomosc", KIND_MESSAGE },
    { "сообщение", KIND_MESSAGE },
    { "お問い合わせ内容", KIND_MESSAGE },
    { "内容", KIND_MESSAGE },
    { "留言", KIND_MESSAGE },
};

enum { LABEL_MAX = 60, LINES_MAX = 300 };

static bool
label_kind(const char *text, size_t len, Kind *out)
{
    static const char *const possessives[] = { "your ",  "ihre ", "ihr ",
                                               "votre ", "your",  "su ",
                                               "tu ",    "uw " };
    char folded[LABEL_MAX + 1];
    if (len == 0 || len > LABEL_MAX)
        return false;
    size_t n = words_fold(text, len, folded, sizeof folded);
    char *label = folded;
    /* "Name *", "Name (required)", "[Name]", "1. Name" */
    char *paren = memchr(label, '(', n);
    if (paren != NULL && paren > label)
        *paren = '\0';
    g_strstrip(label);
    while (*label != '\0' && strchr("*[#-. 0123456789", *label) != NULL)
        label++;
    n = strlen(label);
    while (n > 0 && strchr("*]:. ", label[n - 1]) != NULL)
        label[--n] = '\0';
    for (size_t i = 0; i < G_N_ELEMENTS(possessives); i++)
        if (g_str_has_prefix(label, possessives[i]) &&
            possessives[i][strlen(possessives[i]) - 1] == ' ') {
            label += strlen(possessives[i]);
            break;
        }
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++)
        if (strcmp(label, labels[i].label) == 0) {
            *out = labels[i].kind;
            return true;
        }
    return false;
}

/* Length of the label before ':' (also the full-width one), 0 for none. */
static size_t
label_length(const Line *line, size_t *out_value)
{
    size_t max = MIN(line->len, (size_t) LABEL_MAX + 3);
    for (size_t i = 1; i < max; i++) {
        if (line->text[i] == ':') {
            *out_value = i + 1;
            return i;
        }
        if (i + 3 <= line->len &&
            memcmp(line->text + i, "\xef\xbc\x9a", 3) == 0) {
            *out_value = i + 3;
            return i;
        }
    }
    return 0;
}

static void
set_field(FormField *field, const char *text, size_t len, const char *line)
{
    while (len > 0 && g_ascii_isspace(*text)) {
        text++;
        len--;
    }
    while (len > 0 && g_ascii_isspace(text[len - 1]))
        len--;
    if (field == NULL || field->text != NULL || len == 0 || len > 200)
        return;
    field->text = text;
    field->len = len;
    field->line = line;
}

static FormField *
field_of(Form *form, Kind kind)
{
    switch (kind) {
    case KIND_NAME:
        return &form->name;
    case KIND_FIRST:
        return &form->first_name;
    case KIND_LAST:
        return &form->last_name;
    case KIND_PHONE:
        return &form->phone;
    case KIND_MOBILE:
        return &form->mobile;
    case KIND_COMPANY:
        return &form->company;
    case KIND_TITLE:
        return &form->title;
    case KIND_ADDRESS:
        return &form->address;
    case KIND_WEBSITE:
        return &form->website;
    case KIND_EMAIL:
    case KIND_MESSAGE:
    case N_KINDS:
        break;
    }
    return NULL;
}

static bool
has_address(const char *text, size_t len, const char *email)
{
    char folded[400];
    g_autofree char *wanted = g_ascii_strdown(email, -1);
    size_t n = words_fold(text, len, folded, sizeof folded);
    return g_strstr_len(folded, (gssize) n, wanted) != NULL;
}

bool
form_find(const Message *message, const Body *body, Form *out)
{
    memset(out, 0, sizeof *out);
    if (body == NULL || message->reply_to.n != 1 || message->from.n == 0)
        return false;
    const Mailbox *person = &message->reply_to.items[0];
    if (person->email == NULL ||
        g_ascii_strcasecmp(person->email, message->from.items[0].email) == 0)
        return false;
    out->person = person;

    bool seen[N_KINDS] = { false };
    bool address = false;
    unsigned n_kinds = 0;
    size_t max = MIN(body->n_lines, (size_t) LINES_MAX);
    for (size_t i = 0; i < max; i++) {
        const Line *line = &body->lines[i];
        if (line->zone != ZONE_OWN && line->zone != ZONE_SIGNATURE)
            continue;
        size_t value = 0;
        size_t len = label_length(line, &value);
        Kind kind;
        if (len > 0 && label_kind(line->text, len, &kind)) {
            /* "Name: Ann", or the value on the line below */
            const Line *at = line;
            while (value < at->len && g_ascii_isspace(at->text[value]))
                value++;
            if (value >= at->len && i + 1 < max && kind != KIND_MESSAGE) {
                at = &body->lines[i + 1];
                value = 0;
            }
            if (!seen[kind])
                n_kinds++;
            seen[kind] = true;
            if (kind == KIND_EMAIL)
                address |= has_address(at->text + value, at->len - value,
                                       person->email);
            set_field(field_of(out, kind), at->text + value, at->len - value,
                      at->text);
            if (kind == KIND_MESSAGE)
                break; /* what follows is prose */
        } else if (len == 0 && line->len > 0 && line->len <= 30 &&
                   label_kind(line->text, line->len, &kind) && i + 1 < max) {
            /* table forms: the label alone on a line */
            const Line *at = &body->lines[i + 1];
            if (at->len == 0 && i + 2 < max)
                at = &body->lines[i + 2];
            if (!seen[kind])
                n_kinds++;
            seen[kind] = true;
            if (kind == KIND_EMAIL)
                address |= has_address(at->text, at->len, person->email);
            set_field(field_of(out, kind), at->text, at->len, at->text);
            if (kind == KIND_MESSAGE)
                break;
        }
    }
    return n_kinds >= 2 && seen[KIND_EMAIL] && address;
}

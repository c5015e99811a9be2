/*
 * contact.c - one contact out of header fields, signature and vCard
 *
 * The author is the From: mailbox, or the person in Reply-To: when a web form
 * wrote the mail. The signature's parts (card.h) are given out in this order:
 * the name, because it anchors the rest; numbers and links, which have a form of
 * their own; title; postal address; and what is left may be the company. A vCard
 * of the author fills what is missing. Nothing is read from quotations,
 * forwarded mail or other people's cards.
 *
 * Confidence starts with what each finder says and goes down when the signature
 * names another person or another address than the header.
 */
#include "analysis/contact.h"

#include <string.h>

#include "analysis/card.h"
#include "analysis/company.h"
#include "analysis/country.h"
#include "analysis/form.h"
#include "analysis/link.h"
#include "analysis/person.h"
#include "analysis/postal.h"
#include "analysis/signature.h"
#include "analysis/title.h"
#include "analysis/vcard.h"

enum { NAME_LINES = 8, LINKS_MAX = 8 };

/* --- name --------------------------------------------------------------------- */

/* The first of parts i.. that is a person's name, tried longest first; sets
 * *out_last. */
static bool
name_at(const Card *card, size_t i, const char *email, Person *out,
        size_t *out_last)
{
    size_t last = i;
    while (last + 1 < card->n_parts && last < i + 2 &&
           card->parts[last + 1].line == card->parts[i].line &&
           strchr("( ,", card->parts[last + 1].before) != NULL &&
           !(card->parts[last + 1].before == ',' && card->parts[i].n_words > 1))
        last++;
    for (;; last--) {
        const CardPart *a = &card->parts[i], *b = &card->parts[last];
        const char *text = card->lines[a->line].text;
        size_t end = b->end;
        if (last > i && text[end] == ')')
            end++;
        if (memchr(text + a->start, '\x01', end - a->start) == NULL &&
            person_from_line(text + a->start, end - a->start, email, out)) {
            *out_last = last;
            return true;
        }
        if (last == i)
            return false;
    }
}

/* Does the part hold the name of `person` in Han or Hangul? */
static bool
holds_cjk_name(const Card *card, const CardPart *part, const Person *person)
{
    if (!part->cjk || person->last == NULL || person->last[0] == '\0' ||
        person->first == NULL)
        return false;
    const char *text = card->lines[part->line].text + part->start;
    gssize len = (gssize) (part->end - part->start);
    g_autofree char *joined = g_strconcat(person->last, person->first, NULL);
    g_autofree char *spaced =
        g_strconcat(person->last, " ", person->first, NULL);
    return g_strstr_len(text, len, joined) != NULL ||
           g_strstr_len(text, len, spaced) != NULL;
}

/* Marks the part with the name; its index, or n_parts. *out is set when a name
 * could be read from it. */
static size_t
find_name(Card *card, const char *email, const Person *from, Person *out)
{
    size_t found = card->n_parts, weak = card->n_parts;
    size_t found_last = 0, weak_last = 0;
    size_t first_line = card->n_parts > 0 ? card->parts[0].line : 0;
    g_auto(Person) candidate = { 0 };
    for (size_t i = 0; i < card->n_parts; i++) {
        const CardPart *part = &card->parts[i];
        if (part->line >= NAME_LINES || part->role != PART_FREE ||
            (card->lines[part->line].flags & LINE_IMAGE_ALT))
            continue;
        if (from != NULL && holds_cjk_name(card, part, from)) {
            found = found_last = i;
            break;
        }
        if (part->before == '(')
            continue;
        g_auto(Person) person = { 0 };
        size_t last = i;
        if (!name_at(card, i, email, &person, &last))
            continue;
        if (from != NULL && person_same(&person, from)) {
            /* "Ann" above "Ann Example": the fuller one */
            if (found == card->n_parts || person_fuller(&person, &candidate)) {
                person_clear(&candidate);
                candidate = person;
                person = (Person){ 0 };
                found = i;
                found_last = last;
            }
            continue;
        }
        if (weak == card->n_parts && found == card->n_parts &&
            (person.confidence >= 0.75 || part->line == first_line) &&
            (person.last[0] != '\0' || part->line <= first_line + 1 ||
             from == NULL)) {
            weak = i;
            weak_last = last;
        }
    }
    if (found == card->n_parts && weak < card->n_parts) {
        found = weak;
        found_last = weak_last;
        person_clear(&candidate);
        (void) name_at(card, weak, email, &candidate, &found_last);
    }
    if (found == card->n_parts)
        return found;
    for (size_t i = found; i <= found_last; i++)
        card->parts[i].role = PART_NAME;
    /* letters after the name are no title */
    for (size_t i = found_last + 1;
         i < card->n_parts && card->parts[i].line == card->parts[found].line;
         i++) {
        Word words[CARD_WORDS];
        size_t n = card_words(card, &card->parts[i], words);
        bool letters = n > 0;
        for (size_t k = 0; k < n; k++)
            letters &= (words[k].classes & WORD_POSTNOMINAL) != 0;
        static const char *const pronouns[] = {
            "she/her", "he/him",       "they/them",  "she/they",
            "he/they", "sie/ihr",      "er/ihm",     "elle",
            "ella",    "she/her/hers", "he/him/his", "they/them/theirs"
        };
        for (size_t k = 0; k < G_N_ELEMENTS(pronouns) && n == 1; k++)
            letters |= strcmp(words[0].folded, pronouns[k]) == 0;
        if (letters)
            card->parts[i].role = PART_SPENT;
    }
    if (candidate.first != NULL) {
        *out = candidate;
        candidate = (Person){ 0 };
    }
    return found;
}

static void
set_name(Contact *contact, const Person *person, const char *evidence,
         const char *source, double confidence)
{
    field_set(&contact->first_name,
              person->first[0] != '\0' ? person->first : NULL, evidence,
              confidence);
    field_set(&contact->last_name,
              person->last[0] != '\0' ? person->last : NULL, evidence,
              confidence);
    contact->name_source = source;
}

/* A display-name that says nothing of the person who owns the address
 * ("Schedule Crawler" <pete.davis@...>). */
static bool
display_is_doubtful(const char *name, const char *email)
{
    Word words[PERSON_MAX_WORDS];
    size_t n = words_split(name, strlen(name), words, PERSON_MAX_WORDS);
    g_auto(Person) local = { 0 };
    if (!person_from_local_part(email, &local))
        return false;
    char folded[128];
    words_fold(email, strlen(email), folded, sizeof folded);
    char *at = strchr(folded, '@');
    if (at != NULL)
        *at = '\0';
    for (size_t i = 0; i < n; i++)
        if ((words[i].classes & WORD_GIVEN) || words[i].cjk ||
            (words[i].folded_len >= 3 &&
             strstr(folded, words[i].folded) != NULL) ||
            ((unsigned char) words[i].folded[0] & 0x80))
            return false;
    return true;
}

/* Does the address's local-part hold the name? */
static bool
local_part_has(const char *email, const char *name)
{
    char folded[64], local[128];
    size_t n = words_fold(name, strlen(name), folded, sizeof folded);
    (void) words_fold(email, strcspn(email, "@"), local, sizeof local);
    return n >= 3 && strstr(local, folded) != NULL;
}

/* Decides between the header's and the signature's name. True when they speak
 * of the same person or one is missing. */
static bool
choose_name(Contact *contact, const Mailbox *author, const Person *from,
            const Person *signature, const char *line)
{
    bool has_signature = signature->first != NULL;
    if (from != NULL && has_signature) {
        bool same = person_same(from, signature);
        /* "Virtanen Paivi", signed "Paivi Virtanen" */
        if (same && strchr(author->name, ',') == NULL &&
            g_ascii_strcasecmp(from->first, signature->last) == 0 &&
            g_ascii_strcasecmp(from->last, signature->first) == 0) {
            set_name(contact, signature, line, "signature", 0.85);
            return true;
        }
        /* "Virtanen Aino-Kaisa", signed "Aino-Kaisa" */
        if (signature->last[0] == '\0' && strchr(author->name, ',') == NULL &&
            from->last[0] != '\0' &&
            g_ascii_strcasecmp(from->last, signature->first) == 0 &&
            g_ascii_strcasecmp(from->first, signature->first) != 0 &&
            strchr(from->first, ' ') == NULL) {
            Person turned = { from->last, from->first, 0.85 };
            set_name(contact, &turned, line, "signature", 0.85);
            return true;
        }
        if (same && person_fuller(signature, from)) {
            set_name(contact, signature, line, "signature", 0.9);
            return true;
        }
        /* "Williams III", signed "Bill": the family name and the given */
        if (!same && from->last[0] == '\0' && signature->last[0] == '\0') {
            char folded[64];
            words_fold(from->first, strlen(from->first), folded, sizeof folded);
            if (g_str_has_prefix(author->email, folded)) {
                Person both = { signature->first, from->first, 0.75 };
                set_name(contact, &both, line, "signature", 0.75);
                return true;
            }
        }
        /* "Emeka (Lagos)" <emeka.okwu@...>, signed "Chukwuemeka Okwu" */
        if (!same && from->last[0] == '\0' && signature->last[0] != '\0' &&
            local_part_has(author->email, from->first) &&
            local_part_has(author->email, signature->last)) {
            Person both = { from->first, signature->last, 0.8 };
            set_name(contact, &both, line, "signature", 0.8);
            return true;
        }
        set_name(contact, from, author->name, "from", from->confidence);
        return same;
    }
    if (from != NULL) {
        set_name(contact, from, author->name, "from", from->confidence);
        return true;
    }
    if (has_signature)
        set_name(contact, signature, line, "signature",
                 MIN(signature->confidence, 0.85));
    return true;
}

/* --- numbers and links -------------------------------------------------------- */

static void
add_phone(Contact *contact, const PhoneNumber *number, PhoneType type,
          const char *extension, const char *evidence, double confidence)
{
    for (guint i = 0; i < contact->phones->len; i++) {
        Phone *known = &g_array_index(contact->phones, Phone, i);
        if (strcmp(known->number.value, number->e164) == 0)
            return;
    }
    Phone phone = { .type = type };
    field_set(&phone.number, number->e164, evidence, confidence);
    if (extension != NULL && extension[0] != '\0')
        phone.extension = g_strdup(extension);
    g_array_append_val(contact->phones, phone);
}

static PhoneType
type_of_kind(PhoneKind kind)
{
    return kind == PHONE_KIND_MOBILE ? PHONE_MOBILE : PHONE_WORK;
}

static void
take_phones(Contact *contact, const Card *card, const Countries *countries)
{
    for (size_t i = 0; i < card->n_phones; i++) {
        const PhoneMatch *match = &card->phones[i].match;
        add_phone(contact, &match->number, match->type, match->extension,
                  card->lines[card->phones[i].line].original,
                  match->international ? 0.95
                  : match->labelled    ? 0.9
                                       : 0.8);
    }
    /* tel: links know the country; a number that only they have is new */
    for (size_t i = 0; i < card->n_urls; i++) {
        if (card->urls[i].kind != LINK_PHONE)
            continue;
        PhoneNumber number;
        const char *text = card->urls[i].url;
        bool found = false;
        for (size_t k = 0; k < countries->n && !found; k++)
            found =
                phone_parse(text, MIN(strlen(text), (size_t) PHONE_TEXT_MAX),
                            countries->list[k], &number);
        if (!found)
            continue;
        bool known = false;
        size_t len = strlen(number.e164);
        for (guint k = 0; k < contact->phones->len && !known; k++) {
            Phone *phone = &g_array_index(contact->phones, Phone, k);
            size_t other = strlen(phone->number.value);
            size_t tail = MIN(MIN(len, other) - 1, (size_t) 8);
            if (strcmp(phone->number.value + other - tail,
                       number.e164 + len - tail) == 0) {
                known = true;
                if (text[0] == '+' &&
                    strcmp(phone->number.value, number.e164) != 0)
                    field_set(&phone->number, number.e164,
                              card->lines[card->urls[i].line].original, 0.9);
            }
        }
        if (!known)
            add_phone(contact, &number, type_of_kind(number.kind), NULL,
                      card->lines[card->urls[i].line].original, 0.75);
    }
}

static void
add_link(Contact *contact, const char *url, const char *evidence,
         double confidence)
{
    if (contact->links->len >= LINKS_MAX)
        return;
    for (guint i = 0; i < contact->links->len; i++)
        if (g_ascii_strcasecmp(g_array_index(contact->links, Field, i).value,
                               url) == 0)
            return;
    Field field = { 0 };
    field_set(&field, url, evidence, confidence);
    g_array_append_val(contact->links, field);
}

static bool
host_of_sender(const char *url, const char *email)
{
    g_autofree char *host = link_host(url);
    const char *at = strrchr(email, '@');
    if (host == NULL || at == NULL)
        return false;
    const char *domain = at + 1;
    size_t n = strlen(host), m = strlen(domain);
    return g_ascii_strcasecmp(host, domain) == 0 ||
           (n > m && host[n - m - 1] == '.' &&
            g_ascii_strcasecmp(host + n - m, domain) == 0) ||
           (m > n && domain[m - n - 1] == '.' && strchr(host, '.') != NULL &&
            g_ascii_strcasecmp(domain + m - n, host) == 0);
}

/* The sender's own domain before others, its front page before the rest. */
static int
site_rank(const char *url, const char *email)
{
    if (!host_of_sender(url, email))
        return 0;
    const char *path = strstr(url, "://");
    return path != NULL && strchr(path + 3, '/') == NULL ? 2 : 1;
}

static void
take_links(Contact *contact, const Card *card)
{
    const CardUrl *site = NULL;
    for (size_t i = 0; i < card->n_urls; i++) {
        const CardUrl *url = &card->urls[i];
        const char *line = card->lines[url->line].original;
        if (url->kind == LINK_SOCIAL || url->kind == LINK_BOOKING)
            add_link(contact, url->url, line, 0.9);
        else if (url->kind == LINK_WEBSITE &&
                 (site == NULL || site_rank(url->url, contact->email) >
                                      site_rank(site->url, contact->email)))
            site = url;
    }
    if (site != NULL)
        field_set(&contact->website, site->url,
                  card->lines[site->line].original,
                  host_of_sender(site->url, contact->email) ? 0.95 : 0.75);
}

/* --- vCard, header fields, forms ------------------------------------------------ */

static bool
vcard_is_authors(const VCard *card, const char *email, const Person *from)
{
    for (size_t i = 0; i < card->n_emails; i++)
        if (g_ascii_strcasecmp(card->emails[i], email) == 0)
            return true;
    if (card->n_emails > 0 || from == NULL || from->last[0] == '\0')
        return false;
    Person person = { card->first != NULL ? card->first : (char *) "",
                      card->last != NULL ? card->last : (char *) "", 0 };
    return person_same(&person, from);
}

static void
fill(Field *field, const char *value, const char *evidence, double confidence)
{
    if (field->value == NULL && value != NULL && value[0] != '\0')
        field_set(field, value, evidence, confidence);
}

static void
take_vcard(Contact *contact, const VCard *card, const Countries *countries)
{
    static const char evidence[] = "vCard";
    if (contact->first_name.value == NULL && contact->last_name.value == NULL) {
        if (card->first != NULL || card->last != NULL) {
            fill(&contact->first_name, card->first, evidence, 0.9);
            fill(&contact->last_name, card->last, evidence, 0.9);
            contact->name_source = "vcard";
        } else {
            g_auto(Person) person = { 0 };
            if (person_from_display(card->full, contact->email, &person))
                set_name(contact, &person, evidence, "vcard", 0.85);
        }
    }
    fill(&contact->job_title, card->title, evidence, 0.9);
    fill(&contact->company, card->company, evidence, 0.9);
    if (contact->address.value == NULL && card->address != NULL) {
        fill(&contact->address, card->address, evidence, 0.9);
        const AddressParts *from = &card->parts;
        AddressParts *to = &contact->address_parts;
        to->line1 = g_strdup(from->line1);
        to->line2 = g_strdup(from->line2);
        to->city = g_strdup(from->city);
        to->state = g_strdup(from->state);
        to->postal_code = g_strdup(from->postal_code);
        if (from->country != NULL)
            to->country = g_strdup(
                postal_country_code(from->country, strlen(from->country)));
    }
    const char *home = card->parts.country != NULL
                           ? postal_country_code(card->parts.country,
                                                 strlen(card->parts.country))
                           : NULL;
    for (size_t i = 0; i < card->n_phones; i++) {
        const char *text = card->phones[i].number;
        size_t len = MIN(strlen(text), (size_t) PHONE_TEXT_MAX);
        PhoneNumber number;
        bool found = home != NULL && phone_parse(text, len, home, &number);
        for (size_t k = 0; k < countries->n && !found; k++)
            found = phone_parse(text, len, countries->list[k], &number);
        if (!found) /* North American habit, as in phone_scan.c */
            found = phone_parse(text, len, "US", &number);
        if (found)
            add_phone(contact, &number,
                      card->phones[i].typed ? card->phones[i].type
                                            : type_of_kind(number.kind),
                      NULL, evidence, 0.9);
    }
    for (size_t i = 0; i < card->n_links; i++) {
        char *url = NULL;
        LinkKind kind =
            link_classify(card->links[i], strlen(card->links[i]), &url);
        if (kind == LINK_WEBSITE)
            fill(&contact->website, url, evidence, 0.9);
        else if (kind == LINK_SOCIAL || kind == LINK_BOOKING)
            add_link(contact, url, evidence, 0.9);
        g_free(url);
    }
}

static void
take_vcards(Contact *contact, const Message *message, const Person *from,
            const Countries *countries)
{
    for (size_t i = 0; i < message->n_parts; i++) {
        const Part *part = &message->parts[i];
        if (part->kind != PART_VCARD || part->enclosing >= 0 ||
            part->text == NULL)
            continue;
        g_autoptr(VCard) card = vcard_parse(part->text, part->len);
        if (card != NULL && vcard_is_authors(card, contact->email, from)) {
            take_vcard(contact, card, countries);
            return;
        }
    }
}

static void
fill_form(Field *field, const FormField *from, double confidence)
{
    if (from->text == NULL || field->value != NULL)
        return;
    g_autofree char *value = g_strndup(from->text, from->len);
    field_set(field, g_strstrip(value), from->line, confidence);
}

static void
take_form(Contact *contact, const Form *form, const Countries *countries)
{
    if (form->first_name.text != NULL && form->last_name.text != NULL) {
        fill_form(&contact->first_name, &form->first_name, 0.9);
        fill_form(&contact->last_name, &form->last_name, 0.9);
        contact->name_source = "form";
    } else if (form->name.text != NULL || form->first_name.text != NULL) {
        const FormField *field =
            form->name.text != NULL ? &form->name : &form->first_name;
        g_autofree char *name = g_strndup(field->text, field->len);
        g_auto(Person) person = { 0 };
        if (form->name.text != NULL && form->last_name.text != NULL) {
            fill_form(&contact->first_name, &form->name, 0.85);
            fill_form(&contact->last_name, &form->last_name, 0.9);
            contact->name_source = "form";
        } else if (person_from_display(name, contact->email, &person)) {
            set_name(contact, &person, field->line, "form", 0.9);
        }
    }
    fill_form(&contact->company, &form->company, 0.9);
    fill_form(&contact->job_title, &form->title, 0.9);
    fill_form(&contact->address, &form->address, 0.8);
    if (form->website.text != NULL) {
        char *url = NULL;
        if (link_classify(form->website.text, form->website.len, &url) ==
            LINK_WEBSITE)
            fill(&contact->website, url, form->website.line, 0.85);
        g_free(url);
    }
    const FormField *numbers[2] = { &form->phone, &form->mobile };
    for (int i = 0; i < 2; i++) {
        if (numbers[i]->text == NULL)
            continue;
        PhoneMatch found[PHONE_LINE_MAX];
        size_t n = phone_scan(numbers[i]->text, numbers[i]->len,
                              countries->list, WORD_LABEL_WORK, found);
        for (size_t k = 0; k < n; k++)
            add_phone(contact, &found[k].number,
                      i == 1 ? PHONE_MOBILE
                             : type_of_kind(found[k].number.kind),
                      found[k].extension, numbers[i]->line, 0.9);
    }
}

/* --- signature lines -------------------------------------------------------------- */

static size_t
count_signature(const Body *body)
{
    size_t n = 0;
    for (size_t i = 0; i < body->n_lines; i++)
        n += body->lines[i].zone == ZONE_SIGNATURE && body->lines[i].len > 0;
    return n;
}

static void
lower(Field *field, double factor)
{
    if (field->value != NULL)
        field->confidence *= factor;
}

static void
lower_signature_fields(Contact *contact, double factor)
{
    lower(&contact->job_title, factor);
    lower(&contact->company, factor);
    lower(&contact->website, factor);
    lower(&contact->address, factor);
    for (guint i = 0; i < contact->phones->len; i++)
        lower(&g_array_index(contact->phones, Phone, i).number, factor);
    for (guint i = 0; i < contact->links->len; i++)
        lower(&g_array_index(contact->links, Field, i), factor);
}

/* The signature bears e-mail addresses, and none is the author's, nor of the
 * author's domain. */
static bool
address_contradicts(const Card *card, const char *email)
{
    if (card->n_emails == 0)
        return false;
    const char *domain = strrchr(email, '@');
    for (size_t i = 0; i < card->n_emails; i++) {
        const char *other = strrchr(card->emails[i], '@');
        if (g_ascii_strcasecmp(card->emails[i], email) == 0 ||
            (domain != NULL && other != NULL &&
             g_ascii_strcasecmp(domain, other) == 0))
            return false;
    }
    return true;
}

static void
take_signature(Contact *contact, const Body *source, const Mailbox *author,
               const Person *from, Countries *countries,
               const AnalyzerOptions *options, Analysis *analysis)
{
    g_autoptr(Card) card = card_new(source, author->email);
    countries_find(countries, card, author->email, analysis->lang,
                   options->default_country);
    card_find_phones(card, countries->list);
    card_split(card);

    g_auto(Person) signed_by = { 0 };
    size_t name = find_name(card, author->email, from, &signed_by);
    const char *line = name < card->n_parts ? card_evidence(card, name) : NULL;
    bool agrees = choose_name(contact, author, from, &signed_by, line);

    title_find(card, name, &contact->job_title);
    postal_find(card, countries->list[0], &contact->address,
                &contact->address_parts);
    company_find(card, name, contact->job_title.value != NULL,
                 &contact->company);
    take_phones(contact, card, countries);
    take_links(contact, card);

    if (address_contradicts(card, author->email)) {
        lower_signature_fields(contact, 0.6);
        g_ptr_array_add(analysis->notes,
                        g_strdup("the signature bears another address than "
                                 "the sender's"));
    } else if (!agrees) {
        lower_signature_fields(contact, 0.7);
        g_ptr_array_add(
            analysis->notes,
            g_strdup("the signature names another person than the header"));
    }
}

void
contact_find(const Message *message, const Body *body, const Body *html,
             const Envelope *envelope, const AnalyzerOptions *options,
             Analysis *analysis)
{
    (void) envelope;
    Form form;
    bool relay = form_find(message, body, &form);
    if (message->from.n == 0 && !relay) {
        analysis->verdict = VERDICT_IGNORE;
        analysis->reason = "malformed";
        return;
    }
    const Mailbox *author = relay ? form.person : &message->from.items[0];
    analysis->verdict = VERDICT_CONTACT;
    Contact *contact = analysis->contact = contact_new(author->email);
    contact->from_relay = relay;
    contact->role_account = person_is_role(author->email);

    g_auto(Person) from = { 0 };
    bool named = author->name != NULL &&
                 person_from_display(author->name, author->email, &from);
    if (named && display_is_doubtful(author->name, author->email)) {
        person_clear(&from);
        named = false;
    }
    Countries countries = { 0 };
    if (relay) {
        countries_find(&countries, NULL, author->email, analysis->lang,
                       options->default_country);
        take_form(contact, &form, &countries);
        if (contact->first_name.value == NULL &&
            contact->last_name.value == NULL && named)
            set_name(contact, &from, author->name, "from", from.confidence);
    } else {
        const Body *source =
            html != NULL && count_signature(html) > 0 ? html : body;
        if (count_signature(source) > 0) {
            signature_list(source, author, analysis->signature);
            take_signature(contact, source, author, named ? &from : NULL,
                           &countries, options, analysis);
        } else {
            countries_find(&countries, NULL, author->email, analysis->lang,
                           options->default_country);
            if (named)
                set_name(contact, &from, author->name, "from", from.confidence);
        }
        take_vcards(contact, message, named ? &from : NULL, &countries);
        const char *organisation = message_header(message, "Organization");
        if (organisation == NULL)
            organisation = message_header(message, "Organisation");
        if (organisation != NULL && strlen(organisation) <= 120)
            fill(&contact->company, organisation, organisation, 0.75);
    }
    if (contact->first_name.value == NULL && contact->last_name.value == NULL) {
        g_auto(Person) local = { 0 };
        if (person_from_local_part(author->email, &local)) {
            set_name(contact, &local, author->email, "local-part",
                     local.confidence);
            analysis->reason = "local-part";
        }
    }
}

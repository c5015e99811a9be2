/*
 * analysis.c - the order of the judgements
 *
 * A delivery report is recognised first: everything that follows would take
 * its text for a person's. Then whether a person wrote at all, then whether
 * the person asks to be taken off a list, and only then who it is.
 */
#include "analysis/analysis.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "analysis/bounce.h"
#include "analysis/contact.h"
#include "analysis/ignore.h"
#include "analysis/language.h"
#include "analysis/signature.h"
#include "analysis/unsubscribe.h"

struct Analyzer {
    char **local_domains;
    char **languages;
    char **unsubscribe_addresses;
    char *default_country;
    char *phrases_file;
    char *unsubscribe_key;
    AnalyzerOptions options; /* points to the copies above */
    BounceRules *bounce;
    UnsubscribeRules *unsubscribe;
};

Analyzer *
analyzer_new(const AnalyzerOptions *options, GError **error)
{
    g_autoptr(Analyzer) analyzer = g_new0(Analyzer, 1);
    analyzer->local_domains = g_strdupv((char **) options->local_domains);
    analyzer->languages = g_strdupv((char **) options->languages);
    analyzer->unsubscribe_addresses =
        g_strdupv((char **) options->unsubscribe_addresses);
    analyzer->default_country =
        g_strdup(options->default_country ? options->default_country : "AU");
    analyzer->phrases_file = g_strdup(options->phrases_file);
    if (options->unsubscribe_key != NULL)
        analyzer->unsubscribe_key =
            g_memdup2(options->unsubscribe_key, options->unsubscribe_key_len);
    analyzer->options = (AnalyzerOptions){
        .local_domains = (const char *const *) analyzer->local_domains,
        .default_country = analyzer->default_country,
        .languages = (const char *const *) analyzer->languages,
        .phrases_file = analyzer->phrases_file,
        .unsubscribe_addresses =
            (const char *const *) analyzer->unsubscribe_addresses,
        .unsubscribe_key = analyzer->unsubscribe_key,
        .unsubscribe_key_len = options->unsubscribe_key_len,
    };
    analyzer->bounce = bounce_rules_new(error);
    if (analyzer->bounce == NULL)
        return NULL;
    analyzer->unsubscribe = unsubscribe_rules_new(&analyzer->options, error);
    if (analyzer->unsubscribe == NULL)
        return NULL;
    return g_steal_pointer(&analyzer);
}

void
analyzer_free(Analyzer *analyzer)
{
    if (analyzer == NULL)
        return;
    bounce_rules_free(analyzer->bounce);
    unsubscribe_rules_free(analyzer->unsubscribe);
    g_strfreev(analyzer->local_domains);
    g_strfreev(analyzer->languages);
    g_strfreev(analyzer->unsubscribe_addresses);
    g_free(analyzer->default_country);
    g_free(analyzer->phrases_file);
    if (analyzer->unsubscribe_key != NULL)
        explicit_bzero(analyzer->unsubscribe_key,
                       analyzer->options.unsubscribe_key_len);
    g_free(analyzer->unsubscribe_key);
    g_free(analyzer);
}

Envelope *
envelope_from_message(const Message *message)
{
    Envelope *envelope = envelope_new();
    const char *path = message_header(message, "Return-Path");
    if (path != NULL)
        envelope->mail_from = envelope_address(path);
    size_t at = 0;
    const Header *to;
    while ((to = header_list_find(&message->headers, "Delivered-To", at,
                                  &at)) != NULL) {
        g_ptr_array_add(envelope->recipients, envelope_address(to->value));
        at++;
    }
    const char *original = message_header(message, "X-Original-To");
    if (original != NULL && envelope->recipients->len == 0)
        g_ptr_array_add(envelope->recipients, envelope_address(original));
    return envelope;
}

/* The verdict that a request leads to; false when it only stands beside the
 * verdict that the mail has otherwise. */
static bool
unsubscribe_decides(Analysis *analysis)
{
    const Unsubscribe *found = analysis->unsubscribe;
    if (found == NULL || found->unsure)
        return false;
    switch (found->scope) {
    case UNSUBSCRIBE_ALL:
        analysis->verdict = VERDICT_UNSUBSCRIBE;
        break;
    case UNSUBSCRIBE_SMS:
    case UNSUBSCRIBE_PARTIAL:
    case UNSUBSCRIBE_RESUBSCRIBE:
        analysis->verdict = VERDICT_IGNORE;
        analysis->reason = unsubscribe_scope_name(found->scope);
        break;
    }
    return true;
}

Analysis *
analyzer_run(const Analyzer *analyzer, const Message *message,
             const Envelope *envelope)
{
    Analysis *analysis = analysis_new();
    g_autoptr(Envelope) own = NULL;
    if (envelope == NULL)
        envelope = own = envelope_from_message(message);

    if (message->malformed) {
        analysis->reason = "malformed";
        return analysis;
    }
    if (bounce_find(analyzer->bounce, message, envelope, analysis))
        return analysis;

    g_autoptr(Body) body = body_new(message);
    const char *ignored =
        ignore_reason(message, body, envelope, analyzer->options.local_domains);
    const Mailbox *author =
        message->from.n > 0 ? &message->from.items[0] : NULL;
    signature_mark(body, author);
    g_autofree char *words = body_zone_text(body, ZONE_OWN, LANGUAGE_MAX_TEXT);
    g_strlcpy(analysis->lang, language_guess(words, strlen(words)),
              sizeof analysis->lang);

    analysis->unsubscribe =
        unsubscribe_find(analyzer->unsubscribe, message, body, envelope,
                         ignored, analysis->lang);
    if (unsubscribe_decides(analysis))
        return analysis;
    if (ignored != NULL) {
        analysis->reason = ignored;
        return analysis;
    }

    g_autoptr(Body) html = body->from_html ? NULL : body_new_html(message);
    if (html != NULL)
        signature_mark(html, author);
    contact_find(message, body, html, envelope, &analyzer->options, analysis);
    return analysis;
}

/* --- what an analysis is made of ---------------------------------------- */

Analysis *
analysis_new(void)
{
    Analysis *analysis = g_new0(Analysis, 1);
    analysis->verdict = VERDICT_IGNORE;
    analysis->reason = "";
    analysis->signature = g_ptr_array_new_with_free_func(g_free);
    analysis->bounces = g_array_new(FALSE, TRUE, sizeof(Bounce));
    g_array_set_clear_func(analysis->bounces, (GDestroyNotify) bounce_clear);
    analysis->notes = g_ptr_array_new_with_free_func(g_free);
    return analysis;
}

void
analysis_free(Analysis *analysis)
{
    if (analysis == NULL)
        return;
    contact_free(analysis->contact);
    g_ptr_array_unref(analysis->signature);
    g_array_unref(analysis->bounces);
    returned_message_clear(&analysis->returned);
    unsubscribe_free(analysis->unsubscribe);
    g_ptr_array_unref(analysis->notes);
    g_free(analysis);
}

void
analysis_note(Analysis *analysis, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(analysis->notes, g_strdup_vprintf(format, args));
    va_end(args);
}

void
field_set(Field *field, const char *value, const char *evidence,
          double confidence)
{
    Field old = *field; /* `value` may be part of it */
    field->value = g_strdup(value);
    field->evidence = g_strdup(evidence);
    field->confidence = confidence;
    field_clear(&old);
}

void
field_clear(Field *field)
{
    g_free(field->value);
    g_free(field->evidence);
    *field = (Field){ 0 };
}

static void
field_copy(Field *to, const Field *from)
{
    field_set(to, from->value, from->evidence, from->confidence);
}

void
phone_clear(Phone *phone)
{
    field_clear(&phone->number);
    g_free(phone->extension);
    phone->extension = NULL;
}

void
bounce_clear(Bounce *bounce)
{
    g_free(bounce->email);
    g_free(bounce->final);
    g_free(bounce->status);
    g_free(bounce->evidence);
    *bounce = (Bounce){ 0 };
}

void
returned_message_clear(ReturnedMessage *returned)
{
    g_free(returned->message_id);
    g_free(returned->from);
    g_free(returned->return_path);
    g_free(returned->to);
    *returned = (ReturnedMessage){ 0 };
}

void
returned_message_copy(ReturnedMessage *to, const ReturnedMessage *from)
{
    returned_message_clear(to);
    to->message_id = g_strdup(from->message_id);
    to->from = g_strdup(from->from);
    to->return_path = g_strdup(from->return_path);
    to->to = g_strdup(from->to);
}

Contact *
contact_new(const char *email)
{
    Contact *contact = g_new0(Contact, 1);
    contact->email = g_strdup(email);
    contact->phones = g_array_new(FALSE, TRUE, sizeof(Phone));
    g_array_set_clear_func(contact->phones, (GDestroyNotify) phone_clear);
    contact->links = g_array_new(FALSE, TRUE, sizeof(Field));
    g_array_set_clear_func(contact->links, (GDestroyNotify) field_clear);
    return contact;
}

/* Where the fields and the address parts of a contact are, for loops. */
static const size_t field_offsets[] = {
    offsetof(Contact, first_name), offsetof(Contact, last_name),
    offsetof(Contact, job_title),  offsetof(Contact, company),
    offsetof(Contact, website),    offsetof(Contact, address),
};
static const size_t part_offsets[] = {
    offsetof(AddressParts, line1),       offsetof(AddressParts, line2),
    offsetof(AddressParts, line3),       offsetof(AddressParts, line4),
    offsetof(AddressParts, city),        offsetof(AddressParts, state),
    offsetof(AddressParts, postal_code), offsetof(AddressParts, country),
};

Contact *
contact_copy(const Contact *contact)
{
    Contact *copy = contact_new(contact->email);
    for (size_t i = 0; i < G_N_ELEMENTS(field_offsets); i++)
        field_copy((Field *) ((char *) copy + field_offsets[i]),
                   (const Field *) ((const char *) contact + field_offsets[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(part_offsets); i++) {
        const char *from = (const char *) &contact->address_parts;
        char *to = (char *) &copy->address_parts;
        *(char **) (to + part_offsets[i]) =
            g_strdup(*(char *const *) (from + part_offsets[i]));
    }
    for (guint i = 0; i < contact->phones->len; i++) {
        const Phone *from = &g_array_index(contact->phones, Phone, i);
        Phone phone = { .type = from->type,
                        .extension = g_strdup(from->extension) };
        field_copy(&phone.number, &from->number);
        g_array_append_val(copy->phones, phone);
    }
    for (guint i = 0; i < contact->links->len; i++) {
        Field link = { 0 };
        field_copy(&link, &g_array_index(contact->links, Field, i));
        g_array_append_val(copy->links, link);
    }
    copy->role_account = contact->role_account;
    copy->from_relay = contact->from_relay;
    copy->name_source = contact->name_source;
    return copy;
}

void
contact_free(Contact *contact)
{
    if (contact == NULL)
        return;
    g_free(contact->email);
    for (size_t i = 0; i < G_N_ELEMENTS(field_offsets); i++)
        field_clear((Field *) ((char *) contact + field_offsets[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(part_offsets); i++)
        g_free(*(char **) ((char *) &contact->address_parts + part_offsets[i]));
    g_array_unref(contact->phones);
    g_array_unref(contact->links);
    g_free(contact);
}

Unsubscribe *
unsubscribe_new(UnsubscribeScope scope)
{
    Unsubscribe *unsubscribe = g_new0(Unsubscribe, 1);
    unsubscribe->scope = scope;
    unsubscribe->addresses = g_ptr_array_new_with_free_func(g_free);
    return unsubscribe;
}

void
unsubscribe_free(Unsubscribe *unsubscribe)
{
    if (unsubscribe == NULL)
        return;
    g_ptr_array_unref(unsubscribe->addresses);
    g_free(unsubscribe->evidence);
    g_free(unsubscribe);
}

bool
address_is_local(const char *email, const char *const *domains)
{
    if (email == NULL || domains == NULL)
        return false;
    const char *at = strrchr(email, '@');
    if (at == NULL)
        return false;
    const char *domain = at + 1;
    size_t len = strlen(domain);
    if (len > 0 && domain[len - 1] == '.')
        len--; /* a fully qualified name */
    for (; *domains != NULL; domains++) {
        size_t want = strlen(*domains);
        if (want == 0 || len < want)
            continue;
        const char *tail = domain + (len - want);
        if (g_ascii_strncasecmp(tail, *domains, want) == 0 &&
            (len == want || tail[-1] == '.'))
            return true;
    }
    return false;
}

/* --- names -------------------------------------------------------------- */

const char *
verdict_name(Verdict verdict)
{
    static const char *const names[] = {
        [VERDICT_IGNORE] = "ignore",
        [VERDICT_CONTACT] = "contact",
        [VERDICT_BOUNCE] = "bounce",
        [VERDICT_UNSUBSCRIBE] = "unsubscribe",
    };
    return names[verdict];
}

const char *
phone_type_name(PhoneType type)
{
    static const char *const names[] = {
        [PHONE_WORK] = "work", [PHONE_MOBILE] = "mobile", [PHONE_FAX] = "fax",
        [PHONE_HOME] = "home", [PHONE_OTHER] = "other",
    };
    return names[type];
}

const char *
bounce_class_name(BounceClass class)
{
    static const char *const names[] = {
        [BOUNCE_OTHER] = "other",
        [BOUNCE_SOFT] = "soft",
        [BOUNCE_HARD] = "hard",
    };
    return names[class];
}

const char *
unsubscribe_scope_name(UnsubscribeScope scope)
{
    static const char *const names[] = {
        [UNSUBSCRIBE_ALL] = "all",
        [UNSUBSCRIBE_SMS] = "sms",
        [UNSUBSCRIBE_PARTIAL] = "partial",
        [UNSUBSCRIBE_RESUBSCRIBE] = "resubscribe",
    };
    return names[scope];
}

/* contact.c - see contact.h */
#include "analysis/contact.h"

#include "analysis/form.h"
#include "analysis/person.h"
#include "analysis/signature_features.h"

void
contact_find(const Message *message, const Body *body, const Body *html,
             const Envelope *envelope, const AnalyzerOptions *options,
             Analysis *analysis)
{
    (void) html, (void) envelope, (void) options;
    const Body *source = body;
    for (size_t i = 0; i < source->n_lines; i++)
        if (source->lines[i].zone == ZONE_SIGNATURE &&
            source->lines[i].len > 0 && !signature_delimiter(&source->lines[i]))
            g_ptr_array_add(analysis->signature, g_strdup(source->lines[i].text));
    if (message->from.n == 0)
        return;
    const Mailbox *author = &message->from.items[0];
    Form form;
    bool relay = form_find(message, body, &form);
    if (relay)
        author = form.person;
    analysis->verdict = VERDICT_CONTACT;
    analysis->contact = contact_new(author->email);
    Contact *contact = analysis->contact;
    contact->from_relay = relay;
    contact->role_account = person_is_role(author->email);
    g_auto(Person) person = { 0 };
    if (person_from_display(author->name, author->email, &person)) {
        field_set(&contact->first_name, person.first, author->name,
                  person.confidence);
        field_set(&contact->last_name, person.last, author->name,
                  person.confidence);
        contact->name_source = "from";
    }
}

/*
 * person.h - given and family name out of display-names, signatures and
 * local-parts
 *
 * Ownership  a Person's strings belong to it; person_clear().
 * Threads    pure.
 * Limits     PERSON_MAX_WORDS words; longer text is no name.
 */
#ifndef PERSON_H
#define PERSON_H

#include "analysis/words.h"

enum { PERSON_MAX_WORDS = 12, PERSON_MAX_BYTES = 200 };

typedef struct {
    char *first; /* "" when unknown; never NULL after success */
    char *last;
    double confidence;
} Person;

void person_clear(Person *person);

/* From a display-name. `email` helps to tell the order and a person from an
 * organisation; it may be NULL. False when it names no person. */
bool person_from_display(const char *name, const char *email, Person *out);

/* From a line, or a part of one, of a signature: stricter, since most lines are
 * no names. `email` as above. */
bool person_from_line(const char *text, size_t len, const char *email,
                      Person *out);

/* "jane.doe@...": only what is clearly a name. */
bool person_from_local_part(const char *email, Person *out);

/* Are both probably the same person (nicknames, initials, accents)? */
bool person_same(const Person *a, const Person *b);

/* Does `a` say more than `b` about the same person? */
bool person_fuller(const Person *a, const Person *b);

/* A role's mailbox: info@, bookings@... */
bool person_is_role(const char *email);

/* Do the two folded given names belong together ("bob", "robert")? */
bool person_nickname(const char *a, const char *b);
/* The same in two steps, for one name and many: a folded name's other forms,
 * or NULL; is a folded name among them? Not where both are equal. */
const char *person_nicknames(const char *name);
bool person_in_nicknames(const char *list, const char *name);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Person, person_clear)

#endif

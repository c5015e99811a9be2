/*
 * observation_words.h - an observation in the words of a log line
 *
 * Ownership  the caller frees the text.
 * Threads    pure.
 */
#ifndef OBSERVATION_WORDS_H
#define OBSERVATION_WORDS_H

#include "analysis/contact.h"

/* "name,phone,title": which fields a mail showed; "none". NULL is accepted. */
char *contact_field_names(const Contact *contact);

#endif

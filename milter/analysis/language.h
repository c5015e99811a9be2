/*
 * language.h - which language is this text in?
 *
 * A guess by script, frequent words and letters; made for short mails.
 *
 * Threads    pure (a constant table is made on first use).
 * Limits     LANGUAGE_MAX_TEXT bytes are looked at.
 */
#ifndef LANGUAGE_H
#define LANGUAGE_H

#include <glib.h>
#include <stddef.h>

enum { LANGUAGE_MAX_TEXT = 1024 };

/* "en", "de", "pt", "nb", "zh-Hans", "zh-Hant"... (BCP 47), static; "" when
 * the text does not tell. */
const char *language_guess(const char *text, size_t len);

#endif

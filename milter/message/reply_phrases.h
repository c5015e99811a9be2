/*
 * reply_phrases.h - the words that mail programs put around earlier mail
 *
 * Tables for reply.c, one row a phrase, lower case, in all languages that the
 * programs speak. To teach a language, add rows.
 *
 * Threads    constant data; the index over it is made once.
 */
#ifndef REPLY_PHRASES_H
#define REPLY_PHRASES_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    FIELD_FROM = 1 << 0,
    FIELD_DATE = 1 << 1,
    FIELD_TO = 1 << 2,
    FIELD_SUBJECT = 1 << 3,
    FIELD_CC = 1 << 4,
    FIELD_OTHER = 1 << 5,
    FIELD_SENT = FIELD_DATE | 1 << 6, /* no agenda calls its date so */
} FieldKind;

/* "From", "Gesendet": names in the header block above an earlier mail. */
typedef struct {
    const char *name;
    FieldKind kind;
} FieldName;

extern const FieldName reply_field_names[];
extern const size_t reply_n_field_names;

/* The FieldKind of the `len` bytes at `name`, 0 when it is none. */
unsigned reply_field_kind(const char *name, size_t len);

/* "wrote", "schrieb": words of attribution lines. */
extern const char *const reply_wrote[];
extern const size_t reply_n_wrote;

/* "Original Message" between dashes; `bare`: also without them, when it is
 * all of its line. */
typedef struct {
    const char *text;
    bool forward;
    bool bare;
} Separator;

extern const Separator reply_separators[];
extern const size_t reply_n_separators;

/* "reply above this line": ticket systems. */
extern const char *const reply_above_line[];
extern const size_t reply_n_above_line;

/* Subject prefixes, without the colon. */
typedef struct {
    const char *text;
    bool forward;
} Prefix;

extern const Prefix reply_prefixes[];
extern const size_t reply_n_prefixes;

#endif

/*
 * unsubscribe_data.h - the language data files, built into the program
 *
 * unsubscribe_data.c is generated from data/unsubscribe/(*).txt by
 * data/unsubscribe/embed.sh.
 */
#ifndef UNSUBSCRIBE_DATA_H
#define UNSUBSCRIBE_DATA_H

#include <stddef.h>

typedef struct {
    const char *name; /* "de"; "common" for all languages */
    const char *text;
} UnsubscribeData;

extern const UnsubscribeData unsubscribe_data[];
extern const size_t unsubscribe_data_n;

#endif

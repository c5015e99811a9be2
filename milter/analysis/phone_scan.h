/*
 * phone_scan.h - telephone numbers in a line, with their labels
 *
 * Threads    pure.
 * Limits     PHONE_LINE_MAX numbers a line, PHONE_LINE_BYTES bytes of it.
 */
#ifndef PHONE_SCAN_H
#define PHONE_SCAN_H

#include "analysis/analysis.h"
#include "analysis/phone.h"

enum { PHONE_LINE_MAX = 8, PHONE_LINE_BYTES = 600 };

typedef struct {
    size_t start, end; /* of the number with label and extension */
    PhoneNumber number;
    PhoneType type;
    bool labelled;
    bool international; /* written with its country code */
    char extension[8];
} PhoneMatch;

/* Label classes (WORD_LABEL_*) that a line consisting of a label alone puts
 * before the number on the next line; 0 when the line is no such label. */
unsigned phone_label_line(const char *text, size_t len);

/* `regions` is tried in order for numbers without country code, NULL at its
 * end; `label` is what phone_label_line() said of the line before. */
size_t phone_scan(const char *text, size_t len, const char *const *regions,
                  unsigned label, PhoneMatch *out);

/* Could the text hold a number at all? Cheap; for signature.c, too. */
bool phone_plausible(const char *text, size_t len);

#endif

/*
 * contact_lines.h - a contact in words, a line for each field
 */
#ifndef CONTACT_LINES_H
#define CONTACT_LINES_H

#include "analysis/analysis.h"

/* "  label       value (detail)  <- "evidence"  0.95"; nothing when the value
 * is NULL or empty. Without `detail`, `evidence`, or a confidence above 0
 * these are left out. */
void contact_line(const char *label, const char *value, const char *detail,
                  const char *evidence, double confidence);

/* All fields; those found with less than `min_confidence` are marked. */
void contact_lines(const Contact *contact, double min_confidence);

#endif

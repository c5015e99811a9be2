/*
 * table.h - tables that fit the terminal, colour only on a terminal
 *
 * Ownership  cells are copied; table_free().
 * Limits     the widest column gives way first; cells are cut with "...".
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct Table Table;

/* `headings` ends with NULL. */
Table *table_new(const char *const *headings);
/* One cell for each heading; NULL is "-". */
void table_add(Table *table, const char *const *cells);
/* Headings and rows; nothing at all without rows. */
void table_print(const Table *table, FILE *out);
void table_free(Table *table);

/* Columns of the terminal behind `out`; 0 when it is none. */
unsigned terminal_width(FILE *out);

typedef enum { STYLE_BOLD, STYLE_GOOD, STYLE_BAD, STYLE_DIM } Style;
/* Escape sequences, or "" when `out` is no terminal or NO_COLOR is set. */
const char *style_on(FILE *out, Style style);
const char *style_off(FILE *out);

#endif

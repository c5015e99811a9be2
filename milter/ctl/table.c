/*
 * table.c - see table.h
 */
#include "ctl/table.h"

#include <glib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { GAP = 2, NARROWEST = 8, COLUMNS_MAX = 16 };

struct Table {
    size_t columns;
    GPtrArray *cells; /* headings first, row by row */
};

static char *
cell_text(const char *text)
{
    return g_utf8_make_valid(text ? text : "-", -1);
}

Table *
table_new(const char *const *headings)
{
    Table *table = g_new0(Table, 1);
    table->cells = g_ptr_array_new_with_free_func(g_free);
    while (headings[table->columns] != NULL) {
        g_ptr_array_add(table->cells, cell_text(headings[table->columns]));
        table->columns++;
    }
    g_assert(table->columns > 0 && table->columns <= COLUMNS_MAX);
    return table;
}

void
table_free(Table *table)
{
    if (table == NULL)
        return;
    g_ptr_array_unref(table->cells);
    g_free(table);
}

void
table_add(Table *table, const char *const *cells)
{
    for (size_t i = 0; i < table->columns; i++)
        g_ptr_array_add(table->cells, cell_text(cells[i]));
}

unsigned
terminal_width(FILE *out)
{
    struct winsize size;
    int fd = fileno(out);
    if (fd < 0 || !isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col > 0 ? size.ws_col : 80;
}

/* Columns that a terminal needs: wide characters take two. */
static size_t
display_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);
        if (!g_unichar_iszerowidth(c))
            width += g_unichar_iswide(c) ? 2 : 1;
    }
    return width;
}

static void
print_cell(FILE *out, const char *text, size_t width, bool last)
{
    size_t full = display_width(text);
    if (full <= width) {
        fputs(text, out);
    } else {
        size_t used = 0;
        for (const char *p = text; *p != '\0';) {
            const char *next = g_utf8_next_char(p);
            gunichar c = g_utf8_get_char(p);
            size_t w = g_unichar_iszerowidth(c) ? 0
                       : g_unichar_iswide(c)    ? 2
                                                : 1;
            if (used + w + 3 > width)
                break;
            (void) fwrite(p, 1, (size_t) (next - p), out);
            used += w;
            p = next;
        }
        fputs("...", out);
        full = used + 3;
    }
    if (!last)
        fprintf(out, "%*s", (int) (width - full + GAP), "");
}

void
table_print(const Table *table, FILE *out)
{
    size_t rows = table->cells->len / table->columns;
    if (rows < 2)
        return;
    size_t width[COLUMNS_MAX] = { 0 };
    for (size_t i = 0; i < table->cells->len; i++) {
        size_t w = display_width(table->cells->pdata[i]);
        width[i % table->columns] = MAX(width[i % table->columns], w);
    }
    size_t total = GAP * (table->columns - 1);
    for (size_t i = 0; i < table->columns; i++)
        total += width[i];
    unsigned room = terminal_width(out);
    while (room > 0 && total > room) {
        size_t widest = 0;
        for (size_t i = 1; i < table->columns; i++) {
            if (width[i] > width[widest])
                widest = i;
        }
        if (width[widest] <= NARROWEST)
            break;
        width[widest]--;
        total--;
    }
    for (size_t row = 0; row < rows; row++) {
        if (row == 0)
            fputs(style_on(out, STYLE_BOLD), out);
        for (size_t i = 0; i < table->columns; i++)
            print_cell(out, table->cells->pdata[row * table->columns + i],
                       width[i], i + 1 == table->columns);
        if (row == 0)
            fputs(style_off(out), out);
        fputc('\n', out);
    }
}

static bool
styled(FILE *out)
{
    return terminal_width(out) > 0 && g_getenv("NO_COLOR") == NULL;
}

const char *
style_on(FILE *out, Style style)
{
    static const char *const codes[] = {
        [STYLE_BOLD] = "\033[1m",
        [STYLE_GOOD] = "\033[32m",
        [STYLE_BAD] = "\033[31m",
        [STYLE_DIM] = "\033[2m",
    };
    return styled(out) ? codes[style] : "";
}

const char *
style_off(FILE *out)
{
    return styled(out) ? "\033[0m" : "";
}

/* Tables line up, also with wide characters; no escapes into a file. */
#include "ctl/table.h"

#include <glib.h>
#include <stdlib.h>

static char *
printed(const char *const (*rows)[2], size_t n)
{
    static const char *const headings[] = { "NAME", "N", NULL };
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    Table *table = table_new(headings);
    for (size_t i = 0; i < n; i++)
        table_add(table, rows[i]);
    table_print(table, out);
    table_free(table);
    g_assert_cmpint(fclose(out), ==, 0);
    return text;
}

static void
test_print(void)
{
    static const char *const rows[][2] = {
        { "ann", "1" }, { NULL, "22" }, { "\346\227\245\346\234\254", "3" }
    };
    char *text = printed(rows, G_N_ELEMENTS(rows));
    g_assert_cmpstr(text, ==,
                    "NAME  N\n"
                    "ann   1\n"
                    "-     22\n"
                    "\346\227\245\346\234\254  3\n");
    free(text);
}

static void
test_broken(void)
{
    static const char *const rows[][2] = { { "a\377b", "1" } };
    char *text = printed(rows, 1);
    g_assert_true(g_utf8_validate(text, -1, NULL));
    free(text);
}

static void
test_empty(void)
{
    char *text = printed(NULL, 0);
    g_assert_cmpstr(text, ==, "");
    free(text);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/table/print", test_print);
    g_test_add_func("/table/broken", test_broken);
    g_test_add_func("/table/empty", test_empty);
    return g_test_run();
}

/* test_words.c - folding, splitting, and that the word lists are folded */
#include "analysis/words.h"

#include <string.h>

static void
test_fold(void)
{
    static const char *const rows[][2] = {
        { "Geschäftsführer", "geschaftsfuhrer" },
        { "STRASSE", "strasse" },
        { "Straße", "strasse" },
        { "Søren Łódź", "soren lodz" },
        { "Ёлкин", "елкин" },
        { "Йод", "йод" },
        { "İzmir", "izmir" },
        { "O’Brien", "o'brien" },
        { "名刺", "名刺" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char out[64];
        words_fold(rows[i][0], strlen(rows[i][0]), out, sizeof out);
        g_assert_cmpstr(out, ==, rows[i][1]);
    }
    char tiny[4];
    g_assert_cmpuint(words_fold("abcdef", 6, tiny, sizeof tiny), ==, 3);
    g_assert_cmpuint(words_fold("\xff\xc3", 2, tiny, sizeof tiny), ==, 0);
}

static void
test_split(void)
{
    static const char text[] = "Dr. Jane (Janey) DOE, 2nd | x";
    g_autofree char *copy = g_memdup2(text, strlen(text));
    Word words[8];
    size_t n = words_split(copy, strlen(text), words, 8);
    g_assert_cmpuint(n, ==, 6);
    g_assert_cmpstr(words[0].folded, ==, "dr");
    g_assert_true(words[0].classes & WORD_HONORIFIC);
    g_assert_cmpint(words[2].before, ==, '(');
    g_assert_true(words[3].all_caps);
    g_assert_cmpint(words[3].after, ==, ',');
    g_assert_true(words[4].digit);
    g_assert_cmpuint(words_split(copy, strlen(text), words, 2), ==, 2);
}

static void
test_classes(void)
{
    g_assert_true(vocabulary_find("manager", 7) & WORD_TITLE);
    g_assert_true(vocabulary_find_ending("hotelleiterin", 13) & WORD_TITLE);
    g_assert_true(vocabulary_find("mit freundlichen grussen", 24) &
                  WORD_CLOSING);
    g_assert_cmpuint(vocabulary_find("", 0), ==, 0);
    g_assert_cmpuint(vocabulary_find("qzxv", 4), ==, 0);
}

/* A word that is not folded would never be found. */
static void
test_lists(void)
{
    g_autofree char *folder = g_build_filename(SRCDIR, "milter", "analysis",
                                               "data", "vocabulary", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_assert_nonnull(dir);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        if (!g_str_has_suffix(name, ".txt"))
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *text = NULL;
        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        for (size_t i = 0; lines[i] != NULL; i++) {
            char out[512];
            if (lines[i][0] == '#')
                continue;
            words_fold(lines[i], strlen(lines[i]), out, sizeof out);
            g_assert_cmpstr(out, ==, lines[i]);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/words/fold", test_fold);
    g_test_add_func("/words/split", test_split);
    g_test_add_func("/words/classes", test_classes);
    g_test_add_func("/words/lists", test_lists);
    return g_test_run();
}

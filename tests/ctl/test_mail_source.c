/* Files, mboxes and Maildirs give the messages that they hold. */
#include "ctl/mail_source.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    const char *file;
    const char *text;
    const char *want; /* "offset+length" of each message */
} cases[] = {
    { "one message", "a.eml", "From: a\n\nx\n", "0+11" },
    { "empty file", "a.eml", "", "0+0" },
    { "mbox line before one message", "a",
      "From a@b Mon Jan  1 10:00:00 2024\nFrom: a\n\nx\n", "0+45" },
    { "two in an mbox", "box",
      "From a@b Mon Jan  1 10:00:00 2024\nFrom: a\n\nx\n\n"
      "From a@b Mon Jan  1 10:00:00 2024\nFrom: b\n\ny\n",
      "0+46 46+45" },
    { "CRLF", "box",
      "From a@b Mon Jan  1 10:00:00 2024\r\nFrom: a\r\n\r\nx\r\n\r\n"
      "From a@b Mon Jan  1 10:00:00 2024\r\nFrom: b\r\n\r\ny\r\n",
      "0+51 51+49" },
    { "sentence that begins with From", "box",
      "From a@b Mon Jan  1 10:00:00 2024\nFrom: a\n\nx\n\n"
      "From here to 10:30 we walk\nto town\n",
      "0+81" },
    { "From in the middle of a paragraph", "box",
      "From a@b Mon Jan  1 10:00:00 2024\nFrom: a\n\nx\n"
      "From a@b Mon Jan  1 10:00:00 2024\nFrom: b\n",
      "0+87" },
    { ".eml is one message whatever it holds", "a.eml",
      "From a@b Mon Jan  1 10:00:00 2024\nFrom: a\n\nx\n\n"
      "From a@b Mon Jan  1 10:00:00 2024\nFrom: b\n\ny\n",
      "0+91" },
    { "no line end", "a", "From", "0+4" },
    { "nothing but the line", "a", "From a@b 10:00", "0+14" },
};

static bool
note(const StoredMail *mail, void *data)
{
    GString *out = data;
    g_string_append_printf(out, "%s%zu+%zu", out->len > 0 ? " " : "",
                           mail->offset, mail->len);
    return true;
}

static void
remove_folder(const char *path)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", path);
    g_assert_cmpint(system(command), ==, 0);
}

static void
test_split(void)
{
    g_autofree char *dir = g_dir_make_tmp("mail-XXXXXX", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].name);
        g_autofree char *path = g_build_filename(dir, cases[i].file, NULL);
        g_assert_true(g_file_set_contents(path, cases[i].text, -1, NULL));
        GString *got = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        g_assert_true(mail_source_visit(path, note, got, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(got->str, ==, cases[i].want);
        g_string_free(got, TRUE);
    }
    remove_folder(dir);
}

static bool
note_name(const StoredMail *mail, void *data)
{
    g_autofree char *name = g_path_get_basename(mail->name);
    g_string_append_printf(data, "%s ", name);
    return strcmp(name, "stop") != 0;
}

static void
test_maildir(void)
{
    g_autofree char *dir = g_dir_make_tmp("mail-XXXXXX", NULL);
    static const char *const files[] = { "cur/1:2,S", "new/2",       "tmp/3",
                                         "index",     ".Sent/cur/4", NULL };
    for (size_t i = 0; files[i] != NULL; i++) {
        g_autofree char *path = g_build_filename(dir, files[i], NULL);
        g_autofree char *folder = g_path_get_dirname(path);
        g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
        g_assert_true(g_file_set_contents(path, "From: a\n\n", -1, NULL));
    }
    GString *got = g_string_new(NULL);
    g_assert_true(mail_source_visit(dir, note_name, got, NULL));
    g_assert_cmpstr(got->str, ==, "4 1:2,S 2 ");
    g_string_free(got, TRUE);
    remove_folder(dir);
}

static void
test_errors(void)
{
    g_autoptr(GError) error = NULL;
    GString *got = g_string_new(NULL);
    g_assert_false(mail_source_visit("/nonexistent/mail", note, got, &error));
    g_assert_nonnull(strstr(error->message, "/nonexistent/mail: No such file"));
    g_string_free(got, TRUE);
}

/* A visit that returns false is the last one. */
static void
test_stop(void)
{
    g_autofree char *dir = g_dir_make_tmp("mail-XXXXXX", NULL);
    static const char *const files[] = { "a", "stop", "z" };
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(dir, files[i], NULL);
        g_assert_true(g_file_set_contents(path, "From: a\n\n", -1, NULL));
    }
    GString *got = g_string_new(NULL);
    g_assert_true(mail_source_visit(dir, note_name, got, NULL));
    g_assert_cmpstr(got->str, ==, "a stop ");
    g_string_free(got, TRUE);
    remove_folder(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mail-source/split", test_split);
    g_test_add_func("/mail-source/maildir", test_maildir);
    g_test_add_func("/mail-source/errors", test_errors);
    g_test_add_func("/mail-source/stop", test_stop);
    return g_test_run();
}

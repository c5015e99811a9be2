/*
 * test_contact.c - whole messages: tests/corpus/signature/NAME.eml gives what
 * NAME.expected says
 *
 * With UPDATE_EXPECTED in the environment the expected files are written
 * instead; read the diff. A second test appends another person's signature as
 * a quotation to every mail: nothing may be taken from it. A third reads the
 * short form of cards.txt, where mail and result stand together.
 */
#include "analysis/analysis.h"

#include <string.h>

static void
render_field(GString *out, const char *name, const Field *field)
{
    if (field->value != NULL)
        g_string_append_printf(out, "%s: %s\n", name, field->value);
}

static char *
render(const Analysis *analysis)
{
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "verdict: %s\n",
                           verdict_name(analysis->verdict));
    const Contact *contact = analysis->contact;
    if (contact == NULL)
        return g_string_free(out, FALSE);
    g_string_append_printf(out, "email: %s\n", contact->email);
    render_field(out, "firstName", &contact->first_name);
    render_field(out, "lastName", &contact->last_name);
    render_field(out, "jobTitle", &contact->job_title);
    render_field(out, "company", &contact->company);
    for (guint i = 0; i < contact->phones->len; i++) {
        const Phone *phone = &g_array_index(contact->phones, Phone, i);
        g_string_append_printf(
            out, "phone: %s %s%s%s\n", phone_type_name(phone->type),
            phone->number.value, phone->extension != NULL ? " ext " : "",
            phone->extension != NULL ? phone->extension : "");
    }
    render_field(out, "website", &contact->website);
    render_field(out, "address", &contact->address);
    for (guint i = 0; i < contact->links->len; i++)
        render_field(out, "link", &g_array_index(contact->links, Field, i));
    return g_string_free(out, FALSE);
}

static char *
analyze(const Analyzer *analyzer, const char *bytes, size_t len)
{
    g_autofree char *copy = g_memdup2(bytes, len);
    g_autoptr(Message) message = message_parse(copy, len, NULL);
    g_autoptr(Analysis) analysis = analyzer_run(analyzer, message, NULL);
    return render(analysis);
}

typedef void (*Visit)(const Analyzer *analyzer, const char *path,
                      const char *bytes, size_t len);

static unsigned
visit_corpus(Visit visit)
{
    g_autofree char *folder = g_build_filename(
        g_getenv("G_TEST_SRCDIR") != NULL ? g_getenv("G_TEST_SRCDIR") : SRCDIR,
        "tests", "corpus", "signature", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_assert_nonnull(dir);
    AnalyzerOptions options = { .default_country = "AU" };
    g_autoptr(Analyzer) analyzer = analyzer_new(&options, NULL);
    g_assert_nonnull(analyzer);
    unsigned n = 0;
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        if (!g_str_has_suffix(name, ".eml"))
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *bytes = NULL;
        gsize len;
        g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
        visit(analyzer, path, bytes, len);
        n++;
    }
    return n;
}

static void
check_expected(const Analyzer *analyzer, const char *path, const char *bytes,
               size_t len)
{
    g_autofree char *got = analyze(analyzer, bytes, len);
    g_autofree char *base = g_strndup(path, strlen(path) - strlen(".eml"));
    g_autofree char *expected_path = g_strconcat(base, ".expected", NULL);
    if (g_getenv("UPDATE_EXPECTED") != NULL) {
        g_assert_true(g_file_set_contents(expected_path, got, -1, NULL));
        return;
    }
    g_autofree char *expected = NULL;
    g_assert_true(g_file_get_contents(expected_path, &expected, NULL, NULL));
    if (strcmp(got, expected) != 0) {
        g_printerr("# %s\n# want:\n%s# got:\n%s", path, expected, got);
        g_test_fail();
    }
}

static void
test_corpus(void)
{
    g_assert_cmpuint(visit_corpus(check_expected), >=, 100);
}

static const char quotation[] =
    "\n\nOn Tue, 4 Mar 2025 at 09:00, Quentin Quoteworthy "
    "<quentin@quoted.example> wrote:\n"
    "> Hello,\n> please call me.\n>\n> -- \n> Quentin Quoteworthy\n"
    "> Quotation Director\n> Quoteworthy Quarries Pty Ltd\n"
    "> Tel +61 3 7010 6600 | M +61 491 570 999\n"
    "> 1 Quoted Street, Quorn SA 5433\n> www.quoted.example\n";

static unsigned from_quoted;

static void
check_quoted(const Analyzer *analyzer, const char *path, const char *bytes,
             size_t len)
{
    static const char *const marks[] = { "Quot", "quot", "70106600",
                                         "491570999", "Quorn" };
    if (g_strstr_len(bytes, (gssize) len, "text/plain") == NULL)
        return;
    g_autoptr(GString) mail = g_string_new_len(bytes, (gssize) len);
    g_string_append(mail, quotation);
    g_autofree char *plain = analyze(analyzer, bytes, len);
    g_autofree char *got = analyze(analyzer, mail->str, mail->len);
    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
        if (strstr(got, marks[i]) != NULL && strstr(plain, marks[i]) == NULL) {
            g_printerr("# %s: quoted\n%s", path, got);
            from_quoted++;
        }
    /* and the quotation does not hide what is the author's */
    if (strcmp(got, plain) != 0) {
        g_printerr("# %s: differs with a quotation\n%s# without:\n%s", path,
                   got, plain);
        g_test_fail();
    }
}

static void
test_quoted(void)
{
    visit_corpus(check_quoted);
    g_assert_cmpuint(from_quoted, ==, 0);
}

/* --- cards.txt --------------------------------------------------------- */

/* "ignore REASON", or the fields without verdict and address. */
static char *
analyze_card(const Analyzer *analyzer, const char *headers, const char *text)
{
    g_autofree char *mail = g_strconcat(
        headers, "\n",
        strstr(headers, "Content-Type:") != NULL
            ? ""
            : "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
              "Content-Transfer-Encoding: 8bit\n",
        "\n", text, NULL);
    g_autoptr(Message) message = message_parse(mail, strlen(mail), NULL);
    g_autoptr(Analysis) analysis = analyzer_run(analyzer, message, NULL);
    if (analysis->verdict != VERDICT_CONTACT)
        return g_strdup_printf("%s %s\n", verdict_name(analysis->verdict),
                               analysis->reason);
    g_autofree char *all = render(analysis);
    const char *fields = strstr(all, "\nemail: ");
    g_assert_nonnull(fields);
    return g_strdup(strchr(fields + 1, '\n') + 1);
}

static void
test_cards(void)
{
    g_autofree char *path = g_build_filename(
        g_getenv("G_TEST_SRCDIR") != NULL ? g_getenv("G_TEST_SRCDIR") : SRCDIR,
        "tests", "corpus", "signature", "cards.txt", NULL);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    AnalyzerOptions options = { .default_country = "AU" };
    g_autoptr(Analyzer) analyzer = analyzer_new(&options, NULL);
    g_assert_nonnull(analyzer);
    g_auto(GStrv) cases = g_strsplit(text, "\n%% ", -1);
    unsigned n = 0;
    for (; cases[n + 1] != NULL; n++) { /* before the first: a comment */
        char *name = cases[n + 1];
        char *headers = strchr(name, '\n') + 1;
        headers[-1] = '\0';
        char *body = strstr(headers, "\n\n") + 2;
        body[-2] = '\0';
        char *expected = strstr(body, "\n%=\n") + 4;
        expected[-3] = '\0';
        g_autofree char *want = g_strconcat(g_strchomp(expected), "\n", NULL);
        g_autofree char *got = analyze_card(analyzer, headers, body);
        if (strcmp(got, want) != 0) {
            g_printerr("# %s\n# want:\n%s# got:\n%s", name, want, got);
            g_test_fail();
        }
        if (strstr(headers, "Content-Type:") != NULL)
            continue;
        /* nothing comes from a quotation below */
        g_autofree char *quoting = g_strconcat(body, quotation, NULL);
        g_autofree char *same = analyze_card(analyzer, headers, quoting);
        if (strcmp(same, got) != 0) {
            g_printerr("# %s, quoting\n# want:\n%s# got:\n%s", name, got, same);
            g_test_fail();
        }
    }
    g_assert_cmpuint(n, >=, 100);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/contact/corpus", test_corpus);
    g_test_add_func("/contact/quoted", test_quoted);
    g_test_add_func("/contact/cards", test_cards);
    return g_test_run();
}

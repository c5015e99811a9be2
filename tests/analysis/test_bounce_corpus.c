/*
 * test_bounce_corpus.c - whole reports: our own, and the labelled ones
 *
 * tests/corpus/bounce/NAME.eml has NAME.expected beside it: the verdict and its
 * reason, then one line for each recipient. UPDATE_EXPECTED=1 in the
 * environment writes them anew; read the diff.
 *
 * Where the shared corpus is present its labels are floors: so many hard and
 * soft recipients found, no false alarm.
 */
#include "analysis/analysis.h"
#include "analysis/bounce.h"

#include <jansson.h>
#include <string.h>

static Analyzer *analyzer;

static Analysis *
analyze(const char *path)
{
    g_autofree char *bytes = NULL;
    gsize len = 0;
    g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    g_autofree char *exact = g_memdup2(bytes, MAX(len, 1));
    g_autoptr(Message) message = message_parse(exact, len, NULL);
    return analyzer_run(analyzer, message, NULL);
}

static char *
describe(const Analysis *a)
{
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "%s %s\n", verdict_name(a->verdict),
                           a->reason != NULL && a->reason[0] != '\0' ? a->reason
                                                                     : "-");
    for (unsigned i = 0; i < a->bounces->len; i++) {
        const Bounce *b = &g_array_index(a->bounces, Bounce, i);
        g_string_append_printf(
            out, "%s %s %s %s\n", bounce_class_name(b->class),
            b->status[0] != '\0' ? b->status : "-", b->reason, b->email);
    }
    if (a->unsubscribe != NULL && a->verdict == VERDICT_UNSUBSCRIBE)
        for (unsigned i = 0; i < a->unsubscribe->addresses->len; i++)
            g_string_append_printf(
                out, "unsubscribe %s\n",
                (char *) g_ptr_array_index(a->unsubscribe->addresses, i));
    return g_string_free(out, FALSE);
}

static void
test_own(void)
{
    g_autofree char *folder =
        g_test_build_filename(G_TEST_DIST, "tests/corpus/bounce", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_assert_nonnull(dir);
    bool update = g_getenv("UPDATE_EXPECTED") != NULL;
    unsigned n = 0, wrong = 0;
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        if (!g_str_has_suffix(name, ".eml"))
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *expected_path = g_strdup(path);
        memcpy(expected_path + strlen(path) - 4, "\0", 1);
        g_autofree char *beside = g_strconcat(expected_path, ".expected", NULL);
        g_autoptr(Analysis) analysis = analyze(path);
        g_autofree char *got = describe(analysis);
        g_autofree char *expected = NULL;
        n++;
        if (update) {
            g_assert_true(g_file_set_contents(beside, got, -1, NULL));
            continue;
        }
        g_assert_true(g_file_get_contents(beside, &expected, NULL, NULL));
        if (strcmp(got, expected) != 0) {
            wrong++;
            g_test_message("%s\nexpected:\n%sgot:\n%s", name, expected, got);
        }
    }
    g_assert_cmpuint(n, >=, 60);
    g_assert_cmpuint(wrong, ==, 0);
}

/* --- the shared corpus ------------------------------------------------------------ */

typedef struct {
    unsigned hard, hard_found, said_hard, false_hard;
    unsigned soft, soft_found;
    unsigned no_bounces, false_alarms, verdicts, verdicts_right;
} Figures;

static const char *
text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static bool
names(const json_t *recipient, const char *email)
{
    if (g_ascii_strcasecmp(text_of(recipient, "email"), email) == 0)
        return true;
    size_t i;
    json_t *alias;
    json_array_foreach(json_object_get(recipient, "aliases"), i,
                       alias) if (g_ascii_strcasecmp(json_string_value(alias),
                                                     email) == 0) return true;
    return false;
}

static bool
is_expected(const json_t *label, Verdict verdict)
{
    const json_t *expect = json_object_get(label, "expect");
    size_t i;
    json_t *word;
    if (expect != NULL) {
        json_array_foreach(
            (json_t *) expect, i,
            word) if (strcmp(json_string_value(word), verdict_name(verdict)) ==
                      0) return true;
        return false;
    }
    const char *kind = text_of(label, "kind");
    if (strcmp(kind, "bounce") == 0)
        return verdict == VERDICT_BOUNCE;
    if (strcmp(kind, "feedback") == 0)
        return verdict == VERDICT_UNSUBSCRIBE || verdict == VERDICT_IGNORE;
    if (strcmp(kind, "notbounce") == 0)
        return verdict == VERDICT_CONTACT || verdict == VERDICT_IGNORE;
    return verdict == VERDICT_IGNORE;
}

static void
count(const json_t *label, const Analysis *a, Figures *f)
{
    bool right = is_expected(label, a->verdict);
    f->verdicts++;
    f->verdicts_right += right;
    bool is_bounce = strcmp(text_of(label, "kind"), "bounce") == 0;
    f->no_bounces += !is_bounce;
    f->false_alarms += a->verdict == VERDICT_BOUNCE && !right;
    if (!right)
        g_test_message("%s: %s", text_of(label, "file"),
                       verdict_name(a->verdict));

    const json_t *recipients = json_object_get(label, "recipients");
    size_t i;
    json_t *r;
    json_array_foreach((json_t *) recipients, i, r)
    {
        BounceClass class = BOUNCE_OTHER;
        for (unsigned k = 0; k < a->bounces->len; k++) {
            const Bounce *b = &g_array_index(a->bounces, Bounce, k);
            if (names(r, b->email))
                class = MAX(class, b->class);
        }
        if (json_is_true(json_object_get(r, "borderline")) || !is_bounce)
            continue;
        const char *wanted = text_of(r, "class");
        bool hard = strcmp(wanted, "hard") == 0;
        bool soft = strcmp(wanted, "soft") == 0;
        f->hard += hard;
        f->soft += soft;
        f->hard_found += hard && class == BOUNCE_HARD;
        f->soft_found += soft && class == BOUNCE_SOFT;
        f->said_hard += class == BOUNCE_HARD;
        f->false_hard += !hard && class == BOUNCE_HARD;
        if ((hard && class != BOUNCE_HARD) || (soft && class != BOUNCE_SOFT))
            g_test_message("%s: %s wanted %s, got %s", text_of(label, "file"),
                           text_of(r, "email"), wanted,
                           bounce_class_name(class));
    }
    for (unsigned k = 0; k < a->bounces->len; k++) {
        const Bounce *b = &g_array_index(a->bounces, Bounce, k);
        bool known = false;
        json_array_foreach((json_t *) recipients, i, r) known |=
            names(r, b->email);
        if (!known && b->class == BOUNCE_HARD && is_bounce) {
            f->said_hard++;
            f->false_hard++;
            g_test_message("%s: stray %s", text_of(label, "file"), b->email);
        }
    }
}

static void
test_shared(void)
{
    g_autofree char *folder = g_test_build_filename(G_TEST_DIST, "..", "shared",
                                                    "corpus", "bounce", NULL);
    g_autofree char *labels_path =
        g_build_filename(folder, "labels.jsonl", NULL);
    g_autofree char *labels = NULL;
    if (!g_file_get_contents(labels_path, &labels, NULL, NULL)) {
        g_test_skip("the shared corpus is not here");
        return;
    }
    Figures f = { 0 };
    g_auto(GStrv) lines = g_strsplit(labels, "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++) {
        if (lines[i][0] == '\0')
            continue;
        json_t *label = json_loads(lines[i], 0, NULL);
        g_assert_nonnull(label);
        g_autofree char *path =
            g_build_filename(folder, text_of(label, "file"), NULL);
        g_autoptr(Analysis) analysis = analyze(path);
        if (strcmp(text_of(label, "kind"), "forged") != 0)
            count(label, analysis, &f);
        json_decref(label);
    }
    g_test_message("hard %u of %u, false hard %u of %u, soft %u of %u, "
                   "false alarms %u of %u, verdicts %u of %u",
                   f.hard_found, f.hard, f.false_hard, f.said_hard,
                   f.soft_found, f.soft, f.false_alarms, f.no_bounces,
                   f.verdicts_right, f.verdicts);
    g_assert_cmpuint(f.hard_found * 100, >=, f.hard * 98);
    g_assert_cmpuint(f.false_hard * 100, <=, f.said_hard);
    g_assert_cmpuint(f.soft_found * 100, >=, f.soft * 98);
    g_assert_cmpuint(f.false_alarms, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    analyzer = analyzer_new(&(AnalyzerOptions){ 0 }, NULL);
    g_test_add_func("/bounce/corpus/own", test_own);
    g_test_add_func("/bounce/corpus/shared", test_shared);
    int result = g_test_run();
    analyzer_free(analyzer);
    return result;
}

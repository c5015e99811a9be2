/*
 * analyze.c - contactctl analyze: what the milter would find
 *
 * Needs neither configuration nor store nor network. With -c the settings of
 * that file apply (local domains, country, phrases).
 */
#include <string.h>

#include "analysis/analysis.h"
#include "ctl/contact_lines.h"
#include "ctl/ctl.h"
#include "ctl/mail_source.h"
#include "ctl/table.h"
#include "trust/verdict.h"

typedef struct {
    Analyzer *analyzer;
    MessageLimits limits;
    TrustPolicy trust;
    double min_confidence; /* what is found with less is not sent */
    GString *json;         /* NULL: for people */
} Run;

/* What a stored mail's header fields tell of its author. False when they tell
 * nothing, or when it does not matter. */
static bool
trust_of(const Run *run, const Message *message, const Analysis *analysis,
         TrustVerdict *out_verdict)
{
    if ((analysis->verdict != VERDICT_CONTACT &&
         analysis->verdict != VERDICT_UNSUBSCRIBE) ||
        message_header(message, "Authentication-Results") == NULL)
        return false;
    trust_from_headers(message, &run->trust, out_verdict);
    return true;
}

/* --- as JSON ------------------------------------------------------------ */

/* Written as it goes, without a tree of values as jansson wants it, which took
 * a twentieth of the whole analysis. */

static void
add_string(GString *out, const char *text)
{
    g_autofree char *valid = NULL;
    if (!g_utf8_validate(text, -1, NULL))
        text = valid = g_utf8_make_valid(text, -1);
    g_string_append_c(out, '"');
    while (*text != '\0') {
        size_t plain = 0;
        while ((unsigned char) text[plain] >= 0x20 && text[plain] != '"' &&
               text[plain] != '\\')
            plain++;
        g_string_append_len(out, text, (gssize) plain);
        text += plain;
        if (*text == '\0')
            break;
        static const char controls[] = "\b\f\n\r\t\"\\";
        static const char letters[] = "bfnrt\"\\";
        const char *known = strchr(controls, *text);
        if (known != NULL) {
            g_string_append_c(out, '\\');
            g_string_append_c(out, letters[known - controls]);
        } else {
            g_string_append_printf(out, "\\u%04X", (unsigned) *text);
        }
        text++;
    }
    g_string_append_c(out, '"');
}

/* The name of an object's next member. */
static void
add_key(GString *out, const char *key)
{
    if (out->str[out->len - 1] != '{')
        g_string_append_c(out, ',');
    g_string_append_c(out, '"');
    g_string_append(out, key);
    g_string_append(out, "\":");
}

static void
add_text(GString *out, const char *key, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    add_key(out, key);
    add_string(out, text);
}

/* Parts the elements of an array. */
static void
add_comma(GString *out)
{
    if (out->str[out->len - 1] != '[')
        g_string_append_c(out, ',');
}

static void
add_texts(GString *out, const char *key, const GPtrArray *list)
{
    add_key(out, key);
    g_string_append_c(out, '[');
    for (guint i = 0; i < list->len; i++) {
        add_comma(out);
        add_string(out, g_ptr_array_index(list, i));
    }
    g_string_append_c(out, ']');
}

static void
add_contact(GString *out, const Contact *contact)
{
    add_key(out, "contact");
    g_string_append_c(out, '{');
    add_text(out, "email", contact->email);
    add_text(out, "firstName", contact->first_name.value);
    add_text(out, "lastName", contact->last_name.value);
    add_text(out, "jobTitle", contact->job_title.value);
    add_text(out, "company", contact->company.value);
    if (contact->phones->len > 0) {
        add_key(out, "phones");
        g_string_append_c(out, '[');
        for (guint i = 0; i < contact->phones->len; i++) {
            const Phone *phone = &g_array_index(contact->phones, Phone, i);
            add_comma(out);
            g_string_append_c(out, '{');
            add_text(out, "type", phone_type_name(phone->type));
            add_text(out, "number", phone->number.value);
            add_text(out, "ext", phone->extension);
            g_string_append_c(out, '}');
        }
        g_string_append_c(out, ']');
    }
    add_text(out, "website", contact->website.value);
    add_text(out, "address", contact->address.value);
    if (contact->links->len > 0) {
        g_autoptr(GPtrArray) links = g_ptr_array_new();
        for (guint i = 0; i < contact->links->len; i++)
            g_ptr_array_add(links,
                            g_array_index(contact->links, Field, i).value);
        add_texts(out, "links", links);
    }
    g_string_append_c(out, '}');
}

static void
add_bounces(GString *out, const GArray *bounces)
{
    add_key(out, "bounces");
    g_string_append_c(out, '[');
    for (guint i = 0; i < bounces->len; i++) {
        const Bounce *bounce = &g_array_index(bounces, Bounce, i);
        add_comma(out);
        g_string_append_c(out, '{');
        add_text(out, "email", bounce->email);
        add_text(out, "class", bounce_class_name(bounce->class));
        add_text(out, "status", bounce->status);
        add_text(out, "reason", bounce->reason);
        g_string_append_c(out, '}');
    }
    g_string_append_c(out, ']');
}

static void
print_json(GString *out, const char *name, const Analysis *analysis,
           const TrustVerdict *trust)
{
    g_string_assign(out, "{");
    add_text(out, "file", name);
    add_text(out, "verdict", verdict_name(analysis->verdict));
    add_text(out, "reason", analysis->reason);
    add_text(out, "lang", analysis->lang);
    if (analysis->contact != NULL)
        add_contact(out, analysis->contact);
    if (analysis->signature->len > 0)
        add_texts(out, "signature", analysis->signature);
    if (analysis->bounces->len > 0)
        add_bounces(out, analysis->bounces);
    const Unsubscribe *request = analysis->unsubscribe;
    if (request != NULL && request->scope != UNSUBSCRIBE_RESUBSCRIBE) {
        add_key(out, "unsubscribe");
        g_string_append_c(out, '{');
        add_texts(out, "addresses", request->addresses);
        add_text(out, "scope", unsubscribe_scope_name(request->scope));
        add_key(out, "unsure");
        g_string_append(out, request->unsure ? "true" : "false");
        g_string_append_c(out, '}');
    }
    if (trust != NULL) {
        add_key(out, "trust");
        g_string_append_c(out, '{');
        add_text(out, "verdict", auth_verdict_name(trust->verdict));
        add_text(out, "reason", trust->reason);
        g_string_append_c(out, '}');
    }
    g_string_append(out, "}\n");
    (void) fwrite(out->str, 1, out->len, stdout);
}

/* --- for people --------------------------------------------------------- */

static void
print_human(const Run *run, const char *name, const Analysis *analysis,
            const TrustVerdict *trust)
{
    printf("%s%s: %s%s%s%s\n", style_on(stdout, STYLE_BOLD), name,
           verdict_name(analysis->verdict), *analysis->reason ? ": " : "",
           analysis->reason, style_off(stdout));
    if (analysis->contact != NULL)
        contact_lines(analysis->contact, run->min_confidence);
    for (guint i = 0; i < analysis->bounces->len; i++) {
        const Bounce *bounce = &g_array_index(analysis->bounces, Bounce, i);
        g_autofree char *what = g_strdup_printf(
            "%s%s%s %s", bounce_class_name(bounce->class),
            bounce->status && *bounce->status ? " " : "",
            bounce->status ? bounce->status : "", bounce->reason);
        contact_line("bounced", bounce->email, what, bounce->evidence, 0);
    }
    const Unsubscribe *request = analysis->unsubscribe;
    if (request != NULL) {
        g_autofree char *what = g_strdup_printf(
            "%s%s", unsubscribe_scope_name(request->scope),
            request->unsure ? ", unsure: a person decides" : "");
        for (guint i = 0; i < request->addresses->len; i++)
            contact_line("unsubscribe",
                         g_ptr_array_index(request->addresses, i), what,
                         request->evidence, 0);
    }
    if (trust != NULL)
        contact_line("trust", auth_verdict_name(trust->verdict), trust->reason,
                     NULL, 0);
    for (guint i = 0; i < analysis->signature->len; i++)
        contact_line(i == 0 ? "signature" : "",
                     g_ptr_array_index(analysis->signature, i), NULL, NULL, 0);
    for (guint i = 0; i < analysis->notes->len; i++)
        contact_line("note", g_ptr_array_index(analysis->notes, i), NULL, NULL,
                     0);
}

/* --- the command -------------------------------------------------------- */

static bool
analyze_one(const StoredMail *mail, void *data)
{
    const Run *run = data;
    g_autoptr(Message) message =
        message_parse(mail->bytes, mail->len, &run->limits);
    g_autoptr(Analysis) analysis = analyzer_run(run->analyzer, message, NULL);
    TrustVerdict verdict = { 0 };
    const TrustVerdict *trust =
        trust_of(run, message, analysis, &verdict) ? &verdict : NULL;
    if (run->json != NULL)
        print_json(run->json, mail->name, analysis, trust);
    else
        print_human(run, mail->name, analysis, trust);
    trust_verdict_clear(&verdict);
    return !ferror(stdout);
}

int
ctl_analyze(Ctl *ctl, int argc, char **argv)
{
    gboolean json = FALSE;
    g_autofree char *country = NULL;
    g_auto(GStrv) domains = NULL;
    int status;
    const GOptionEntry entries[] = {
        { "json", 0, 0, G_OPTION_ARG_NONE, &json, "One JSON object per message",
          NULL },
        { "country", 0, 0, G_OPTION_ARG_STRING, &country,
          "Country of phone numbers that name none (default AU)", "CC" },
        { "local-domain", 0, 0, G_OPTION_ARG_STRING_ARRAY, &domains,
          "A domain of ours; may be given several times", "DOMAIN" },
        G_OPTION_ENTRY_NULL
    };
    if (!ctl_options(entries, "PATH... - what these messages say", &argc, &argv,
                     &status))
        return status;
    if (argc < 2) {
        ctl_error("analyze needs files, Maildirs, mboxes, or - for standard "
                  "input");
        return EX_USAGE;
    }
    if (country != NULL &&
        (strlen(country) != 2 || !g_ascii_isalpha(country[0]) ||
         !g_ascii_isalpha(country[1]))) {
        ctl_error("--country %s: write two letters, for example AU", country);
        return EX_USAGE;
    }

    g_autoptr(Settings) settings =
        ctl->config != NULL ? ctl_settings(ctl, ROLE_TOOL)
                            : settings_load(NULL, ROLE_TOOL, NULL, NULL);
    if (settings == NULL)
        return EX_CONFIG;
    AnalyzerOptions options;
    ctl_analyzer_options(settings, &options);
    g_autofree char *upper = country ? g_ascii_strup(country, -1) : NULL;
    if (upper != NULL)
        options.default_country = upper;
    if (domains != NULL)
        options.local_domains = (const char *const *) domains;

    g_autoptr(GError) error = NULL;
    g_autoptr(Analyzer) analyzer = analyzer_new(&options, &error);
    if (analyzer == NULL) {
        ctl_error("%s", error->message);
        return EX_CONFIG;
    }
    Run run = { .analyzer = analyzer,
                .limits = message_limits_default,
                .json = json ? g_string_new(NULL) : NULL };
    run.min_confidence = settings->contact.min_confidence;
    run.limits.max_bytes = (size_t) settings->mta.capture_limit;
    trust_policy_of(settings, &run.trust);
    run.trust.local_domains = options.local_domains;
    status = 0;
    for (int i = 1; i < argc; i++) {
        g_autoptr(GError) problem = NULL;
        if (!mail_source_visit(argv[i], analyze_one, &run, &problem)) {
            ctl_error("%s", problem->message);
            status = EX_NOINPUT;
        }
    }
    if (run.json != NULL)
        g_string_free(run.json, TRUE);
    return status;
}

/*
 * analyze.c - contactctl analyze: what the milter would find
 *
 * Needs neither configuration nor store nor network. With -c the settings of
 * that file apply (local domains, country, phrases).
 */
#include <jansson.h>
#include <string.h>

#include "analysis/analysis.h"
#include "ctl/ctl.h"
#include "ctl/mail_source.h"
#include "ctl/table.h"
#include "trust/verdict.h"

typedef struct {
    Analyzer *analyzer;
    MessageLimits limits;
    TrustPolicy trust;
    bool json;
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

static void
set_text(json_t *object, const char *key, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    json_t *value = json_string(text);
    if (value == NULL) { /* not UTF-8 */
        g_autofree char *valid = g_utf8_make_valid(text, -1);
        value = json_string(valid);
    }
    (void) json_object_set_new(object, key, value);
}

static json_t *
text_array(const GPtrArray *list)
{
    json_t *array = json_array();
    for (guint i = 0; i < list->len; i++) {
        g_autofree char *valid =
            g_utf8_make_valid(g_ptr_array_index(list, i), -1);
        (void) json_array_append_new(array, json_string(valid));
    }
    return array;
}

static json_t *
contact_json(const Contact *contact)
{
    json_t *object = json_object();
    set_text(object, "email", contact->email);
    set_text(object, "firstName", contact->first_name.value);
    set_text(object, "lastName", contact->last_name.value);
    set_text(object, "jobTitle", contact->job_title.value);
    set_text(object, "company", contact->company.value);
    if (contact->phones->len > 0) {
        json_t *phones = json_array();
        for (guint i = 0; i < contact->phones->len; i++) {
            const Phone *phone = &g_array_index(contact->phones, Phone, i);
            json_t *one = json_object();
            set_text(one, "type", phone_type_name(phone->type));
            set_text(one, "number", phone->number.value);
            set_text(one, "ext", phone->extension);
            (void) json_array_append_new(phones, one);
        }
        (void) json_object_set_new(object, "phones", phones);
    }
    set_text(object, "website", contact->website.value);
    set_text(object, "address", contact->address.value);
    if (contact->links->len > 0) {
        g_autoptr(GPtrArray) links = g_ptr_array_new();
        for (guint i = 0; i < contact->links->len; i++)
            g_ptr_array_add(links,
                            g_array_index(contact->links, Field, i).value);
        (void) json_object_set_new(object, "links", text_array(links));
    }
    return object;
}

static json_t *
bounces_json(const GArray *bounces)
{
    json_t *array = json_array();
    for (guint i = 0; i < bounces->len; i++) {
        const Bounce *bounce = &g_array_index(bounces, Bounce, i);
        json_t *one = json_object();
        set_text(one, "email", bounce->email);
        set_text(one, "class", bounce_class_name(bounce->class));
        set_text(one, "status", bounce->status);
        set_text(one, "reason", bounce->reason);
        (void) json_array_append_new(array, one);
    }
    return array;
}

static void
print_json(const char *name, const Analysis *analysis,
           const TrustVerdict *trust)
{
    json_t *object = json_object();
    set_text(object, "file", name);
    set_text(object, "verdict", verdict_name(analysis->verdict));
    set_text(object, "reason", analysis->reason);
    set_text(object, "lang", analysis->lang);
    if (analysis->contact != NULL)
        (void) json_object_set_new(object, "contact",
                                   contact_json(analysis->contact));
    if (analysis->signature->len > 0)
        (void) json_object_set_new(object, "signature",
                                   text_array(analysis->signature));
    if (analysis->bounces->len > 0)
        (void) json_object_set_new(object, "bounces",
                                   bounces_json(analysis->bounces));
    const Unsubscribe *request = analysis->unsubscribe;
    if (request != NULL && request->scope != UNSUBSCRIBE_RESUBSCRIBE) {
        json_t *one = json_object();
        (void) json_object_set_new(one, "addresses",
                                   text_array(request->addresses));
        set_text(one, "scope", unsubscribe_scope_name(request->scope));
        (void) json_object_set_new(one, "unsure",
                                   json_boolean(request->unsure));
        (void) json_object_set_new(object, "unsubscribe", one);
    }
    if (trust != NULL) {
        json_t *one = json_object();
        set_text(one, "verdict", auth_verdict_name(trust->verdict));
        set_text(one, "reason", trust->reason);
        (void) json_object_set_new(object, "trust", one);
    }
    /* One write a message: json_dumpf() would write token by token. */
    char text[8192];
    size_t len = json_dumpb(object, text, sizeof text, JSON_COMPACT);
    if (len <= sizeof text)
        (void) fwrite(text, 1, len, stdout);
    else
        (void) json_dumpf(object, stdout, JSON_COMPACT);
    (void) putchar('\n');
    json_decref(object);
}

/* --- for people --------------------------------------------------------- */

static void
print_line(const char *label, const char *value, const char *detail,
           const char *evidence, double confidence)
{
    if (value == NULL || *value == '\0')
        return;
    printf("  %-11s %s", label, value);
    if (detail != NULL && *detail != '\0')
        printf(" (%s)", detail);
    if (evidence != NULL && *evidence != '\0')
        printf("%s  <- \"%s\"%s", style_on(stdout, STYLE_DIM), evidence,
               style_off(stdout));
    if (confidence > 0)
        printf("%s  %.2f%s", style_on(stdout, STYLE_DIM), confidence,
               style_off(stdout));
    (void) putchar('\n');
}

static void
print_field(const char *label, const Field *field)
{
    print_line(label, field->value, NULL, field->evidence, field->confidence);
}

static void
print_contact(const Contact *contact)
{
    print_line("email", contact->email,
               contact->role_account ? "role account"
               : contact->from_relay ? "from Reply-To"
                                     : NULL,
               NULL, 0);
    print_field("first name", &contact->first_name);
    print_field("last name", &contact->last_name);
    print_field("job title", &contact->job_title);
    print_field("company", &contact->company);
    for (guint i = 0; i < contact->phones->len; i++) {
        const Phone *phone = &g_array_index(contact->phones, Phone, i);
        g_autofree char *number =
            phone->extension == NULL
                ? g_strdup(phone->number.value)
                : g_strdup_printf("%s ext. %s", phone->number.value,
                                  phone->extension);
        print_line("phone", number, phone_type_name(phone->type),
                   phone->number.evidence, phone->number.confidence);
    }
    print_field("website", &contact->website);
    print_field("address", &contact->address);
    for (guint i = 0; i < contact->links->len; i++)
        print_field("link", &g_array_index(contact->links, Field, i));
}

static void
print_human(const char *name, const Analysis *analysis,
            const TrustVerdict *trust)
{
    printf("%s%s: %s%s%s%s\n", style_on(stdout, STYLE_BOLD), name,
           verdict_name(analysis->verdict), *analysis->reason ? ": " : "",
           analysis->reason, style_off(stdout));
    if (analysis->contact != NULL)
        print_contact(analysis->contact);
    for (guint i = 0; i < analysis->bounces->len; i++) {
        const Bounce *bounce = &g_array_index(analysis->bounces, Bounce, i);
        g_autofree char *what = g_strdup_printf(
            "%s%s%s %s", bounce_class_name(bounce->class),
            bounce->status && *bounce->status ? " " : "",
            bounce->status ? bounce->status : "", bounce->reason);
        print_line("bounced", bounce->email, what, bounce->evidence, 0);
    }
    const Unsubscribe *request = analysis->unsubscribe;
    if (request != NULL) {
        g_autofree char *what = g_strdup_printf(
            "%s%s", unsubscribe_scope_name(request->scope),
            request->unsure ? ", unsure: a person decides" : "");
        for (guint i = 0; i < request->addresses->len; i++)
            print_line("unsubscribe", g_ptr_array_index(request->addresses, i),
                       what, request->evidence, 0);
    }
    if (trust != NULL)
        print_line("trust", auth_verdict_name(trust->verdict), trust->reason,
                   NULL, 0);
    for (guint i = 0; i < analysis->signature->len; i++)
        print_line(i == 0 ? "signature" : "",
                   g_ptr_array_index(analysis->signature, i), NULL, NULL, 0);
    for (guint i = 0; i < analysis->notes->len; i++)
        print_line("note", g_ptr_array_index(analysis->notes, i), NULL, NULL,
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
    if (run->json)
        print_json(mail->name, analysis, trust);
    else
        print_human(mail->name, analysis, trust);
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
                .json = json };
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
    return status;
}

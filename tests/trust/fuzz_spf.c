/*
 * Fuzz target: a whole SPF check, libspf2 included, against a name server that
 * answers with the input. The first line is the sender; then each question
 * takes the next line: as a TXT record, as host names, as an address, or, when
 * it begins with "!", as a failure.
 */
#include "trust/spf.h"
#include "trust/spf_layer.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    SPF_dns_server_t server; /* first */
    char **lines;
    size_t n, next;
    unsigned asked;
} Script;

static SPF_dns_rr_t *
scripted_lookup(SPF_dns_server_t *server, const char *name, ns_type type,
                int cache)
{
    Script *script = (Script *) (void *) server;
    (void) cache;
    script->asked++;
    const char *line =
        script->n > 0 ? script->lines[script->next++ % script->n] : "";
    if (*line == '!')
        return SPF_dns_rr_new_init(server, name, type, 0, TRY_AGAIN);
    SPF_dns_rr_t *rr =
        SPF_dns_rr_new_init(server, name, type, 0, NETDB_SUCCESS);
    g_auto(GStrv) parts = g_strsplit(line, "|", 20);
    for (int i = 0; parts[i] != NULL; i++) {
        size_t len = strlen(parts[i]);
        char buffer[16] = "";
        memcpy(buffer, parts[i], MIN(len, sizeof(buffer)));
        bool address = type == ns_t_a || type == ns_t_aaaa;
        if (SPF_dns_rr_buf_realloc(rr, i, MAX(len + 1, 16)) != SPF_E_SUCCESS)
            break;
        memcpy(rr->rr[i], address ? buffer : parts[i],
               address ? (type == ns_t_a ? 4 : 16) : len + 1);
        rr->num_rr = i + 1;
    }
    return rr;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *) data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 100);
    Script script = { .server = { .lookup = scripted_lookup,
                                  .name = "script" } };
    script.n = g_strv_length(lines);
    script.lines = lines;
    if (script.n > 1) {
        script.lines++;
        script.n--;
    }
    SpfChecker *checker = spf_checker_new(&script.server, NULL);
    SpfOutcome outcome;
    spf_check(checker, size % 2 == 0 ? "192.0.2.10" : "2001:db8::10",
              "h.example", lines[0] != NULL ? lines[0] : "x@a.example",
              &outcome);
    g_assert_cmpuint(script.asked, <=, SPF_MAX_QUERIES);
    g_assert_cmpuint(script.asked, ==, outcome.queries);
    spf_outcome_clear(&outcome);
    spf_checker_free(checker);
    return 0;
}

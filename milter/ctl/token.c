/*
 * token.c - contactctl token: the signed List-Unsubscribe mailto
 *
 * For the header field of one's own mailings (RFC 2369, section 3.2):
 *
 *     List-Unsubscribe: <mailto:unsubscribe+TOKEN@example.org?subject=...>
 *
 * The mailbox is the first of [unsubscribe] addresses that has no wildcard,
 * else unsubscribe@ the first of our own domains. The subject is for clients
 * that send no empty one, and for people who read the mailbox.
 */
#include <string.h>

#include "analysis/token.h"
#include "ctl/ctl.h"

/* RFC 5321, 4.5.3.1.1 */
enum { LOCAL_PART_MAX = 64 };

static char *
mailbox_of(const Settings *settings)
{
    char **addresses = settings->unsubscribe.addresses;
    for (size_t i = 0; addresses[i] != NULL; i++) {
        const char *at = strrchr(addresses[i], '@');
        if (strpbrk(addresses[i], "*?") == NULL && at != NULL &&
            at != addresses[i])
            return g_strdup(addresses[i]);
    }
    return g_strconcat("unsubscribe@", settings->mta.local_domains[0], NULL);
}

int
ctl_token(Ctl *ctl, int argc, char **argv)
{
    gboolean json = FALSE;
    int status;
    const GOptionEntry entries[] = { CTL_JSON_OPTION(&json),
                                     G_OPTION_ENTRY_NULL };
    if (!ctl_options(entries,
                     "ADDRESS - the signed List-Unsubscribe mailto for it",
                     &argc, &argv, &status))
        return status;
    if (argc != 2) {
        ctl_error("usage: contactctl token ADDRESS");
        return EX_USAGE;
    }
    g_autoptr(Settings) settings = ctl_settings(ctl, ROLE_MTA);
    if (settings == NULL)
        return EX_CONFIG;
    const char *key = settings->unsubscribe.token_secret;
    if (key == NULL) {
        ctl_error("[unsubscribe] token_secret_file is not set: there is no key "
                  "to sign with");
        return EX_CONFIG;
    }
    g_autofree char *token = token_make(argv[1], key, strlen(key));
    if (token == NULL) {
        ctl_error("%s: not an address", argv[1]);
        return EX_DATAERR;
    }
    g_autofree char *mailbox = mailbox_of(settings);
    const char *at = strrchr(mailbox, '@');
    int local = (int) (at - mailbox);
    if ((size_t) local + 1 + strlen(token) > LOCAL_PART_MAX)
        ctl_error("warning: the local-part is longer than %d octets, which "
                  "some mail servers refuse",
                  LOCAL_PART_MAX);
    g_autofree char *link = g_strdup_printf(
        "mailto:%.*s+%s%s?subject=unsubscribe", local, mailbox, token, at);
    if (json)
        ctl_json(json_pack("{s:s, s:s}", "email", argv[1], "mailto", link));
    else
        puts(link);
    return EX_OK;
}

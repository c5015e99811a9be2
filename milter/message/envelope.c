/*
 * envelope.c - see envelope.h
 */
#include "message/envelope.h"

#include <string.h>

Envelope *
envelope_new(void)
{
    Envelope *envelope = g_new0(Envelope, 1);
    envelope->recipients = g_ptr_array_new_with_free_func(g_free);
    return envelope;
}

void
envelope_free(Envelope *envelope)
{
    if (envelope == NULL)
        return;
    g_free(envelope->queue_id);
    g_free(envelope->client_addr);
    g_free(envelope->client_name);
    g_free(envelope->helo);
    g_free(envelope->mail_from);
    g_ptr_array_unref(envelope->recipients);
    g_free(envelope->auth_user);
    g_free(envelope->daemon_name);
    g_free(envelope);
}

char *
envelope_address(const char *argument)
{
    const char *start = argument;
    while (g_ascii_isspace(*start))
        start++;

    /* Without brackets ESMTP parameters begin at the first blank. */
    size_t len = strcspn(start, " \t");
    if (*start == '<') {
        start++;
        bool quoted = false;
        for (len = 0; start[len] != '\0'; len++) {
            if (start[len] == '"')
                quoted = !quoted;
            else if (start[len] == '\\' && start[len + 1] != '\0')
                len++;
            else if (start[len] == '>' && !quoted)
                break;
        }
    }

    /* Source route (RFC 5321, appendix C): "@a,@b:user@host". */
    if (*start == '@') {
        const char *colon = memchr(start, ':', len);
        if (colon != NULL) {
            len -= (size_t) (colon + 1 - start);
            start = colon + 1;
        }
    }
    return g_strstrip(g_strndup(start, len));
}

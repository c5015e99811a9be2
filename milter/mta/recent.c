/*
 * recent.c - see recent.h
 *
 * The key is a hash over all that the judge will look at: the contact, sender,
 * client, and Authentication-Results; not what is new with each mail (queue ID,
 * Message-ID, recipients, header.b= of a DKIM result). The hour is a part of
 * it, so that an entry need not be thrown away when it is old. The table is
 * direct-mapped: a key has one place, and takes it.
 */
#include "mta/recent.h"

#include "store/observation_json.h"

#include <pthread.h>
#include <string.h>

struct Recent {
    pthread_mutex_t lock;
    RecentKey keys[RECENT_MAX];
};

Recent *
recent_new(void)
{
    Recent *recent = g_new0(Recent, 1);
    pthread_mutex_init(&recent->lock, NULL);
    return recent;
}

void
recent_free(Recent *recent)
{
    if (recent == NULL)
        return;
    pthread_mutex_destroy(&recent->lock);
    g_free(recent);
}

/* Without header.b= (RFC 6008), which differs with each signature. */
static void
hash_results(GChecksum *sum, const char *value)
{
    static const char tag[] = "header.b=";
    const char *at;
    while ((at = strstr(value, tag)) != NULL) {
        g_checksum_update(sum, (const guchar *) value, at - value);
        at += strlen(tag);
        value = at + strcspn(at, " \t\r\n;");
    }
    g_checksum_update(sum, (const guchar *) value, (gssize) strlen(value) + 1);
}

bool
recent_key(const GPtrArray *observations, RecentKey *out_key)
{
    if (observations->len != 1)
        return false;
    const Observation *o = g_ptr_array_index(observations, 0);
    if (o->kind != OBSERVATION_CONTACT)
        return false;

    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    for (guint i = 0; i < o->auth_results->len; i++) {
        const AuthResults *results =
            &g_array_index(o->auth_results, AuthResults, i);
        const guchar flags[] = { results->arc, results->above_received };
        g_checksum_update(sum, flags, sizeof flags);
        hash_results(sum, results->value);
    }

    g_autoptr(GPtrArray) nobody = g_ptr_array_new();
    g_autoptr(GArray) nothing = g_array_new(FALSE, FALSE, sizeof(AuthResults));
    Observation same = *o;
    same.queue_id = same.message_id = NULL;
    same.recipients = nobody;
    same.auth_results = nothing;
    same.time = o->time / RECENT_SECONDS;
    g_autofree char *json = observation_to_json(&same);
    g_checksum_update(sum, (const guchar *) json, (gssize) strlen(json));

    guint8 digest[32];
    gsize len = sizeof digest;
    g_checksum_get_digest(sum, digest, &len);
    g_checksum_free(sum);
    memcpy(out_key->bytes, digest, RECENT_KEY);
    return true;
}

static RecentKey *
place(Recent *recent, const RecentKey *key)
{
    unsigned number = key->bytes[0] | (unsigned) key->bytes[1] << 8;
    return &recent->keys[number % RECENT_MAX];
}

bool
recent_has(Recent *recent, const RecentKey *key)
{
    pthread_mutex_lock(&recent->lock);
    bool has = memcmp(place(recent, key), key, sizeof *key) == 0;
    pthread_mutex_unlock(&recent->lock);
    return has;
}

void
recent_add(Recent *recent, const RecentKey *key)
{
    pthread_mutex_lock(&recent->lock);
    *place(recent, key) = *key;
    pthread_mutex_unlock(&recent->lock);
}

void
recent_clear(Recent *recent)
{
    pthread_mutex_lock(&recent->lock);
    memset(recent->keys, 0, sizeof recent->keys);
    pthread_mutex_unlock(&recent->lock);
}

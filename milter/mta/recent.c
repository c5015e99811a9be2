/*
 * recent.c - see recent.h
 *
 * The key is a hash over all that the judge will look at: the contact, sender,
 * client, and Authentication-Results; not what is new with each mail (queue ID,
 * Message-ID, recipients, header.b= of a DKIM result). The hour is a part of
 * it, so that an entry need not be thrown away when it is old. The table is
 * direct-mapped: a key has one place, and takes it.
 *
 * What is hashed is written as it is in memory, each text with its end: the
 * JSON of the spool would do, but cost a tenth of all that a message takes.
 */
#include "mta/recent.h"

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

/* --- what is hashed ------------------------------------------------------ */

static void
add_bytes(GString *out, const void *bytes, size_t len)
{
    g_string_append_len(out, bytes, (gssize) len);
}

/* NULL is told from "". */
static void
add_text(GString *out, const char *text)
{
    g_string_append_c(out, text != NULL ? '+' : '-');
    if (text != NULL)
        add_bytes(out, text, strlen(text) + 1);
}

static void
add_field(GString *out, const Field *field)
{
    add_text(out, field->value);
    add_text(out, field->evidence);
    add_bytes(out, &field->confidence, sizeof field->confidence);
}

static void
add_contact(GString *out, const Contact *c)
{
    const Field *const fields[] = { &c->first_name, &c->last_name,
                                    &c->job_title,  &c->company,
                                    &c->website,    &c->address };
    const AddressParts *a = &c->address_parts;
    const char *const texts[] = { a->line1,       a->line2,   a->line3,
                                  a->line4,       a->city,    a->state,
                                  a->postal_code, a->country, c->email,
                                  c->name_source };
    const bool flags[] = { c->role_account, c->from_relay };

    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        add_field(out, fields[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        add_text(out, texts[i]);
    add_bytes(out, flags, sizeof flags);
    add_bytes(out, &c->phones->len, sizeof c->phones->len);
    for (guint i = 0; i < c->phones->len; i++) {
        const Phone *phone = &g_array_index(c->phones, Phone, i);
        add_bytes(out, &phone->type, sizeof phone->type);
        add_field(out, &phone->number);
        add_text(out, phone->extension);
    }
    for (guint i = 0; i < c->links->len; i++)
        add_field(out, &g_array_index(c->links, Field, i));
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

    g_autoptr(GString) rest = g_string_sized_new(1024);
    const int64_t hour = o->time / RECENT_SECONDS;
    add_bytes(rest, &hour, sizeof hour);
    add_bytes(rest, &o->local, sizeof o->local);
    add_text(rest, o->email);
    add_text(rest, o->client_addr);
    add_text(rest, o->helo);
    add_text(rest, o->mail_from);
    add_bytes(rest, &o->authors->len, sizeof o->authors->len);
    for (guint i = 0; i < o->authors->len; i++)
        add_text(rest, g_ptr_array_index(o->authors, i));
    if (o->contact != NULL)
        add_contact(rest, o->contact);
    g_checksum_update(sum, (const guchar *) rest->str, (gssize) rest->len);

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

/*
 * spf_layer.c - see spf_layer.h
 *
 * libspf2 asks its questions through SPF_dns_server_t.lookup. This layer
 * stands there and
 *
 *  - counts. libspf2 begins its count anew inside each include, so that nine
 *    includes in nine includes, five levels deep, cost 66,430 lookups. Here
 *    terms are counted over the whole check (RFC 7208, 4.6.4), whether the
 *    answer is cached or not: the result does not depend on the cache. What
 *    really leaves is bounded apart from that, and by the deadline. After a
 *    limit every question gets TRY_AGAIN, which makes libspf2 leave at once.
 *  - translates. libspf2 sees rewritten records and stand-ins for names, see
 *    spf_record.c.
 *  - filters. TXT records that are no SPF records, SPF-type questions (RFC
 *    7208, 3.1), names that cannot exist: none of these passes.
 *
 * The cache keeps answers as long as their TTL says, negative ones as RFC
 * 2308 says; failures are not kept.
 */
#include "trust/spf_layer.h"

#include <pthread.h>
#include <string.h>

/* --- cache ---------------------------------------------------------------- */

typedef struct {
    DnsAnswer *answer;
    int64_t expires;
} CacheEntry;

struct SpfCache {
    pthread_mutex_t lock; /* over entries */
    GHashTable *entries;  /* "TYPE name" -> CacheEntry */
    SPF_dns_server_t *below;
    int64_t (*clock)(void);
};

static void
cache_entry_free(gpointer data)
{
    CacheEntry *entry = data;
    dns_answer_unref(entry->answer);
    g_free(entry);
}

static int64_t
real_clock(void)
{
    return g_get_monotonic_time() / G_USEC_PER_SEC;
}

SpfCache *
spf_cache_new(SPF_dns_server_t *below, int64_t (*clock)(void))
{
    SpfCache *cache = g_new0(SpfCache, 1);
    (void) pthread_mutex_init(&cache->lock, NULL);
    cache->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                           cache_entry_free);
    cache->below = below;
    cache->clock = clock != NULL ? clock : real_clock;
    return cache;
}

void
spf_cache_free(SpfCache *cache)
{
    if (cache == NULL)
        return;
    g_hash_table_destroy(cache->entries);
    (void) pthread_mutex_destroy(&cache->lock);
    g_free(cache);
}

static DnsAnswer *
cache_get(SpfCache *cache, const char *key)
{
    DnsAnswer *answer = NULL;
    int64_t now = cache->clock();
    (void) pthread_mutex_lock(&cache->lock);
    const CacheEntry *entry = g_hash_table_lookup(cache->entries, key);
    if (entry != NULL && entry->expires > now)
        answer = dns_answer_ref(entry->answer);
    (void) pthread_mutex_unlock(&cache->lock);
    return answer;
}

static gboolean
entry_expired(gpointer key, gpointer value, gpointer now)
{
    (void) key;
    return ((const CacheEntry *) value)->expires <= *(const int64_t *) now;
}

static void
cache_put(SpfCache *cache, const char *key, DnsAnswer *answer)
{
    if (answer->status == DNS_AGAIN || answer->ttl <= 0)
        return;
    int64_t now = cache->clock();
    CacheEntry *entry = g_new(CacheEntry, 1);
    entry->answer = dns_answer_ref(answer);
    entry->expires = now + answer->ttl;
    (void) pthread_mutex_lock(&cache->lock);
    if (g_hash_table_size(cache->entries) >= SPF_CACHE_ENTRIES) {
        g_hash_table_foreach_remove(cache->entries, entry_expired, &now);
        /* Full of living ones: begin anew rather than keep an order. */
        if (g_hash_table_size(cache->entries) >= SPF_CACHE_ENTRIES)
            g_hash_table_remove_all(cache->entries);
    }
    g_hash_table_replace(cache->entries, g_strdup(key), entry);
    (void) pthread_mutex_unlock(&cache->lock);
}

/* What the layer below (a test's zone) says, in our form. */
static DnsAnswer *
ask_below(SPF_dns_server_t *below, const char *name, int type)
{
    SPF_dns_rr_t *rr = SPF_dns_lookup(below, name, (ns_type) type, FALSE);
    DnsAnswer *answer = dns_answer_new(DNS_AGAIN);
    answer->ttl = rr->ttl;
    if (rr->herrno == HOST_NOT_FOUND)
        answer->status = DNS_NO_SUCH_NAME;
    else if (rr->herrno == NO_DATA ||
             (rr->herrno == NETDB_SUCCESS && rr->num_rr == 0))
        answer->status = DNS_NO_DATA;
    else if (rr->herrno == NETDB_SUCCESS)
        answer->status = DNS_FOUND;

    for (int i = 0; i < rr->num_rr && i < DNS_MAX_RECORDS; i++) {
        DnsAddress address = { { 0 } };
        switch (type) {
        case ns_t_a:
            memcpy(address.bytes, &rr->rr[i]->a, 4);
            g_array_append_val(answer->addresses, address);
            break;
        case ns_t_aaaa:
            memcpy(address.bytes, &rr->rr[i]->aaaa, 16);
            g_array_append_val(answer->addresses, address);
            break;
        default:
            g_ptr_array_add(answer->texts, g_strdup(rr->rr[i]->txt));
            break;
        }
    }
    SPF_dns_rr_free(rr);
    return answer;
}

/* --- one check -------------------------------------------------------------
 */

const char *
spf_layer_name(SpfLayer *layer, const char *domain)
{
    char *stand_in = g_strdup_printf("t%u", layer->names->len / 2);
    g_ptr_array_add(layer->names,
                    g_strdup_printf("%c%s", '0' + SPF_NAME_PLAIN, domain));
    g_ptr_array_add(layer->names, stand_in);
    return stand_in;
}

static const char *
name_stand_in(void *data, const char *name, SpfNameUse use)
{
    SpfLayer *layer = data;
    char *stand_in = g_strdup_printf("t%u", layer->names->len / 2);
    g_ptr_array_add(layer->names,
                    g_strdup_printf("%c%s", '0' + (char) use, name));
    g_ptr_array_add(layer->names, stand_in);
    return stand_in;
}

/* The name behind "tN"; other names (of PTR answers) stand for themselves. */
static const char *
real_name(const SpfLayer *layer, const char *name, SpfNameUse *out_use)
{
    *out_use = SPF_NAME_MX_HOST; /* a sub-question, as those of mx */
    if (name[0] != 't' || !g_ascii_isdigit(name[1]) ||
        strchr(name, '.') != NULL)
        return name;
    guint64 n = g_ascii_strtoull(name + 1, NULL, 10);
    if (n >= layer->names->len / 2)
        return name;
    const char *entry = g_ptr_array_index(layer->names, (guint) n * 2);
    *out_use = (SpfNameUse) (entry[0] - '0');
    return entry + 1;
}

static SPF_dns_rr_t *
make_rr(SpfLayer *layer, const char *name, int type, int herrno)
{
    SPF_dns_rr_t *rr =
        SPF_dns_rr_new_init(&layer->server, name, (ns_type) type, 0, herrno);
    if (rr == NULL)
        g_error("out of memory"); /* as GLib does */
    return rr;
}

static void
add_data(SPF_dns_rr_t *rr, const void *data, size_t len)
{
    if (SPF_dns_rr_buf_realloc(rr, rr->num_rr, len) != SPF_E_SUCCESS)
        g_error("out of memory");
    memcpy(rr->rr[rr->num_rr], data, len);
    rr->num_rr++;
}

static SPF_dns_rr_t *
refuse(SpfLayer *layer, const char *name, int type, SpfStop stop)
{
    if (layer->stop == SPF_STOP_NONE)
        layer->stop = stop;
    return make_rr(layer, name, type, TRY_AGAIN);
}

/* The cached answer, or the real one. NULL when no question may leave. */
static DnsAnswer *
fetch(SpfLayer *layer, const char *name, int type)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);
    size_t len = strlen(lower);
    if (len > 0 && lower[len - 1] == '.')
        lower[len - 1] = '\0';
    g_autofree char *key = g_strdup_printf("%d %s", type, lower);
    DnsAnswer *answer = cache_get(layer->cache, key);
    if (answer != NULL)
        return answer;

    int64_t left = (layer->deadline - g_get_monotonic_time()) / 1000;
    if (left <= 0) {
        layer->stop = SPF_STOP_TIME;
        return NULL;
    }
    if (layer->queries >= SPF_MAX_QUERIES) {
        layer->stop = SPF_STOP_QUERIES;
        return NULL;
    }
    layer->queries++;
    answer = layer->cache->below != NULL
                 ? ask_below(layer->cache->below, lower, type)
                 : dns_query(lower, type, left);
    /* Of TXT sets only the SPF records are worth keeping. */
    if (type == ns_t_txt)
        for (guint i = answer->texts->len; i > 0; i--)
            if (!spf_record_is(g_ptr_array_index(answer->texts, i - 1)))
                g_ptr_array_remove_index(answer->texts, i - 1);
    cache_put(layer->cache, key, answer);
    return answer;
}

static SPF_dns_rr_t *
answer_txt(SpfLayer *layer, const char *asked, const char *name,
           const DnsAnswer *answer)
{
    if (answer->texts->len == 0)
        return make_rr(layer, asked, ns_t_txt,
                       answer->status == DNS_NO_SUCH_NAME ? HOST_NOT_FOUND
                                                          : NO_DATA);
    SPF_dns_rr_t *rr = make_rr(layer, asked, ns_t_txt, NETDB_SUCCESS);
    /* Two are an error already, whatever they say. */
    for (guint i = 0; i < answer->texts->len && i < 2; i++) {
        g_autofree char *record =
            answer->texts->len > 1
                ? g_strdup("v=spf1")
                : spf_record_rewrite(g_ptr_array_index(answer->texts, i), name,
                                     &layer->subject, name_stand_in, layer);
        if (record == NULL) {
            SPF_dns_rr_free(rr);
            return refuse(layer, asked, ns_t_txt, SPF_STOP_SYNTAX);
        }
        add_data(rr, record, strlen(record) + 1);
    }
    return rr;
}

static SPF_dns_rr_t *
answer_names(SpfLayer *layer, const char *asked, int type,
             const DnsAnswer *answer)
{
    if (type == ns_t_mx && answer->texts->len > SPF_MAX_MX)
        return refuse(layer, asked, type, SPF_STOP_MX);
    SPF_dns_rr_t *rr = make_rr(layer, asked, type, NETDB_SUCCESS);
    for (guint i = 0; i < answer->texts->len && i < SPF_MAX_PTR; i++) {
        const char *name = g_ptr_array_index(answer->texts, i);
        /* "." is a null MX (RFC 7505). */
        if (!spf_name_valid(name))
            continue;
        g_autofree char *bare = g_strdup(name);
        size_t len = strlen(bare);
        if (bare[len - 1] == '.')
            bare[len - 1] = '\0';
        const char *told = type == ns_t_mx
                               ? name_stand_in(layer, bare, SPF_NAME_MX_HOST)
                               : bare;
        add_data(rr, told, strlen(told) + 1);
    }
    if (rr->num_rr == 0)
        rr->herrno = NO_DATA;
    return rr;
}

static SPF_dns_rr_t *
answer_addresses(SpfLayer *layer, const char *asked, int type,
                 const DnsAnswer *answer)
{
    SPF_dns_rr_t *rr = make_rr(layer, asked, type, NETDB_SUCCESS);
    for (guint i = 0; i < answer->addresses->len; i++)
        add_data(rr, g_array_index(answer->addresses, DnsAddress, i).bytes,
                 type == ns_t_a ? 4 : 16);
    if (rr->num_rr == 0)
        rr->herrno = NO_DATA;
    return rr;
}

static SPF_dns_rr_t *
layer_lookup(SPF_dns_server_t *server, const char *asked, ns_type asked_type,
             int should_cache)
{
    SpfLayer *layer = (SpfLayer *) (void *) server;
    int type = (int) asked_type;
    (void) should_cache;

    if (type == ns_t_spf)
        return make_rr(layer, asked, type, NO_DATA);
    if (layer->stop != SPF_STOP_NONE)
        return refuse(layer, asked, type, layer->stop);

    SpfNameUse use;
    const char *name = real_name(layer, asked, &use);
    bool sub = use == SPF_NAME_MX_HOST && type != ns_t_ptr;
    bool initial = type == ns_t_txt && layer->records++ == 0;
    if (!sub && !initial && ++layer->terms > SPF_MAX_TERMS)
        return refuse(layer, asked, type, SPF_STOP_TERMS);

    /* A malformed name is one that does not exist (RFC 7208, 4.8). */
    if (!spf_name_valid(name))
        return make_rr(layer, asked, type, HOST_NOT_FOUND);

    int real_type = type;
    if (use == SPF_NAME_ANY_AAAA)
        real_type = ns_t_aaaa;
    else if (use == SPF_NAME_ANY_MX)
        real_type = ns_t_mx;
    g_autoptr(DnsAnswer) answer = fetch(layer, name, real_type);
    if (answer == NULL)
        return refuse(layer, asked, type, layer->stop);
    /* A failure in ptr means that it does not match (RFC 7208, 5.5). */
    bool ptr = type == ns_t_ptr || (sub && name == asked);
    if (answer->status == DNS_AGAIN && ptr)
        return make_rr(layer, asked, type, NO_DATA);
    if (answer->status == DNS_AGAIN)
        return refuse(layer, asked, type, SPF_STOP_DNS);
    if (!sub && !initial && answer->status != DNS_FOUND &&
        ++layer->voids > SPF_MAX_VOID)
        return refuse(layer, asked, type, SPF_STOP_VOID);

    if (type == ns_t_txt)
        return answer_txt(layer, asked, name, answer);
    if (answer->status != DNS_FOUND)
        return make_rr(layer, asked, type,
                       answer->status == DNS_NO_SUCH_NAME ? HOST_NOT_FOUND
                                                          : NO_DATA);
    if (type != real_type) {
        SPF_dns_rr_t *rr = make_rr(layer, asked, type, NETDB_SUCCESS);
        add_data(rr, "\x7f\x00\x00\x02", 4);
        return rr;
    }
    if (type == ns_t_mx || type == ns_t_ptr)
        return answer_names(layer, asked, type, answer);
    return answer_addresses(layer, asked, type, answer);
}

SpfLayer *
spf_layer_new(SpfCache *cache, const SpfSubject *subject, int64_t deadline)
{
    SpfLayer *layer = g_new0(SpfLayer, 1);
    layer->server.lookup = layer_lookup;
    layer->server.name = "guard";
    layer->cache = cache;
    layer->subject = *subject;
    layer->deadline = deadline;
    layer->names = g_ptr_array_new_with_free_func(g_free);
    return layer;
}

void
spf_layer_free(SpfLayer *layer)
{
    if (layer == NULL)
        return;
    g_ptr_array_unref(layer->names);
    g_free(layer);
}

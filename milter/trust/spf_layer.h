/*
 * spf_layer.h - the DNS layer that libspf2 sees: limits, cache, stand-ins
 *
 * A SpfLayer belongs to one check. The SpfCache below it is shared by all.
 *
 * Ownership  spf_cache_free(), spf_layer_free().
 * Threads    SpfCache: any; SpfLayer: the thread of its check.
 * Limits     SPF_MAX_* below; RFC 7208, 4.6.4 and 11.1.
 */
#ifndef SPF_LAYER_H
#define SPF_LAYER_H

#include "trust/dns.h"
#include "trust/spf_record.h"

/* libspf2's header does not name what it includes. */
#include <sys/types.h>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <spf2/spf.h>

enum {
    SPF_MAX_TERMS = 10,   /* include, a, mx, ptr, exists, redirect */
    SPF_MAX_VOID = 2,     /* of these without an answer */
    SPF_MAX_MX = 10,      /* hosts of one mx */
    SPF_MAX_PTR = 10,     /* names of one ptr that are looked at */
    SPF_MAX_QUERIES = 12, /* that really leave, of one check */
    SPF_CACHE_ENTRIES = 4096,
};

typedef struct SpfCache SpfCache;

/* `below` answers in place of the resolver (for tests); borrowed, NULL: the
 * system's resolver. `clock` gives monotonic seconds; NULL: the real one. */
SpfCache *spf_cache_new(SPF_dns_server_t *below, int64_t (*clock)(void));
void spf_cache_free(SpfCache *cache);

typedef enum {
    SPF_STOP_NONE,
    SPF_STOP_TERMS,   /* more than SPF_MAX_TERMS: permerror */
    SPF_STOP_VOID,    /* more than SPF_MAX_VOID: permerror */
    SPF_STOP_MX,      /* more than SPF_MAX_MX: permerror */
    SPF_STOP_SYNTAX,  /* a record that does not parse: permerror */
    SPF_STOP_QUERIES, /* more than SPF_MAX_QUERIES: temperror */
    SPF_STOP_TIME,    /* the deadline passed: temperror */
    SPF_STOP_DNS,     /* a name server failed: temperror */
} SpfStop;

typedef struct {
    SPF_dns_server_t server; /* first: libspf2 hands it back to us */
    SpfCache *cache;
    SpfSubject subject;
    int64_t deadline; /* g_get_monotonic_time() */
    GPtrArray *names; /* stand-in N is names[N] */
    unsigned records; /* TXT questions so far */
    unsigned terms, voids, queries;
    SpfStop stop; /* why all later questions get TRY_AGAIN */
} SpfLayer;

SpfLayer *spf_layer_new(SpfCache *cache, const SpfSubject *subject,
                        int64_t deadline);
void spf_layer_free(SpfLayer *layer);
/* The stand-in of the domain where the check begins. */
const char *spf_layer_name(SpfLayer *layer, const char *domain);

#endif

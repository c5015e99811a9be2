/*
 * authres.h - Authentication-Results (RFC 8601) and the ARC header fields
 * (RFC 8617)
 *
 * authres_parse() reads the body of one Authentication-Results or
 * ARC-Authentication-Results field, arc_seal_parse() that of an ARC-Seal.
 *
 * Ownership  the caller frees results.
 * Threads    pure.
 * Limits     AUTHRES_MAX_* below; a field beyond them is refused. Time is
 *            linear in the length.
 * Errors     NULL for what does not follow the grammar: such fields are to be
 *            ignored as a whole.
 */
#ifndef AUTHRES_H
#define AUTHRES_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AUTHRES_MAX_BYTES = 16 * 1024,
    AUTHRES_MAX_RESULTS = 100,
    AUTHRES_MAX_PROPERTIES = 40, /* of one result */
    AUTHRES_MAX_COMMENT_DEPTH = 32,
    ARC_MAX_INSTANCE = 50,
};

/* ptype.property=value: "header", "d", "example.org" */
typedef struct {
    char *ptype;    /* lower case */
    char *property; /* lower case */
    char *value;    /* quotes removed; a pvalue "@d" keeps its '@' */
} AuthProperty;

typedef struct {
    char *method;       /* lower case: "dkim" */
    unsigned version;   /* 1 when absent */
    char *result;       /* lower case: "pass" */
    char *reason;       /* or NULL */
    char *comment;      /* the first comment after the result, or NULL */
    GArray *properties; /* of AuthProperty */
} AuthResult;

typedef struct {
    char *authserv_id; /* quotes removed */
    unsigned version;  /* 1 when absent */
    unsigned instance; /* ARC: i=; else 0 */
    bool none;         /* "none": no method was applied */
    GArray *results;   /* of AuthResult */
} AuthRes;

/* `arc`: an ARC-Authentication-Results field, which begins with i=N. */
AuthRes *authres_parse(const char *body, size_t len, bool arc);
void authres_free(AuthRes *authres);

/* The value of the first such property; NULL when absent. */
const char *authres_property(const AuthResult *result, const char *ptype,
                             const char *property);

/* The tags of an ARC-Seal that say who sealed; false for what is none. */
typedef struct {
    unsigned instance;
    char *domain; /* d= */
    char cv;      /* 'n' none, 'p' pass, 'f' fail */
} ArcSeal;
bool arc_seal_parse(const char *body, size_t len, ArcSeal *out_seal);
void arc_seal_clear(ArcSeal *seal);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuthRes, authres_free)

#endif

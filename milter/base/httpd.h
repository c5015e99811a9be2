/*
 * httpd.h - the small HTTP server of [metrics] listen
 *
 * Answers GET and HEAD with pages that a function makes; nothing can be sent
 * in.
 *
 * Ownership  httpd_stop(); NULL is accepted.
 * Threads    the page function is called from the server's one thread.
 * Limits     HTTPD_MAX_CONNECTIONS at a time, ten seconds each.
 */
#ifndef HTTPD_H
#define HTTPD_H

#include <glib.h>
#include <stdbool.h>

enum { HTTPD_MAX_CONNECTIONS = 32 };

typedef struct Httpd Httpd;

typedef struct {
    unsigned status; /* 200, 404, 503 */
    const char *type;
    char *body; /* g_free()d by the server */
} HttpdPage;

typedef HttpdPage (*HttpdPages)(const char *path, void *data);

/* `listen` is ADDRESS:PORT, an IPv6 address in brackets. */
Httpd *httpd_start(const char *listen, HttpdPages pages, void *data,
                   GError **error);
void httpd_stop(Httpd *httpd);

#endif

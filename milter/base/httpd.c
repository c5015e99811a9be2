/*
 * httpd.c - see httpd.h
 */
#include "base/httpd.h"

#include <gio/gio.h>
#include <microhttpd.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

struct Httpd {
    struct MHD_Daemon *daemon;
    HttpdPages pages;
    void *data;
};

static enum MHD_Result
reply(struct MHD_Connection *connection, const HttpdPage *page)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(page->body), page->body, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    (void) MHD_add_response_header(response, "Content-Type", page->type);
    (void) MHD_add_response_header(response, "Cache-Control", "no-store");
    (void) MHD_add_response_header(response, "X-Content-Type-Options",
                                   "nosniff");
    enum MHD_Result result =
        MHD_queue_response(connection, page->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result
handle(void *data, struct MHD_Connection *connection, const char *path,
       const char *method, const char *version G_GNUC_UNUSED,
       const char *upload G_GNUC_UNUSED, size_t *upload_len,
       void **state G_GNUC_UNUSED)
{
    Httpd *httpd = data;
    if (*upload_len > 0)
        return MHD_NO;
    HttpdPage page = { 405, "text/plain", NULL };
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        page = httpd->pages(path, httpd->data);
    if (page.body == NULL)
        page.body = g_strdup("");
    enum MHD_Result result = reply(connection, &page);
    g_free(page.body);
    return result;
}

static bool
parse_listen(const char *listen, struct sockaddr_storage *out_address,
             GError **error)
{
    const char *colon = strrchr(listen, ':');
    g_autofree char *host =
        colon != NULL ? g_strndup(listen, (gsize) (colon - listen)) : NULL;
    if (host != NULL && host[0] == '[' && g_str_has_suffix(host, "]")) {
        size_t len = strlen(host);
        memmove(host, host + 1, len - 2);
        host[len - 2] = '\0';
    }
    struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
        .ai_socktype = SOCK_STREAM,
    };
    struct addrinfo *found = NULL;
    const char *node = host != NULL && host[0] != '\0' ? host : NULL;
    if (host == NULL || getaddrinfo(node, colon + 1, &hints, &found) != 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "%s: not ADDRESS:PORT", listen);
        return false;
    }
    memcpy(out_address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

Httpd *
httpd_start(const char *listen, HttpdPages pages, void *data, GError **error)
{
    struct sockaddr_storage address;
    if (!parse_listen(listen, &address, error))
        return NULL;
    Httpd *httpd = g_new0(Httpd, 1);
    httpd->pages = pages;
    httpd->data = data;

    unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD;
    if (address.ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    httpd->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, httpd, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned) HTTPD_MAX_CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t) 16 * 1024, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
        MHD_OPTION_END);
    if (httpd->daemon == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "%s: cannot listen (in use by another process?)", listen);
        g_free(httpd);
        return NULL;
    }
    return httpd;
}

void
httpd_stop(Httpd *httpd)
{
    if (httpd == NULL)
        return;
    MHD_stop_daemon(httpd->daemon);
    g_free(httpd);
}

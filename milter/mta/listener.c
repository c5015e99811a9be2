/*
 * listener.c - see listener.h
 *
 * libmilter keeps its listening descriptor to itself, and ends listening only
 * together with every session. So the descriptor is looked up after
 * smfi_opensocket() (the one that listens now and did not before), and to end
 * listening a silent socket is put in its place with dup2(): nobody knows its
 * address, so nobody comes. The poll() that libmilter's listener sits in sleeps
 * on the old socket but looks at the new one when it wakes: so somebody is made
 * to knock at the silent one, and then the old one is shut down.
 */
#include "mta/listener.h"

#include <errno.h>
#include <gio/gio.h>
#include <grp.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { FD_MAX = 1024, BACKLOG = 512 };

static struct {
    pthread_mutex_t lock;
    int fd;                         /* libmilter's; -1 when not listening */
    char *path;                     /* constant once set */
    struct sockaddr_storage silent; /* where the silent socket listens */
    socklen_t silent_len;           /* 0: it does not */
} listener = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

static const char *
unix_path(const char *socket)
{
    if (g_str_has_prefix(socket, "unix:"))
        return socket + strlen("unix:");
    if (g_str_has_prefix(socket, "local:"))
        return socket + strlen("local:");
    return socket[0] == '/' ? socket : NULL;
}

bool
listener_is_unix(void)
{
    return listener.path != NULL;
}

static bool
listens(int fd)
{
    int on = 0;
    socklen_t len = sizeof on;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on != 0;
}

static bool
fail(GError **error, int code, const char *what, const char *socket)
{
    g_set_error(error, G_IO_ERROR, (gint) g_io_error_from_errno(code),
                "%s: %s: %s", socket, what, g_strerror(code));
    return false;
}

/* Removes what a crash left; refuses to take a living socket's place. */
static bool
clear_path(const char *path, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >=
        sizeof address.sun_path)
        return fail(error, ENAMETOOLONG, "cannot listen", path);

    struct stat info;
    if (lstat(path, &info) != 0)
        return errno == ENOENT || fail(error, errno, "cannot look", path);
    if (!S_ISSOCK(info.st_mode)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                    "%s: exists and is not a socket; name another path or "
                    "remove it",
                    path);
        return false;
    }

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(error, errno, "cannot make a socket", path);
    int result =
        connect(fd, (const struct sockaddr *) &address, sizeof address);
    int code = errno;
    close(fd);
    /* EAGAIN: somebody listens, with a full backlog. */
    if (result == 0 || code == EAGAIN)
        return fail(error, EADDRINUSE, "another process serves this socket",
                    path);
    if (unlink(path) != 0 && errno != ENOENT)
        return fail(error, errno, "cannot remove the stale socket", path);
    return true;
}

static bool
set_owner(const char *path, const Settings *settings, GError **error)
{
    const char *name = settings->mta.socket_group;
    if (name != NULL) {
        errno = 0;
        const struct group *group = getgrnam(name);
        if (group == NULL) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                        "%s: there is no group \"%s\" (socket_group)", path,
                        name);
            return false;
        }
        if (chown(path, (uid_t) -1, group->gr_gid) != 0)
            return fail(error, errno, "cannot give it to socket_group", path);
    }
    if (chmod(path, (mode_t) settings->mta.socket_mode) != 0)
        return fail(error, errno, "cannot set socket_mode", path);
    return true;
}

bool
listener_open(const Settings *settings, GError **error)
{
    const char *socket = settings->mta.socket;
    const char *path = unix_path(socket);
    if (path != NULL && !clear_path(path, error))
        return false;

    bool before[FD_MAX];
    for (int fd = 0; fd < FD_MAX; fd++)
        before[fd] = listens(fd);

    /* Nobody may connect before mode and group are right. */
    mode_t mask = umask(0177);
    g_autofree char *conn = g_strdup(socket);
    errno = 0;
    (void) smfi_setbacklog(BACKLOG);
    bool opened = smfi_setconn(conn) == MI_SUCCESS &&
                  smfi_opensocket(false) == MI_SUCCESS;
    int code = errno != 0 ? errno : EINVAL;
    (void) umask(mask);
    if (!opened)
        return fail(error, code, "cannot listen", socket);
    if (path != NULL && !set_owner(path, settings, error)) {
        (void) unlink(path);
        return false;
    }

    for (int fd = 0; fd < FD_MAX; fd++) {
        if (!before[fd] && listens(fd))
            listener.fd = fd;
    }
    listener.path = g_strdup(path);
    return true;
}

/* A socket of this family that listens where nobody looks: an abstract name of
 * the kernel's choice, or a free port of loopback. */
static int
open_silent(sa_family_t family)
{
    struct sockaddr_storage any = { .ss_family = family };
    socklen_t len = sizeof(sa_family_t);
    if (family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *) &any;
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        len = sizeof *in;
    } else if (family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) &any;
        in6->sin6_addr = in6addr_loopback;
        len = sizeof *in6;
    }
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    listener.silent_len = sizeof listener.silent;
    if (bind(fd, (const struct sockaddr *) &any, len) != 0 ||
        listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *) &listener.silent,
                    &listener.silent_len) != 0) {
        listener.silent_len = 0;
        close(fd);
        return -1;
    }
    return fd;
}

/* A connection that says nothing, to the silent socket. The lock is held. */
static void
knock(void)
{
    if (listener.silent_len == 0)
        return;
    int fd = socket(listener.silent.ss_family,
                    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void) connect(fd, (const struct sockaddr *) &listener.silent,
                   listener.silent_len);
    close(fd);
}

/* The lock is held. */
static void
replace_listener(int fd)
{
    struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *) &address, &len) != 0)
        return;
    int silent = open_silent(address.ss_family);
    if (silent < 0)
        return;
    int old = dup(fd);
    if (old >= 0 && dup2(silent, fd) == fd) {
        knock();
        (void) shutdown(old, SHUT_RDWR);
    }
    if (old >= 0)
        close(old);
    close(silent);
}

void
listener_close(void)
{
    pthread_mutex_lock(&listener.lock);
    if (listener.fd >= 0) {
        if (listener.path != NULL)
            (void) unlink(listener.path);
        replace_listener(listener.fd);
        listener.fd = -1;
    }
    pthread_mutex_unlock(&listener.lock);
}

void
listener_wake(void)
{
    pthread_mutex_lock(&listener.lock);
    knock();
    pthread_mutex_unlock(&listener.lock);
}

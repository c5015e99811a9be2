/*
 * check_mta.c - see check_mta.h
 *
 * Postfix may name a unix socket by a path below its queue directory (smtpd in
 * a chroot), so sockets are compared by the end of the path.
 */
#include "ctl/check_mta.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void report_line(SyncReport report, void *data, bool ok,
                        const char *format, ...) G_GNUC_PRINTF(4, 5);

static void
report_line(SyncReport report, void *data, bool ok, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *line = g_strdup_vprintf(format, args);
    va_end(args);
    report(ok, line, data);
}

void
check_socket(const Settings *settings, SyncReport report, void *data)
{
    const char *name = settings->mta.socket;
    if (!g_str_has_prefix(name, "unix:") && !g_str_has_prefix(name, "local:"))
        return; /* TCP: postconf tells whether it is used */
    const char *path = strchr(name, ':') + 1;
    struct stat info;
    if (stat(path, &info) != 0) {
        report_line(report, data, false,
                    "socket: %s: %s; is contact-milter running?", path,
                    g_strerror(errno));
        return;
    }
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) {
        report_line(report, data, false, "socket: %s: the path is too long",
                    path);
        return;
    }
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int code = fd < 0 ? errno
               : connect(fd, (struct sockaddr *) &address, sizeof address) == 0
                   ? 0
                   : errno;
    if (fd >= 0)
        (void) close(fd);
    const struct group *group = getgrgid(info.st_gid);
    if (code != 0)
        report_line(report, data, false,
                    "socket: %s: %s; is contact-milter running?", path,
                    g_strerror(code));
    else if ((info.st_mode & 0022) == 0)
        report_line(report, data, false,
                    "socket: %s has mode %04o: the mail server cannot connect; "
                    "set socket_mode = 0660",
                    path, (unsigned) info.st_mode & 07777);
    else
        report_line(report, data, true, "socket: %s, group %s, mode %04o", path,
                    group ? group->gr_name : "?",
                    (unsigned) info.st_mode & 07777);
}

/* Does one of the milters of a main.cf list name our socket? *out_entry is
 * where it stands. */
static bool
names_socket(const char *list, const char *socket, const char **out_entry)
{
    g_autofree char *other = NULL;
    const char *needle;
    if (g_str_has_prefix(socket, "inet")) {
        /* inet:PORT@HOST here, inet:HOST:PORT there */
        const char *port = strchr(socket, ':') + 1;
        size_t digits = strspn(port, "0123456789");
        needle = other = g_strdup_printf(":%.*s", (int) digits, port);
    } else {
        /* The last two parts of the path: Postfix may say it from within its
         * chroot. */
        const char *path = strchr(socket, ':') + 1;
        const char *slash = strrchr(path, '/');
        while (slash > path && slash[-1] != '/')
            slash--;
        needle = slash;
    }
    const char *found = strstr(list, needle);
    *out_entry = found;
    return found != NULL;
}

void
check_postfix_values(const char *socket, const char *smtpd_milters,
                     const char *non_smtpd_milters, const char *filter_classes,
                     SyncReport report, void *data)
{
    const char *entry;
    if (!names_socket(smtpd_milters, socket, &entry)) {
        report_line(report, data, false,
                    "Postfix: smtpd_milters does not name %s: no mail is seen; "
                    "add it as the last one",
                    socket);
    } else {
        report_line(report, data, true, "Postfix: smtpd_milters names %s",
                    socket);
        /* A later entry begins with a socket type or a brace. */
        const char *rest = strpbrk(entry, "},");
        bool last = rest == NULL || (strstr(rest, "inet:") == NULL &&
                                     strstr(rest, "unix:") == NULL &&
                                     strstr(rest, "local:") == NULL);
        if (!last)
            report_line(report, data, false,
                        "Postfix: the milter is not the last of "
                        "smtpd_milters: it does not see what the later ones "
                        "find out");
    }
    bool bounces = strstr(filter_classes, "bounce") != NULL;
    if (!names_socket(non_smtpd_milters, socket, &entry) || !bounces)
        report_line(report, data, false,
                    "Postfix: bounces that it writes itself are not seen; set "
                    "non_smtpd_milters to this milter and "
                    "internal_mail_filter_classes = bounce");
    else
        report_line(report, data, true,
                    "Postfix: its own bounces pass the milter");
}

void
check_postfix(const Settings *settings, SyncReport report, void *data)
{
    g_autofree char *postconf = g_find_program_in_path("postconf");
    if (postconf == NULL)
        return;
    const char *const names[] = { "smtpd_milters", "non_smtpd_milters",
                                  "internal_mail_filter_classes" };
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        char *argv[] = { postconf, (char *) "-xh", (char *) names[i], NULL };
        char *out = NULL;
        g_autofree char *noise = NULL;
        int status;
        g_autoptr(GError) error = NULL;
        if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out,
                          &noise, &status, &error) ||
            !g_spawn_check_wait_status(status, &error)) {
            report_line(report, data, false, "Postfix: postconf: %s",
                        noise && *noise ? g_strchomp(noise) : error->message);
            g_free(out);
            return;
        }
        g_ptr_array_add(values, g_strchomp(out));
    }
    check_postfix_values(settings->mta.socket, values->pdata[0],
                         values->pdata[1], values->pdata[2], report, data);
}

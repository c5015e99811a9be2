/*
 * check_mta.c - see check_mta.h
 *
 * Postfix may name a unix socket by a path below its queue directory (smtpd in
 * a chroot), so sockets are compared by the end of the path.
 */
#include "ctl/check_mta.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
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

/* Why nobody answers there; 0: somebody does. */
static int
socket_error(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path)
        return ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int code = fd < 0 ? errno
               : connect(fd, (struct sockaddr *) &address, sizeof address) == 0
                   ? 0
                   : errno;
    if (fd >= 0)
        (void) close(fd);
    return code;
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
    int code = socket_error(path);
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

void
check_socket_user(const char *socket, const char *user, SyncReport report,
                  void *data)
{
    const struct passwd *entry = getpwnam(user);
    struct stat info;
    if ((!g_str_has_prefix(socket, "unix:") &&
         !g_str_has_prefix(socket, "local:")) ||
        stat(strchr(socket, ':') + 1, &info) != 0 || entry == NULL ||
        (info.st_mode & 0002) != 0 || entry->pw_uid == 0)
        return;
    gid_t groups[256];
    int n = G_N_ELEMENTS(groups);
    bool member = false;
    if (getgrouplist(user, entry->pw_gid, groups, &n) >= 0) {
        for (int i = 0; i < n; i++)
            member = member || groups[i] == info.st_gid;
    }
    const struct group *group = getgrgid(info.st_gid);
    if (!member || (info.st_mode & 0020) == 0)
        report_line(report, data, false,
                    "socket: the mail server's user %s may not connect: "
                    "`adduser %s %s`, then restart the mail server",
                    user, user, group ? group->gr_name : "GROUP");
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

/* --- the services of master.cf ---------------------------------------------- */

/* A line of `postconf -F`: "smtp/inet/command = smtpd -o ...". */
static char *
service_field(char *const *lines, const char *service, const char *field)
{
    g_autofree char *start = g_strdup_printf("%s/%s = ", service, field);
    for (; *lines != NULL; lines++) {
        if (g_str_has_prefix(*lines, start))
            return g_strdup(*lines + strlen(start));
    }
    return NULL;
}

/* A service of master.cf that runs some program. */
typedef struct {
    char *name;
    bool chroot;
} Service;

static void
service_clear(Service *service)
{
    g_clear_pointer(&service->name, g_free);
}

/* The next service at or behind *at that runs `program`; *at is moved behind
 * it. False: there is none. */
static bool
next_service(char *const *lines, char *const **at, const char *program,
             Service *out_service)
{
    for (; **at != NULL; (*at)++) {
        const char *field = strstr(**at, "/command = ");
        if (field == NULL)
            continue;
        g_auto(GStrv) words = g_strsplit(strchr(field, '=') + 2, " ", 2);
        if (g_strcmp0(words[0], program) != 0)
            continue;
        char *name = g_strndup(**at, (gsize) (field - **at));
        g_autofree char *jail = service_field(lines, name, "chroot");
        *out_service = (Service){ name, g_strcmp0(jail, "y") == 0 };
        (*at)++;
        return true;
    }
    return false;
}

/* Where a process in Postfix's chroot, or one whose working directory it is,
 * finds the socket of this list entry. NULL: it is TCP. */
static char *
path_in_chroot(const char *entry, const char *list, const char *queue)
{
    const char *path = entry;
    while (path > list && strchr(" \t,{", path[-1]) == NULL)
        path--;
    if (!g_str_has_prefix(path, "unix:") && !g_str_has_prefix(path, "local:"))
        return NULL;
    path = strchr(path, ':') + 1;
    g_autofree char *name = g_strndup(path, strcspn(path, " \t,}"));
    return g_build_filename(queue, name, NULL);
}

/* smtpd takes smtpd_milters, cleanup non_smtpd_milters: can those that run in
 * the chroot see the socket? */
static void
check_chroot(const PostfixFacts *facts, char *const *lines, const char *program,
             const char *list, const char *socket, SyncReport report,
             void *data)
{
    const char *entry;
    if (!names_socket(list, socket, &entry))
        return;
    g_autofree char *inside =
        path_in_chroot(entry, list, facts->queue_directory);
    if (inside == NULL || access(inside, F_OK) == 0)
        return;
    g_autoptr(GString) blind = g_string_new(NULL);
    g_autoptr(GString) command = g_string_new(NULL);
    Service service;
    for (char *const *at = lines; next_service(lines, &at, program, &service);
         service_clear(&service)) {
        if (!service.chroot)
            continue;
        g_string_append_printf(blind, "%s%s", blind->len > 0 ? ", " : "",
                               service.name);
        g_string_append_printf(command, " %s/chroot=n", service.name);
    }
    if (blind->len > 0)
        report_line(report, data, false,
                    "Postfix: %s run in the chroot %s, where %s is not; "
                    "`postconf -F%s` and restart Postfix, or put the socket "
                    "inside",
                    blind->str, facts->queue_directory,
                    inside + strlen(facts->queue_directory), command->str);
}

/* --- the other milters of a list -------------------------------------------- */

/* One element of a list: the socket, and the default action that is its own. */
typedef struct {
    char *socket, *action;
} ListedMilter;

static void
listed_milter_clear(ListedMilter *milter)
{
    g_free(milter->socket);
    g_free(milter->action);
}

/* The element at *list, which is moved behind it; false: there is none.
 * Elements are parted by blanks and commas; one in braces has settings. */
static bool
next_milter(const char **list, ListedMilter *out_milter)
{
    static const char action[] = "default_action=";
    const char *text = *list + strspn(*list, " \t\n,");
    bool braces = *text == '{';
    text += braces;
    size_t len = strcspn(text, braces ? "}" : " \t\n,");
    g_autofree char *element = g_strndup(text, len);
    *list = text + len + (braces && text[len] == '}');
    /* "default_action = accept" is the same without blanks. */
    g_autoptr(GString) squeezed = g_string_new(g_strstrip(element));
    while (g_string_replace(squeezed, " =", "=", 0) +
               g_string_replace(squeezed, "= ", "=", 0) >
           0)
        ;
    g_auto(GStrv) words = g_strsplit_set(squeezed->str, " \t\n,", -1);
    if (words[0] == NULL)
        return false;
    *out_milter = (ListedMilter){ .socket = g_strdup(words[0]) };
    for (char **word = words + 1; *word != NULL; word++) {
        if (!g_str_has_prefix(*word, action))
            continue;
        g_free(out_milter->action);
        out_milter->action = g_strdup(*word + strlen(action));
    }
    return true;
}

/* Do services with this program run inside the chroot, and outside? */
static void
find_places(char *const *lines, const char *program, bool *out_inside,
            bool *out_outside)
{
    *out_inside = *out_outside = false;
    Service service;
    for (char *const *at = lines; next_service(lines, &at, program, &service);
         service_clear(&service)) {
        *out_inside |= service.chroot;
        *out_outside |= !service.chroot;
    }
    if (!*out_inside)
        *out_outside = true;
}

/* A milter that is not there and has no default_action = accept makes Postfix
 * answer 451 to all mail, whatever the others say. */
static void
check_other_milters(const PostfixFacts *facts, char *const *lines,
                    const char *program, const char *parameter,
                    const char *list, const char *ours, SyncReport report,
                    void *data)
{
    static const char *const harmless[] = { "accept", "quarantine", NULL };
    bool inside, outside;
    find_places(lines, program, &inside, &outside);
    ListedMilter milter;
    for (; next_milter(&list, &milter); listed_milter_clear(&milter)) {
        const char *action =
            milter.action != NULL ? milter.action : facts->default_action;
        const char *entry;
        if ((!g_str_has_prefix(milter.socket, "unix:") &&
             !g_str_has_prefix(milter.socket, "local:")) ||
            g_strv_contains(harmless, action) ||
            names_socket(milter.socket, ours, &entry))
            continue;
        const char *path = strchr(milter.socket, ':') + 1;
        /* Postfix's working directory is that of its queue. */
        g_autofree char *below =
            g_build_filename(facts->queue_directory, path, NULL);
        const char *const places[] = {
            inside ? below : NULL,
            outside ? (*path == '/' ? path : below) : NULL,
        };
        for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
            int code = places[i] != NULL ? socket_error(places[i]) : 0;
            if (code != ENOENT && code != ENOTDIR && code != ECONNREFUSED)
                continue;
            report_line(report, data, false,
                        "Postfix: %s names %s, and at %s nobody answers (%s): "
                        "all mail is put off with 451; start that milter, or "
                        "take it out of the list, or write { %s, "
                        "default_action=accept }",
                        parameter, milter.socket, places[i], g_strerror(code),
                        milter.socket);
            break;
        }
    }
}

/* submission often has milters of its own: then what our own people send is
 * not seen. */
static void
check_submission(char *const *lines, const char *socket, SyncReport report,
                 void *data)
{
    static const char option[] = "-o smtpd_milters=";
    for (; *lines != NULL; lines++) {
        const char *own = strstr(*lines, option);
        const char *field = strstr(*lines, "/command = ");
        const char *entry;
        if (own == NULL || field == NULL ||
            !g_str_has_prefix(*lines, "submission") ||
            names_socket(own, socket, &entry))
            continue;
        report_line(report, data, false,
                    "Postfix: %.*s has milters of its own and not this one: "
                    "mail that leaves is not remembered, which [bounce] "
                    "evidence = sent needs",
                    (int) (field - *lines), *lines);
    }
}

void
check_postfix_facts(const PostfixFacts *facts, const char *socket,
                    bool outbound, SyncReport report, void *data)
{
    const char *entry;
    if (!names_socket(facts->smtpd_milters, socket, &entry)) {
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
    bool bounces = strstr(facts->bounces, "bounce") != NULL;
    if (!names_socket(facts->non_smtpd_milters, socket, &entry) || !bounces)
        report_line(report, data, false,
                    "Postfix: bounces that it writes itself are not seen; set "
                    "non_smtpd_milters to this milter and "
                    "internal_mail_filter_classes = bounce");
    else
        report_line(report, data, true,
                    "Postfix: its own bounces pass the milter");
    g_auto(GStrv) lines = g_strsplit(facts->services, "\n", -1);
    check_chroot(facts, lines, "smtpd", facts->smtpd_milters, socket, report,
                 data);
    check_chroot(facts, lines, "cleanup", facts->non_smtpd_milters, socket,
                 report, data);
    check_other_milters(facts, lines, "smtpd", "smtpd_milters",
                        facts->smtpd_milters, socket, report, data);
    check_other_milters(facts, lines, "cleanup", "non_smtpd_milters",
                        facts->non_smtpd_milters, socket, report, data);
    if (outbound)
        check_submission(lines, socket, report, data);
}

/* The output of postconf; NULL after it was reported that there is none. */
static char *
postconf(const char *program, const char *option, const char *name,
         SyncReport report, void *data)
{
    char *argv[] = { (char *) program, (char *) option, (char *) name, NULL };
    g_autofree char *out = NULL;
    g_autofree char *noise = NULL;
    int status;
    g_autoptr(GError) error = NULL;
    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out,
                      &noise, &status, &error) ||
        !g_spawn_check_wait_status(status, &error)) {
        report_line(report, data, false, "Postfix: postconf: %s",
                    noise && *noise ? g_strchomp(noise) : error->message);
        return NULL;
    }
    return g_strchomp(g_steal_pointer(&out));
}

static void
check_postfix(const Settings *settings, const char *program, SyncReport report,
              void *data)
{
    static const char *const names[] = {
        "smtpd_milters",   "non_smtpd_milters", "internal_mail_filter_classes",
        "queue_directory", "mail_owner",        "milter_default_action"
    };
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        char *value = postconf(program, "-xh", names[i], report, data);
        if (value == NULL)
            return;
        g_ptr_array_add(values, value);
    }
    g_autofree char *services = postconf(program, "-F", NULL, report, data);
    if (services == NULL)
        return;
    const PostfixFacts facts = { .smtpd_milters = values->pdata[0],
                                 .non_smtpd_milters = values->pdata[1],
                                 .bounces = values->pdata[2],
                                 .queue_directory = values->pdata[3],
                                 .services = services,
                                 .default_action = values->pdata[5] };
    check_postfix_facts(&facts, settings->mta.socket,
                        settings->bounce.evidence == EVIDENCE_SENT, report,
                        data);
    check_socket_user(settings->mta.socket, values->pdata[4], report, data);
}

/* --- Sendmail --------------------------------------------------------------- */

void
check_sendmail_text(const char *text, const char *socket, SyncReport report,
                    void *data)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *name = NULL;
    const char *used = "";
    const char *entry;
    for (char **line = lines; *line != NULL; line++) {
        if (g_str_has_prefix(*line, "O InputMailFilters="))
            used = strchr(*line, '=') + 1;
        else if (**line == 'X' && names_socket(*line, socket, &entry))
            name = g_strndup(*line + 1, strcspn(*line + 1, ", \t"));
    }
    bool named = name != NULL && strstr(used, name) != NULL;
    if (named)
        report_line(report, data, true, "Sendmail: %s is an input filter",
                    name);
    else
        report_line(report, data, false,
                    "Sendmail: sendmail.cf has no input filter with %s: no "
                    "mail is seen; add INPUT_MAIL_FILTER to sendmail.mc",
                    socket);
    if (strstr(text, "contactctl ingest") != NULL)
        report_line(report, data, true,
                    "Sendmail: a mailer hands its own reports over");
    else
        report_line(report, data, false,
                    "Sendmail: reports that it writes itself are not seen; "
                    "add a mailer with contactctl ingest to sendmail.mc");
}

void
check_mail_server(const Settings *settings, SyncReport report, void *data)
{
    g_autofree char *program = g_find_program_in_path("postconf");
    g_autofree char *text = NULL;
    if (program != NULL)
        check_postfix(settings, program, report, data);
    else if (g_file_get_contents("/etc/mail/sendmail.cf", &text, NULL, NULL))
        check_sendmail_text(text, settings->mta.socket, report, data);
}

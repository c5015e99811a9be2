/*
 * share.c - see share.h
 *
 * The first line has the time, then come lines of metrics_save() and log lines:
 * "log", time, level, text, with tabs between. The reader believes none of it
 * further than that it may be shown: it was written by the process that reads
 * hostile mail.
 */
#include "share.h"

#include "base/log.h"
#include "base/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char head[] = "contact-milter\t";

static char *
share_path(const char *spool)
{
    return g_strconcat(spool, ".mta.metrics", NULL);
}

static bool
write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        len -= (size_t) n;
    }
    return true;
}

bool
share_write(const char *spool, int64_t now)
{
    g_autofree char *metrics = metrics_save();
    g_autoptr(GPtrArray) lines = log_recent();
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s%" G_GINT64_FORMAT "\n%s", head, now,
                           metrics);
    for (guint i = 0; i < lines->len; i++) {
        const LogLine *l = g_ptr_array_index(lines, i);
        g_string_append_printf(text, "log\t%" G_GINT64_FORMAT "\t%d\t%s\n",
                               l->time, (int) l->level, l->text);
    }
    /* Not worth a sync: after a crash the next one is seconds away. */
    g_autofree char *path = share_path(spool);
    g_autofree char *fresh = g_strconcat(path, ".new", NULL);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                  0600);
    if (fd < 0)
        return false;
    bool written = write_all(fd, text->str, text->len);
    return close(fd) == 0 && written && rename(fresh, path) == 0;
}

static char *
read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat is;
    char *text = NULL;
    if (fd >= 0 && fstat(fd, &is) == 0 && S_ISREG(is.st_mode) &&
        is.st_size < SHARE_MAX) {
        text = g_malloc((size_t) is.st_size + 1);
        ssize_t n = read(fd, text, (size_t) is.st_size);
        text[n > 0 ? n : 0] = '\0';
    }
    if (fd >= 0)
        (void) close(fd);
    return text;
}

int64_t
share_read(const char *spool, GPtrArray *log)
{
    g_autofree char *path = share_path(spool);
    g_autofree char *text = read_file(path);
    if (text == NULL || !g_str_has_prefix(text, head))
        return 0;
    metrics_load(text);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint taken = 0;
    for (size_t i = 0; log != NULL && lines[i] != NULL && taken < LOG_RECENT;
         i++) {
        g_auto(GStrv) field = g_strsplit(lines[i], "\t", 4);
        if (g_strv_length(field) != 4 || strcmp(field[0], "log") != 0)
            continue;
        LogLevel level =
            strcmp(field[2], "0") == 0 ? LOG_LEVEL_ERROR_ : LOG_LEVEL_WARNING_;
        g_ptr_array_add(log, log_line_new(g_ascii_strtoll(field[1], NULL, 10),
                                          level, field[3]));
        taken++;
    }
    return g_ascii_strtoll(text + strlen(head), NULL, 10);
}

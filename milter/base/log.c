/*
 * log.c - see log.h
 *
 * One line is formatted into a buffer of its own and handed over whole, so
 * that lines of several threads never mix. Text is escaped where it enters a
 * line (log_text, log_address), not here.
 */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-journal.h>
#endif

enum { TEXT_MAX = 200, HASH_DIGITS = 12 };

/* Atomic each: a reload changes them while other threads log. */
static struct {
    _Atomic LogTarget target;
    _Atomic LogLevel level;
    _Atomic LogAddresses addresses;
} config = { LOG_TARGET_STDERR, LOG_LEVEL_INFO_, ADDRESSES_FULL };

void
log_open(const char *program, LogTarget target, LogLevel level,
         LogAddresses addresses)
{
    config.target = target;
    config.level = level;
    config.addresses = addresses;
    /* Once: syslog() keeps the pointer, and other threads use the name. */
    if (g_strcmp0(g_get_prgname(), program) != 0)
        g_set_prgname(program);
    static bool opened;
    if (target == LOG_TARGET_SYSLOG && !opened) {
        openlog(g_get_prgname(), LOG_PID | LOG_NDELAY, LOG_MAIL);
        opened = true;
    }
}

static const int priorities[] = {
    [LOG_LEVEL_ERROR_] = LOG_ERR,
    [LOG_LEVEL_WARNING_] = LOG_WARNING,
    [LOG_LEVEL_INFO_] = LOG_INFO,
    [LOG_LEVEL_DEBUG_] = LOG_DEBUG,
};

/* --- the last errors and warnings ------------------------------------------ */

static struct {
    pthread_mutex_t lock;
    LogLine *lines[LOG_RECENT];
    size_t next;
} recent = { .lock = PTHREAD_MUTEX_INITIALIZER };

LogLine *
log_line_new(int64_t time, LogLevel level, const char *text)
{
    LogLine *line = g_new(LogLine, 1);
    *line = (LogLine){ time, level, g_utf8_make_valid(text, -1) };
    for (char *c = line->text; *c != '\0'; c++) {
        if (g_ascii_iscntrl(*c))
            *c = ' ';
    }
    return line;
}

void
log_line_free(LogLine *line)
{
    if (line == NULL)
        return;
    g_free(line->text);
    g_free(line);
}

static void
remember(LogLevel level, const char *text)
{
    LogLine *line = log_line_new((int64_t) time(NULL), level, text);
    pthread_mutex_lock(&recent.lock);
    log_line_free(recent.lines[recent.next]);
    recent.lines[recent.next] = line;
    recent.next = (recent.next + 1) % LOG_RECENT;
    pthread_mutex_unlock(&recent.lock);
}

GPtrArray *
log_recent(void)
{
    GPtrArray *list =
        g_ptr_array_new_with_free_func((GDestroyNotify) log_line_free);
    pthread_mutex_lock(&recent.lock);
    for (size_t i = 0; i < LOG_RECENT; i++) {
        const LogLine *l = recent.lines[(recent.next + i) % LOG_RECENT];
        if (l != NULL)
            g_ptr_array_add(list, log_line_new(l->time, l->level, l->text));
    }
    pthread_mutex_unlock(&recent.lock);
    return list;
}

static void log_write(LogLevel level, const char *format, va_list args)
    G_GNUC_PRINTF(2, 0);

static void
log_write(LogLevel level, const char *format, va_list args)
{
    if (level > config.level)
        return;
    g_autofree char *line = g_strdup_vprintf(format, args);
    if (level <= LOG_LEVEL_WARNING_)
        remember(level, line);
    LogTarget target = config.target;
    switch (target) {
    case LOG_TARGET_SYSLOG:
        syslog(priorities[level], "%s", line);
        break;
    case LOG_TARGET_JOURNAL:
#ifdef HAVE_SYSTEMD
        (void) sd_journal_send("MESSAGE=%s", line, "PRIORITY=%i",
                               priorities[level], "SYSLOG_FACILITY=%i",
                               LOG_MAIL >> 3, "SYSLOG_IDENTIFIER=%s",
                               g_get_prgname(), NULL);
        break;
#endif
    case LOG_TARGET_STDERR:
    default: {
        const char *name = g_get_prgname();
        fprintf(stderr, "%s: %s\n", name ? name : "contact-milter", line);
        break;
    }
    }
}

#define DEFINE_LOG(function, level) \
    void function(const char *format, ...) \
    { \
        va_list args; \
        va_start(args, format); \
        log_write(level, format, args); \
        va_end(args); \
    }

DEFINE_LOG(log_error, LOG_LEVEL_ERROR_)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING_)
DEFINE_LOG(log_info, LOG_LEVEL_INFO_)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG_)

bool
log_is_debug(void)
{
    return config.level >= LOG_LEVEL_DEBUG_;
}

bool
log_is_info(void)
{
    return config.level >= LOG_LEVEL_INFO_;
}

char *
log_text(const char *text)
{
    if (text == NULL)
        return g_strdup("-");
    GString *out = g_string_sized_new(64);
    const char *p = text;
    while (*p != '\0' && out->len < TEXT_MAX) {
        gunichar c = g_utf8_get_char_validated(p, -1);
        if (c == (gunichar) -1 || c == (gunichar) -2) {
            g_string_append_printf(out, "\\x%02x", (unsigned char) *p);
            p++;
            continue;
        }
        /* Format characters turn the reading direction: as bad as controls. */
        if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", (char) c);
        else if (g_unichar_iscntrl(c) ||
                 g_unichar_type(c) == G_UNICODE_FORMAT ||
                 g_unichar_type(c) == G_UNICODE_LINE_SEPARATOR ||
                 g_unichar_type(c) == G_UNICODE_PARAGRAPH_SEPARATOR)
            g_string_append_printf(out, "\\u%04x", c);
        else
            g_string_append_unichar(out, c);
        p = g_utf8_next_char(p);
    }
    if (*p != '\0')
        g_string_append(out, "...");
    return g_string_free(out, FALSE);
}

char *
log_address(const char *address)
{
    if (address == NULL)
        return g_strdup("-");
    if (config.addresses == ADDRESSES_FULL)
        return log_text(address);
    g_autofree char *lower = g_ascii_strdown(address, -1);
    g_autofree char *sum =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, lower, -1);
    return g_strdup_printf("hash:%.*s", HASH_DIGITS, sum);
}

/* --- repeats ------------------------------------------------------------ */

enum { REPEAT_KEYS = 64 };

static struct {
    pthread_mutex_t lock;
    struct {
        const char *key;
        time_t last;
        unsigned suppressed;
    } slots[REPEAT_KEYS];
} repeats = { .lock = PTHREAD_MUTEX_INITIALIZER };

bool
log_allowed(const char *key, unsigned seconds, unsigned *out_suppressed)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    bool allowed = true;
    unsigned suppressed = 0;

    pthread_mutex_lock(&repeats.lock);
    for (size_t i = 0; i < REPEAT_KEYS; i++) {
        if (repeats.slots[i].key == NULL) {
            repeats.slots[i].key = key;
            repeats.slots[i].last = now.tv_sec;
            break;
        }
        if (strcmp(repeats.slots[i].key, key) != 0)
            continue;
        allowed = now.tv_sec - repeats.slots[i].last >= (time_t) seconds;
        if (allowed) {
            suppressed = repeats.slots[i].suppressed;
            repeats.slots[i].suppressed = 0;
            repeats.slots[i].last = now.tv_sec;
        } else {
            repeats.slots[i].suppressed++;
        }
        break;
    }
    pthread_mutex_unlock(&repeats.lock);
    if (allowed && out_suppressed != NULL)
        *out_suppressed = suppressed;
    return allowed;
}

/*
 * log.h - the log: syslog (facility mail), the journal, or standard error
 *
 * A line about a message starts with its queue ID, then key=value. Text from
 * outside goes through log_text(), addresses through log_address().
 *
 * Threads    all functions may be called from any thread.
 */
#ifndef LOG_H
#define LOG_H

#include "base/settings.h"

#include <glib.h>

/* Before this is called everything goes to standard error at level info. */
void log_open(const char *program, LogTarget target, LogLevel level,
              LogAddresses addresses);

void log_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_info(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_debug(const char *format, ...) G_GNUC_PRINTF(1, 2);
bool log_is_debug(void);
bool log_is_info(void);

/* The last LOG_RECENT errors and warnings, oldest first; lines have no
 * controls in them. Array of LogLine; the caller unrefs it. */
enum { LOG_RECENT = 20 };
typedef struct {
    int64_t time;
    LogLevel level;
    char *text;
} LogLine;
GPtrArray *log_recent(void);
LogLine *log_line_new(int64_t time, LogLevel level, const char *text);
void log_line_free(LogLine *line);

/* An address as `log addresses` allows: as it is, or "hash:" and 12 hex digits
 * of its SHA-256. Escaped; the caller frees it. NULL gives "-". */
char *log_address(const char *address);

/* Text from outside, made safe for one line: controls and quotes escaped, cut
 * at 200 bytes. The caller frees it. NULL gives "-". */
char *log_text(const char *text);

/* True at most once in `seconds` for one `key` (a static string): for repeats
 * that must not flood the log. *out_suppressed (may be NULL) is how many were
 * held back since. */
bool log_allowed(const char *key, unsigned seconds, unsigned *out_suppressed);

#endif

/*
 * mail_source.h - stored messages: files, mboxes, Maildirs, standard input
 *
 * Threads    one at a time.
 * Limits     MAIL_SOURCE_MAX bytes of one message are handed over.
 */
#ifndef MAIL_SOURCE_H
#define MAIL_SOURCE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum { MAIL_SOURCE_MAX = 64 * 1024 * 1024 };

/* One message; everything is borrowed for the time of the visit. */
typedef struct {
    const char *name; /* the path, with "#N" for the Nth of an mbox */
    const char *path;
    size_t offset; /* of the message in the file */
    const char *bytes;
    size_t len;
} StoredMail;

/* False stops the visit. */
typedef bool (*MailVisit)(const StoredMail *mail, void *data);

/* Visits every message at `path`: "-" is standard input, a directory a Maildir
 * (new/ and cur/) or a folder of files, in the order of their names. A file
 * that begins with a "From " line is an mbox, unless it is called *.eml.
 * False and an error when something cannot be read; what can be is visited
 * all the same. */
bool mail_source_visit(const char *path, MailVisit visit, void *data,
                       GError **error);

#endif

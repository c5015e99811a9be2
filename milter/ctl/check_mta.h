/*
 * check_mta.h - does the mail server use the milter as it should?
 */
#ifndef CHECK_MTA_H
#define CHECK_MTA_H

#include "base/settings.h"
#include "crm/sync.h"

/* The milter's socket: is it there, may others connect, does anybody answer? */
void check_socket(const Settings *settings, SyncReport report, void *data);

/* May this user connect to the unix socket? Nothing if there is no such user,
 * or no such socket. */
void check_socket_user(const char *socket, const char *user, SyncReport report,
                       void *data);

/* Postfix's main.cf and master.cf, through `postconf`, or Sendmail's
 * sendmail.cf; nothing when there is neither. */
void check_mail_server(const Settings *settings, SyncReport report, void *data);

/* What Postfix was told, for tests too; `bounces` is
 * internal_mail_filter_classes, `services` the output of `postconf -F`,
 * `default_action` milter_default_action. */
typedef struct {
    const char *smtpd_milters, *non_smtpd_milters, *bounces;
    const char *services, *queue_directory, *default_action;
} PostfixFacts;
/* `socket` is [mta] socket; `outbound`: must mail that leaves be seen? */
void check_postfix_facts(const PostfixFacts *facts, const char *socket,
                         bool outbound, SyncReport report, void *data);

/* The text of sendmail.cf. */
void check_sendmail_text(const char *text, const char *socket,
                         SyncReport report, void *data);

#endif

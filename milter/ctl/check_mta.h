/*
 * check_mta.h - does the mail server use the milter as it should?
 */
#ifndef CHECK_MTA_H
#define CHECK_MTA_H

#include "base/settings.h"
#include "crm/sync.h"

/* The milter's socket: is it there, may others connect, does anybody answer? */
void check_socket(const Settings *settings, SyncReport report, void *data);

/* Postfix's main.cf, through `postconf`; nothing when there is no Postfix. */
void check_postfix(const Settings *settings, SyncReport report, void *data);

/* The same for the values themselves, for tests: what is wrong with them, as
 * lines to `report`. `socket` is [mta] socket. */
void check_postfix_values(const char *socket, const char *smtpd_milters,
                          const char *non_smtpd_milters,
                          const char *filter_classes, SyncReport report,
                          void *data);

#endif

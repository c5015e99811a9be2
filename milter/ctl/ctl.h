/*
 * ctl.h - what the commands of contactctl share
 *
 * Each command is a file of its own with one function, listed in contactctl.c.
 * A command gets its arguments with its own name in argv[0] and returns an
 * exit status: 0, 1 for "no", or one of sysexits.
 */
#ifndef CTL_H
#define CTL_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/settings.h"
#include "store/spool.h"
#include "store/store.h"

typedef struct {
    const char *config; /* -c FILE; NULL: not given */
} Ctl;

int ctl_analyze(Ctl *ctl, int argc, char **argv);
int ctl_check(Ctl *ctl, int argc, char **argv);
int ctl_flush(Ctl *ctl, int argc, char **argv);
int ctl_forget(Ctl *ctl, int argc, char **argv);
int ctl_import(Ctl *ctl, int argc, char **argv);
int ctl_ingest(Ctl *ctl, int argc, char **argv);
int ctl_migrate(Ctl *ctl, int argc, char **argv);
int ctl_queue(Ctl *ctl, int argc, char **argv);
int ctl_status(Ctl *ctl, int argc, char **argv);
int ctl_token(Ctl *ctl, int argc, char **argv);

/* The default configuration file. */
#define CTL_CONFIG SYSCONFDIR "/contact-milter/contact-milter.conf"

/* Parses options into `entries`; what remains is in *argv after it. False
 * after --help or an error, with the exit status in *out_status. */
bool ctl_options(const GOptionEntry *entries, const char *summary, int *argc,
                 char ***argv, int *out_status);

/* Settings for a tool, or NULL after every problem was printed. */
Settings *ctl_settings(const Ctl *ctl, Role role);
/* The contacts store and the spool; NULL after an error was printed. */
Store *ctl_store(const Settings *settings);
Spool *ctl_spool(const Settings *settings);

/* The path in a URI of an SQLite store, borrowed from it; NULL: of another. */
const char *ctl_sqlite_path(const char *uri);

/* After root opened databases: new ones go to the owner of their folder. */
void ctl_give_databases(const Settings *settings);

#define CTL_JSON_OPTION(flag) \
    { \
        "json", 0, 0, G_OPTION_ARG_NONE, flag, "JSON, one object a line", NULL \
    }

/* One JSON object on a line of standard output; takes the reference. */
void ctl_json(json_t *object);

/* "contactctl: ..." on standard error. */
void ctl_error(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Has it the form user@domain? */
bool ctl_is_address(const char *text);

/* The options of the analysis that follow from the settings. Borrows. */
void ctl_analyzer_options(const Settings *settings, AnalyzerOptions *out);
/* The analysis as the daemon has it; NULL after an error was printed. */
Analyzer *ctl_analyzer(const Settings *settings);
/* The policy of section [mta]. Borrows. */
void ctl_observe_policy(const Settings *settings, ObservePolicy *out);

#endif

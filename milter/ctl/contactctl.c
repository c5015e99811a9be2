/*
 * contactctl.c - the admin's tool: picks the command
 */
#include <locale.h>
#include <stdarg.h>
#include <string.h>

#include "base/log.h"
#include "ctl/ctl.h"

static const struct {
    const char *name;
    int (*run)(Ctl *ctl, int argc, char **argv);
    const char *usage;
    const char *summary;
} commands[] = {
    { "analyze", ctl_analyze, "[--json] PATH...",
      "what the milter would find in these messages" },
    { "check", ctl_check, "[--json]",
      "configuration, store, API, clock, custom fields, Postfix" },
    { "status", ctl_status, "[--json]", "counts, oldest change, last error" },
    { "queue", ctl_queue, "list|show|retry|release|drop ...",
      "changes that wait, are held or are dead" },
    { "import", ctl_import, "[--since DATE] [--dry-run] PATH...",
      "seed the store from old mail" },
    { "ingest", ctl_ingest, "[--from ADDR] [--to ADDR]...",
      "one message on standard input" },
    { "forget", ctl_forget, "ADDRESS",
      "erase everything that is held here about a person" },
    { "flush", ctl_flush, "", "the sync tries everything now" },
    { "token", ctl_token, "ADDRESS",
      "the signed List-Unsubscribe mailto of an address" },
    { "migrate", ctl_migrate, "FROM-URI TO-URI",
      "copy one contacts store into another" },
};

static void
print_help(FILE *out)
{
    fputs("usage: contactctl [-c FILE] COMMAND [OPTION...]\n\n", out);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *left =
            g_strdup_printf("%s %s", commands[i].name, commands[i].usage);
        fprintf(out, "  %-42s %s\n", left, commands[i].summary);
    }
    fputs(
        "\n  -c FILE    the configuration (default: " CTL_CONFIG ")\n"
        "  --version  the version\n\n"
        "`contactctl COMMAND --help` tells a command's options; the manual is "
        "contactctl(8).\n",
        out);
}

int
main(int argc, char **argv)
{
    (void) setlocale(LC_ALL, "");
    Ctl ctl = { 0 };
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        const char *option = argv[at];
        if (strcmp(option, "-c") == 0 || strcmp(option, "--config") == 0) {
            if (at + 1 == argc) {
                ctl_error("%s needs a file", option);
                return EX_USAGE;
            }
            ctl.config = argv[++at];
        } else if (g_str_has_prefix(option, "--config=")) {
            ctl.config = option + strlen("--config=");
        } else if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0) {
            print_help(stdout);
            return 0;
        } else if (strcmp(option, "--version") == 0) {
            puts("contactctl " VERSION);
            return 0;
        } else {
            ctl_error("unknown option %s; see contactctl --help", option);
            return EX_USAGE;
        }
    }
    if (at == argc) {
        print_help(stderr);
        return EX_USAGE;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(argv[at], commands[i].name) == 0) {
            log_open("contactctl", LOG_TARGET_STDERR, LOG_LEVEL_WARNING_,
                     ADDRESSES_FULL);
            int status = commands[i].run(&ctl, argc - at, argv + at);
            if (fflush(stdout) != 0) {
                ctl_error("cannot write the output");
                return EX_IOERR;
            }
            return status;
        }
    }
    ctl_error("there is no command %s; see contactctl --help", argv[at]);
    return EX_USAGE;
}

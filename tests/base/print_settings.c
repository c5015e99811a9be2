/* Prints what follows from the option table: sample, mdoc or help. */
#include "base/settings.h"

#include <string.h>

int
main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";
    if (strcmp(what, "sample") == 0)
        settings_print_sample(stdout);
    else if (strcmp(what, "mdoc") == 0)
        settings_print_mdoc(stdout);
    else if (strcmp(what, "help") == 0)
        settings_print_help(stdout);
    else
        return 2;
    return 0;
}

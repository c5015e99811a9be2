/*
 * settings_print.c - the option table for people: sample, manual page, help
 */
#include "base/settings_table.h"

#include <string.h>

/* `text` in lines of at most 76 columns, each after `prefix`. */
static void
print_wrapped(FILE *out, const char *prefix, const char *text)
{
    size_t width = 76 - strlen(prefix);
    while (*text != '\0') {
        size_t len = strlen(text);
        if (len > width) {
            len = width;
            while (len > 0 && text[len] != ' ')
                len--;
        }
        fprintf(out, "%s%.*s\n", prefix, (int) len, text);
        text += len;
        while (*text == ' ')
            text++;
    }
}

void
settings_print_sample(FILE *out)
{
    fputs("# contact-milter.conf - see contact-milter.conf(5)\n"
          "#\n"
          "# Every option with its default. Lines that begin with # are\n"
          "# comments; durations take ms s m h d, sizes K M, lists commas.\n",
          out);
    for (size_t i = 0; i < settings_n_options; i++) {
        const Option *option = &settings_options[i];
        fputc('\n', out);
        print_wrapped(out, "# ", option->doc);
        if (option->type == OPTION_SECTION)
            fprintf(out, "[%s]\n", option->section);
        else
            fprintf(out, "#%s =%s%s\n", option->key,
                    option->fallback ? " " : "",
                    option->fallback ? option->fallback : "");
    }
}

void
settings_print_help(FILE *out)
{
    for (size_t i = 0; i < settings_n_options; i++) {
        const Option *option = &settings_options[i];
        if (option->type == OPTION_SECTION) {
            fprintf(out, "%s[%s]\n", i > 0 ? "\n" : "", option->section);
            print_wrapped(out, "  ", option->doc);
            continue;
        }
        fprintf(out, "  %s = %s\n", option->key,
                option->fallback ? option->fallback : "(unset)");
        print_wrapped(out, "      ", option->doc);
    }
}

/* mdoc treats a leading '.' or ' and every backslash as its own, and wants each
 * sentence to begin a line. */
static void
print_mdoc_text(FILE *out, const char *text)
{
    GString *sentence = g_string_new(NULL);
    for (; *text != '\0'; text++) {
        if (sentence->len == 0 && (*text == '.' || *text == '\''))
            g_string_append(sentence, "\\&");
        if (*text == '\\')
            g_string_append(sentence, "\\e");
        else
            g_string_append_c(sentence, *text);
        bool end = text[1] == '\0' ||
                   (*text == '.' && text[1] == ' ' && g_ascii_isupper(text[2]));
        if (end) {
            print_wrapped(out, "", sentence->str);
            g_string_truncate(sentence, 0);
            if (text[1] == ' ')
                text++;
        }
    }
    g_string_free(sentence, TRUE);
}

void
settings_print_mdoc(FILE *out)
{
    bool open = false;
    for (size_t i = 0; i < settings_n_options; i++) {
        const Option *option = &settings_options[i];
        if (option->type == OPTION_SECTION) {
            if (open)
                fputs(".El\n", out);
            fprintf(out, ".Ss Section %s\n", option->section);
            print_mdoc_text(out, option->doc);
            fputs(".Bl -tag -width Ds\n", out);
            open = true;
            continue;
        }
        fprintf(out, ".It Cm %s\n", option->key);
        print_mdoc_text(out, option->doc);
        if (option->fallback != NULL) {
            g_autofree char *text =
                g_strdup_printf("Default: %s", option->fallback);
            print_mdoc_text(out, text);
        }
    }
    fputs(".El\n", out);
}

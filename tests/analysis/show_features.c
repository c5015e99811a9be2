/* show_features.c - for each mail given, the author's own lines with what
 * signature_features.h sees of them, and whether signature.c took them; no
 * test: tests/analysis/train-signature reads it.
 *
 *     ==> FILE
 *     1 <TAB> line,author,name_shape <TAB> Ann Example
 */
#include "config.h"

#include "analysis/signature.h"
#include "analysis/signature_features.h"

#include <stdio.h>

static void
show_line(const Body *body, size_t i, const Author *author, bool after_closing)
{
    const Line *line = &body->lines[i];
    guint64 bits = signature_features(line, author, after_closing);
    if (i > 0 && signature_wrapped(&body->lines[i - 1], line))
        bits |= G_GUINT64_CONSTANT(1) << FEATURE_WRAPPED;
    if (i == 0 || body->lines[i - 1].len == 0 ||
        (line->flags & (LINE_PARAGRAPH | LINE_AFTER_RULE)))
        bits |= G_GUINT64_CONSTANT(1) << FEATURE_PARAGRAPH;
    printf("%d\t", line->zone == ZONE_SIGNATURE);
    for (int f = 0; f < N_FEATURES; f++)
        if ((bits >> f) & 1)
            printf("%s%s", f > 0 ? "," : "",
                   signature_feature_name((Feature) f));
    printf("\t%.*s\n", (int) line->len, line->text);
}

static void
show(const char *path)
{
    g_autofree char *bytes = NULL;
    gsize len;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(path, &bytes, &len, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return;
    }
    printf("==> %s\n", path);
    g_autoptr(Message) message = message_parse(bytes, len, NULL);
    g_autoptr(Body) body = body_new(message);
    const Mailbox *from = message->from.n > 0 ? &message->from.items[0] : NULL;
    Author author;
    author_init(&author, from);
    signature_mark(body, from);
    bool after_closing = false;
    for (size_t i = 0; i < body->n_lines; i++) {
        const Line *line = &body->lines[i];
        if (line->len == 0 ||
            (line->zone != ZONE_OWN && line->zone != ZONE_SIGNATURE))
            continue;
        show_line(body, i, &author, after_closing);
        size_t rest = 0;
        after_closing = signature_closing(line->text, line->len, &rest) &&
                        rest == line->len;
    }
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        show(argv[i]);
    return 0;
}

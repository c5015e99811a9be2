/*
 * show_zones.c - prints how message/ reads mails: fields, parts, lines, zones
 *
 * Not a test: for people who look into a mail that came out wrong.
 * show_zones [-h] FILE...   (-h: the HTML part)
 * show_zones [-h] -t COUNT FILE...   parses each so often, for profilers;
 * with -h both bodies are made, too
 */
#include "message/body.h"
#include "message/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const zone_names[] = { "own ", "attr", "quot",
                                          "fwd ", "sig ", "disc" };

static void
show_flags(unsigned flags)
{
    static const char letters[] = "TSRBsgPqQLI     !ca bfi";
    for (unsigned i = 0; i < sizeof(letters) - 1; i++) {
        if ((flags & (1u << i)) != 0)
            putchar(letters[i]);
    }
}

static void
show(const char *file, const Message *message, bool html)
{
    printf("=== %s\nsubject: %s\n", file, message->subject);
    for (size_t i = 0; i < message->from.n; i++)
        printf("from: [%s] <%s>\n",
               message->from.items[i].name != NULL ? message->from.items[i].name
                                                   : "",
               message->from.items[i].email);
    for (size_t i = 0; i < message->n_parts; i++) {
        const Part *part = &message->parts[i];
        printf("part %zu: kind %d %s charset=%s depth=%u in=%d len=%zu%s%s\n",
               i, (int) part->kind, part->type,
               part->charset != NULL ? part->charset : "-", part->depth,
               part->enclosing, part->len,
               part->alternative ? " alternative" : "",
               part->attachment ? " attachment" : "");
    }
    if (message->malformed)
        puts("MALFORMED");
    if (message->truncated)
        puts("TRUNCATED");
    g_autoptr(Body) body = html ? body_new_html(message) : body_new(message);
    if (body == NULL)
        return;
    for (size_t i = 0; i < body->n_lines; i++) {
        const Line *line = &body->lines[i];
        printf("%s|%s|", zone_names[line->zone], line->text);
        if (line->flags != 0) {
            printf("   {");
            show_flags(line->flags);
            putchar('}');
        }
        putchar('\n');
    }
    for (size_t i = 0; i < body->n_links; i++)
        printf("link on %zu: [%s] %s\n", body->links[i].line,
               body->links[i].text, body->links[i].href);
}

int
main(int argc, char **argv)
{
    bool html = false;
    unsigned long count = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-h") == 0) {
            html = true;
            continue;
        }
        if (strcmp(argv[i], "-t") == 0 && i + 1 < argc) {
            count = (unsigned long) g_ascii_strtoull(argv[++i], NULL, 10);
            continue;
        }
        g_autofree char *text = NULL;
        gsize len = 0;
        if (!g_file_get_contents(argv[i], &text, &len, NULL)) {
            fprintf(stderr, "%s: cannot be read\n", argv[i]);
            return EXIT_FAILURE;
        }
        for (unsigned long k = 0; k < count; k++) {
            g_autoptr(Message) message = message_parse(text, len, NULL);
            if (html) {
                body_free(body_new(message));
                body_free(body_new_html(message));
            }
        }
        if (count == 0) {
            g_autoptr(Message) message = message_parse(text, len, NULL);
            show(argv[i], message, html);
        }
    }
    return EXIT_SUCCESS;
}

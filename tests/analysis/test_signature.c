/*
 * test_signature.c - which lines are the signature, by what wrote the mail?
 *
 * Each row is a text, how it was written, and the lines that are listed,
 * joined by "|"; "" is no signature.
 */
#include "analysis/signature.h"

#include <string.h>

typedef struct {
    const char *name;
    const char *type; /* "plain", "html" */
    const char *text;
    const char *lines;
} Case;

static const Case cases[] = {
    { "typed name", "plain", "The tent is up.\n\nThanks\nOdile\n",
      "Thanks|Odile" },
    { "typed initial", "plain", "Ten o'clock is fine.\n\nThx\nO.\n", "Thx|O." },
    { "letter without sign-off", "plain", "Ten o'clock is fine.\n\nO.\n", "" },
    { "name above a footer", "plain",
      "The tent is up.\n\nOdile\n\nSent from my iPhone\n", "" },
    { "card above a footer", "plain",
      "The tent is up.\n\nOdile Prescott\nRigger\n0491 570 156\n\n"
      "Sent from my iPhone\n",
      "Odile Prescott|Rigger|0491 570 156" },
    { "name in HTML", "html", "<p>The tent is up.</p><p>Cheers,<br>Odile</p>",
      "" },
    { "card in HTML", "html",
      "<p>The tent is up.</p><p>Cheers,</p><p>Odile Prescott<br>"
      "Head Rigger<br>Prescott Tents Pty Ltd</p>",
      "Odile Prescott|Head Rigger|Prescott Tents Pty Ltd" },
    { "end of a list of names", "plain",
      "These were there:\n\nJanet Moore\nEd Fuller\nOdile Prescott\n", "" },
    { "yours", "plain",
      "Please bring the ladder back.\n\nYour patient rigger,\nOdile Prescott\n",
      "Your patient rigger,|Odile Prescott" },
    { "God bless", "plain", "Happy birthday from us.\n\nGod bless,\nOdile\n",
      "God bless,|Odile" },
    { "numbers of others", "plain",
      "I am out until Monday. In my absence contact:\n\n"
      "Susan Lamb   713-555-0171\nMark Hodge   713-555-0172\n",
      "" },
    { "place to meet", "plain",
      "The dinner is on:\n\nFriday, October 12\n7:00 pm\nTony's\n"
      "3755 Richmond Ave.\n",
      "" },
    { "attachment's line", "plain",
      "Here it is again.\n\nOdile Prescott\nRigging\n0491 570 156\n\n"
      "<< File: plan.xls >>\n",
      "Odile Prescott|Rigging|0491 570 156" },
};

static void
test_lines(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *mail = g_strdup_printf(
            "From: Odile Prescott <odile.prescott@example.org>\n"
            "MIME-Version: 1.0\nContent-Type: text/%s; charset=utf-8\n\n%s",
            cases[i].type, cases[i].text);
        g_autoptr(Message) message = message_parse(mail, strlen(mail), NULL);
        g_autoptr(Body) body = body_new(message);
        g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
        signature_mark(body, &message->from.items[0]);
        signature_list(body, &message->from.items[0], lines);
        g_ptr_array_add(lines, NULL);
        g_autofree char *got = g_strjoinv("|", (char **) lines->pdata);
        if (strcmp(got, cases[i].lines) != 0) {
            g_printerr("# %s: want \"%s\", got \"%s\"\n", cases[i].name,
                       cases[i].lines, got);
            g_test_fail();
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/signature/lines", test_lines);
    return g_test_run();
}

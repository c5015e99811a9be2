/* bench_unsubscribe.c - time of the judgement on 2 kB of ordinary text */
#include "config.h"

#include "analysis/language.h"
#include "analysis/unsubscribe.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Microseconds of processor time: other work on the machine is no matter. */
static gint64
cpu_time(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (gint64) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
measure(const UnsubscribeRules *rules, const char *name, const char *text)
{
    g_autoptr(GString) body_text = g_string_new(NULL);
    static const char head[] =
        "From: jo@customer.example\r\nTo: us@our.example\r\n"
        "Subject: Saturday\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
    enum { ROUNDS = 5000 };

    while (body_text->len < 2000)
        g_string_append(body_text, text);
    g_autofree char *raw = g_strconcat(head, body_text->str, NULL);
    g_autoptr(Message) message = message_parse(raw, strlen(raw), NULL);
    g_autoptr(Body) body = body_new(message);
    g_autoptr(Envelope) envelope = envelope_new();
    const char *lang = language_guess(body_text->str, body_text->len);
    gint64 start = cpu_time();
    for (int i = 0; i < ROUNDS; i++)
        unsubscribe_free(
            unsubscribe_find(rules, message, body, envelope, NULL, lang));
    gint64 middle = cpu_time();
    for (int i = 0; i < ROUNDS; i++)
        (void) language_guess(body_text->str, body_text->len);
    gint64 end = cpu_time();
    printf("%-10s %zu bytes: %.1f us a message, language %.1f us\n", name,
           (size_t) body_text->len, (double) (middle - start) / ROUNDS,
           (double) (end - middle) / ROUNDS);
}

int
main(void)
{
    AnalyzerOptions options = { 0 };
    gint64 start = cpu_time();
    g_autoptr(UnsubscribeRules) rules = unsubscribe_rules_new(&options, NULL);

    printf("compiling %.1f ms\n", (double) (cpu_time() - start) / 1000);
    measure(rules, "english",
            "Thank you for the quote, which looks fine to us. Could we have "
            "the long table by the window, and is there a ramp for two "
            "guests in wheelchairs?\n\nThe florist will arrive at ten "
            "and needs about an hour; the band sets up after lunch.\n");
    measure(rules, "german",
            "Vielen Dank für Ihr Angebot, das uns gut gefällt. Können wir "
            "den langen Tisch am Fenster haben, und gibt es eine Rampe?\n\n"
            "Die Floristin kommt um zehn und braucht etwa eine Stunde.\n");
    measure(rules, "japanese",
            "お見積もりありがとうございます。窓際の長いテーブルをお願いできま"
            "すか。スロープはありますか。花屋は十時に到着します。\n");
    measure(rules, "request", "Please take me off your mailing list.\n");
    return 0;
}

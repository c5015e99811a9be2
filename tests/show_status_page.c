/*
 * show_status_page.c - prints a status page with invented figures, to look at
 *
 *     tests/show_status_page [well | trouble] >page.html
 */
#include "base/log.h"
#include "base/metrics.h"
#include "status_page.h"

#include <stdio.h>
#include <string.h>

enum { NOW = 1764261000, SLOT = 900, DAY = 86400 };

static const QueueEntry entries[] = {
    { (char *) "ann.lee@client.example", (char *) "dead", (char *) "contact",
      (char *) "email: is not valid (code 400, specific 24)", NULL, 1,
      NOW - 9000, 0, 0 },
    { (char *) "ben@venue.example", (char *) "held", (char *) "status=3",
      (char *) "more than 50 status changes from venue.example within an hour",
      NULL, 0, NOW - 4000, 0, 0 },
    { (char *) "cara.o-neill@events.example", (char *) "held",
      (char *) "unsubscribe", (char *) "the request is not certain", NULL, 0,
      NOW - 3000, 0, 0 },
    { (char *) "dan@client.example", (char *) "pending", (char *) "contact",
      (char *) "HTTP 503 service unavailable", NULL, 2, NOW - 4200, NOW + 95,
      0 },
    { (char *) "eve@client.example", (char *) "pending",
      (char *) "contact,status=3", NULL, NULL, 0, NOW - 60, NOW - 60, 0 },
};

static const LogLine lines[] = {
    { NOW - 30000, LOG_LEVEL_WARNING_,
      (char *) "4bXyz: 1 observations wait in memory: the disk does not take "
               "them" },
    { NOW - 900, LOG_LEVEL_ERROR_,
      (char *) "crm: PAUSED, nothing is sent and nothing is lost: HTTP 503 "
               "service unavailable (trying again in 60 s)" },
};

/* A working day's mail: little at night, most before noon. */
static void
live_through(StatusPage *page, bool trouble)
{
    static const int by_hour[24] = { 3,  2,  2,  2,  4,  8,  20, 60,
                                     90, 99, 95, 80, 60, 75, 80, 70,
                                     55, 40, 30, 20, 14, 10, 7,  5 };
    for (int64_t t = NOW - DAY + SLOT; t <= NOW; t += SLOT) {
        int n =
            by_hour[t / 3600 % 24] * (70 + (int) (t / SLOT * 37 % 60)) / 100;
        metrics_add("messages_total", "verdict", "ignore", n);
        metrics_add("messages_total", "verdict", "contact", n / 3);
        metrics_add("messages_total", "verdict", "bounce", n / 12);
        metrics_add("messages_total", "verdict", "unsubscribe", n / 30);
        metrics_add("observations_total", "result", "stored", n / 5);
        metrics_add("observations_total", "result", "known", n / 4);
        metrics_add("judged_total", "decision", "merged", n / 6);
        metrics_add("judged_total", "decision", "refused", n / 20);
        metrics_add("judged_total", "decision", "held", n / 60);
        metrics_add("api_calls_total", "action,result", "run,ok", n / 8);
        if (trouble && t > NOW - 3600)
            metrics_add("api_calls_total", "action,result", "run,trouble", 9);
        if (trouble && t / SLOT == (NOW - 30000) / SLOT)
            metrics_add("observations_total", "result", "waiting", 40);
        status_page_sample(page, t);
    }
}

int
main(int argc, char **argv)
{
    bool trouble = argc > 1 && strcmp(argv[1], "trouble") == 0;
    StatusPage *page = status_page_new(NOW - DAY + SLOT);
    live_through(page, trouble);
    const SpoolStatus spool = { .rows = trouble ? 12 : 0 };
    const StoreStatus well = { .contacts = 18234 };
    const StoreStatus troubled = { .contacts = 18234,
                                   .pending = 31,
                                   .held = 2,
                                   .dead = 1,
                                   .oldest_pending = NOW - 4200 };
    g_autoptr(GPtrArray) queue = g_ptr_array_new();
    g_autoptr(GPtrArray) log = g_ptr_array_new();
    for (size_t i = 0; trouble && i < G_N_ELEMENTS(entries); i++)
        g_ptr_array_add(queue, (gpointer) &entries[i]);
    for (size_t i = 0; trouble && i < G_N_ELEMENTS(lines); i++)
        g_ptr_array_add(log, (gpointer) &lines[i]);
    const StatusFacts facts = {
        .now = NOW,
        .role = "sync",
        .spool = &spool,
        .store = trouble ? &troubled : &well,
        .mail_side_silent = trouble ? 400 : 3,
        .paused = trouble ? "HTTP 503 service unavailable" : NULL,
        .last_success = "2025-11-27 16:20:03 UTC",
        .last_error =
            trouble ? "2025-11-27 16:29:10 UTC HTTP 503 service unavailable"
                    : NULL,
        .queue = queue,
        .log = log,
    };
    g_autofree char *html = status_page_html(page, &facts);
    fputs(html, stdout);
    status_page_free(page);
    return 0;
}

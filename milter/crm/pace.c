/*
 * pace.c - additive increase, multiplicative decrease
 *
 * No figures are published for the API's limit, so none is assumed: we run
 * free until the first 429, take half of what we sent then, and creep up by a
 * tenth of a request per second every ten seconds of success. A rate of
 * PACE_FREE is beyond what one worker can send, and counts as no limit.
 */
#include "crm/pace.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

#define PACE_FREE 200.0
#define PACE_LEAST 0.5
#define PACE_STEP 0.1
enum { RAISE_MS = 10000, HOLD_MAX_MS = 3600 * 1000 };

int64_t
backoff_delay(const Backoff *backoff, unsigned attempt, double random)
{
    int64_t top = backoff->base;
    while (attempt-- > 0 && top < backoff->cap)
        top *= 2;
    if (top > backoff->cap)
        top = backoff->cap;
    return (int64_t) ((double) top * random);
}

void
pace_init(Pace *pace)
{
    memset(pace, 0, sizeof *pace);
}

int64_t
pace_wait(const Pace *pace, int64_t now)
{
    int64_t at = MAX(pace->hold, pace->next);
    return at > now ? at - now : 0;
}

void
pace_sent(Pace *pace, int64_t now)
{
    if (now - pace->window >= PACE_WINDOW_MS || now < pace->window) {
        pace->sent_before =
            now - pace->window < 2 * PACE_WINDOW_MS ? pace->sent : 0;
        pace->window = now;
        pace->sent = 0;
    }
    pace->sent++;
    if (pace->rate > 0)
        pace->next = now + (int64_t) (1000.0 / pace->rate);
}

void
pace_ok(Pace *pace, int64_t now)
{
    pace->failures = 0;
    if (pace->rate <= 0 || now - pace->raised < RAISE_MS)
        return;
    pace->raised = now;
    pace->rate += PACE_STEP;
    if (pace->rate >= PACE_FREE)
        pace->rate = 0;
}

static double
rate_seen(const Pace *pace, int64_t now)
{
    double seconds = (double) (now - pace->window) / 1000.0;
    if (seconds < 0.1)
        seconds = 0.1; /* the first request after a rest is no rate of 0 */
    double present = (double) pace->sent / seconds;
    double before = (double) pace->sent_before / (PACE_WINDOW_MS / 1000.0);
    return MAX(present, before);
}

void
pace_limited(Pace *pace, const Backoff *backoff, int64_t now,
             int64_t retry_after, double random)
{
    double rate = pace->rate > 0 ? pace->rate : rate_seen(pace, now);
    pace->rate = MAX(rate / 2.0, PACE_LEAST);
    pace->raised = now;
    int64_t wait = retry_after >= 0
                       ? MIN(retry_after, HOLD_MAX_MS)
                       : backoff_delay(backoff, pace->failures, random);
    pace->failures++;
    pace->hold = MAX(pace->hold, now + MAX(wait, 100));
}

void
pace_trouble(Pace *pace, const Backoff *backoff, int64_t now, double random)
{
    int64_t wait = backoff_delay(backoff, pace->failures, random);
    if (pace->failures < 1000)
        pace->failures++;
    pace->hold = MAX(pace->hold, now + wait);
}

void
pace_release(Pace *pace)
{
    pace->hold = 0;
    pace->next = 0;
    pace->failures = 0;
}

char *
pace_to_text(const Pace *pace)
{
    char rate[G_ASCII_DTOSTR_BUF_SIZE];
    (void) g_ascii_formatd(rate, sizeof rate, "%.3f", pace->rate);
    return g_strdup_printf("rate=%s hold=%" PRId64, rate, pace->hold);
}

bool
pace_adopt(Pace *pace, const char *text, int64_t now)
{
    const char *rate_at = strstr(text, "rate=");
    const char *hold_at = strstr(text, " hold=");
    if (rate_at == NULL || hold_at == NULL)
        return false;
    double rate = g_ascii_strtod(rate_at + 5, NULL);
    int64_t hold = g_ascii_strtoll(hold_at + 6, NULL, 10);
    if (rate > 0 && rate < PACE_FREE &&
        (pace->rate <= 0 || rate < pace->rate)) {
        pace->rate = MAX(rate, PACE_LEAST);
        pace->raised = now;
    }
    if (hold > pace->hold && hold > now && hold <= now + HOLD_MAX_MS)
        pace->hold = hold;
    return true;
}

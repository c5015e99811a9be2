/*
 * pace.h - how fast we may call, and when to try again
 *
 * AIMD: a 429 halves the rate, success raises it by a constant every few
 * seconds. Trouble (no answer, 5xx) holds everything back for a time that
 * doubles, with full jitter. Time (milliseconds since the epoch) and
 * randomness (0 <= random < 1) are parameters.
 *
 * Several hosts share what they learn as a text in the store: pace_to_text(),
 * pace_adopt().
 *
 * Threads    pure; one owner at a time.
 */
#ifndef PACE_H
#define PACE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t base, cap; /* milliseconds: the first and the longest interval */
} Backoff;

/* Somewhere between 0 and min(cap, base * 2^attempt): full jitter. */
int64_t backoff_delay(const Backoff *backoff, unsigned attempt, double random);

enum { PACE_WINDOW_MS = 10000 };

typedef struct {
    double rate;          /* requests per second; 0: no limit is known */
    int64_t raised;       /* when the rate was raised last */
    int64_t next;         /* the next request is not before this */
    int64_t hold;         /* nothing is sent before this */
    unsigned failures;    /* in a row */
    int64_t window;       /* requests are counted since */
    unsigned sent;        /* in the window */
    unsigned sent_before; /* in the window before it */
} Pace;

void pace_init(Pace *pace);

/* Milliseconds until a request may be sent; 0: now. */
int64_t pace_wait(const Pace *pace, int64_t now);
void pace_sent(Pace *pace, int64_t now);
void pace_ok(Pace *pace, int64_t now);
/* `retry_after` milliseconds, -1 when not said. */
void pace_limited(Pace *pace, const Backoff *backoff, int64_t now,
                  int64_t retry_after, double random);
void pace_trouble(Pace *pace, const Backoff *backoff, int64_t now,
                  double random);
/* An admin says: try now. The rate stays. */
void pace_release(Pace *pace);

/* "rate=2.500 hold=1790000000000"; the caller frees it. */
char *pace_to_text(const Pace *pace);
/* Takes over another host's lower rate or later hold (at most an hour ahead:
 * clocks differ). False for text that is none. */
bool pace_adopt(Pace *pace, const char *text, int64_t now);

#endif

/*
 * answer.h - what the API said: success, or whose fault it is
 *
 * Ownership  answer_clear(); an Answer owns its body and strings.
 * Threads    pure.
 * Limits     messages are cut at ANSWER_MESSAGE_MAX bytes.
 * Errors     any bytes give an Answer; what is no JSON is ANSWER_TROUBLE.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { ANSWER_MESSAGE_MAX = 500 };

typedef enum {
    ANSWER_OK,
    ANSWER_REQUEST,     /* our request is wrong: no blind retry */
    ANSWER_CREDENTIALS, /* key, secret or clock */
    ANSWER_ENDPOINT,    /* wrong place or action */
    ANSWER_RATE,        /* too many requests */
    ANSWER_TROUBLE,     /* their trouble, or no answer: try again */
    ANSWER_CANCELLED,   /* we are stopping */
} AnswerKind;

enum {
    SPECIFIC_STALE = 23005,
    SPECIFIC_INVALID = 23016,
    SPECIFIC_REQUIRED = 23017,
    SPECIFIC_NO_BATCH_FORMAT = 24092,
    SPECIFIC_NO_CONTACT = 24096,
    SPECIFIC_NO_PROGRESS = 24105,
    SPECIFIC_NOT_COMPLETED = 24114,
    SPECIFIC_NO_RESULTS = 24115,
    SPECIFIC_TOO_MANY_JOBS = 24448,
};

typedef struct {
    AnswerKind kind;
    int http;            /* 0 for a job's response, or no answer */
    int code;            /* errorCode; 0 none */
    int specific;        /* specificCode; 0 none */
    char *message;       /* the API's or our words; NULL when OK */
    char *parameter;     /* that does not validate or is missing; or NULL */
    json_t *body;        /* NULL when there is none */
    int64_t retry_after; /* milliseconds; -1: not said */
    int64_t server_time; /* seconds since the epoch; 0: not said */
} Answer;

/* Of an HTTP answer. */
void answer_parse(Answer *answer, int http, const char *body, size_t length);
/* Of a job's response in a batch; takes no reference of its own to keep. */
void answer_from_json(Answer *answer, json_t *response);
/* Without an answer. */
void answer_fail(Answer *answer, AnswerKind kind, const char *message);
void answer_clear(Answer *answer);
void answer_copy(Answer *to, const Answer *from);

const char *answer_kind_name(AnswerKind kind);

/* An integer that may have come as a string of digits; `missing` for else. */
int64_t answer_integer(const json_t *value, int64_t missing);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

#endif

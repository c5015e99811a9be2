/*
 * answer.c - classifies answers by their body first, then by HTTP status
 *
 * The vendor's own clients look at the body alone, so a body with errorCode is
 * an error at any status; a status that is not 2xx is an error at any body.
 * Parsing is bounded by the caller's response limit and jansson's depth limit.
 * Text that is not UTF-8 is repaired before it is given up: one bad byte in one
 * contact must not hide the other hundred.
 */
#include "crm/answer.h"

#include <string.h>

int64_t
answer_integer(const json_t *value, int64_t missing)
{
    if (json_is_integer(value))
        return json_integer_value(value);
    if (json_is_string(value)) {
        int64_t number;
        if (g_ascii_string_to_signed(json_string_value(value), 10, INT64_MIN,
                                     INT64_MAX, &number, NULL))
            return number;
    }
    return missing;
}

static AnswerKind
kind_of_code(int64_t code)
{
    switch (code) {
    case 401:
    case 402:
    case 403:
    case 462:
    case 463:
        return ANSWER_CREDENTIALS;
    case 404:
    case 405:
    case 406:
    case 407:
    case 410:
    case 501:
        return ANSWER_ENDPOINT;
    case 429:
        return ANSWER_RATE;
    case 408:
    case 425:
    case 460:
    case 461:
        return ANSWER_TROUBLE;
    default:
        if (code >= 300 && code < 400)
            return ANSWER_ENDPOINT; /* redirects are not followed */
        return code >= 400 && code < 500 ? ANSWER_REQUEST : ANSWER_TROUBLE;
    }
}

static char *
cut(const char *text)
{
    size_t length = strlen(text);
    if (length > ANSWER_MESSAGE_MAX) {
        length = ANSWER_MESSAGE_MAX;
        while (length > 0 && ((unsigned char) text[length] & 0xC0) == 0x80)
            length--;
    }
    return g_strndup(text, length);
}

/* 'phone' does not validate: the first word in quotes. */
static char *
quoted_name(const char *message)
{
    for (const char *p = message; *p != '\0'; p++) {
        if (*p != '\'' && *p != '"')
            continue;
        size_t length = 0;
        while (g_ascii_isalnum(p[1 + length]) || p[1 + length] == '_' ||
               p[1 + length] == '.')
            length++;
        if (length > 0 && length <= 64 && p[1 + length] == *p)
            return g_strndup(p + 1, length);
    }
    return NULL;
}

static char *
message_of(const json_t *body)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const char *message = json_string_value(json_object_get(body, "message"));
    g_string_append(text, message != NULL ? message : "no message");
    const json_t *more = json_object_get(body, "additionalMessages");
    size_t index;
    const json_t *entry;
    json_array_foreach(more, index, entry)
    {
        if (json_is_string(entry) && text->len < ANSWER_MESSAGE_MAX)
            g_string_append_printf(text, "; %s", json_string_value(entry));
    }
    return cut(text->str);
}

/* `body` is what was parsed, borrowed; `http` 0 for a job's response. */
static void
classify(Answer *answer, int http, const json_t *body)
{
    bool bad_status = http != 0 && (http < 200 || http > 299);
    int64_t code = answer_integer(json_object_get(body, "errorCode"), 0);
    if (code == 0 && json_is_string(json_object_get(body, "errorCode")))
        code = 500; /* a word for a number: an error all the same */
    if (code != 0) {
        answer->code = (int) CLAMP(code, 1, 99999);
        int64_t specific =
            answer_integer(json_object_get(body, "specificCode"), 0);
        answer->specific = (int) CLAMP(specific, 0, 9999999);
        answer->kind = http == 429 ? ANSWER_RATE : kind_of_code(code);
        if (answer->specific == SPECIFIC_STALE)
            answer->kind = ANSWER_CREDENTIALS;
        answer->message = message_of(body);
    } else if (bad_status) {
        answer->kind = kind_of_code(http);
        answer->message = g_strdup_printf("HTTP status %d", http);
    } else if (json_is_false(json_object_get(body, "success"))) {
        answer->kind = ANSWER_REQUEST;
        answer->message = message_of(body);
    } else if (body == NULL) {
        answer->kind = ANSWER_TROUBLE;
        answer->message = g_strdup("the answer is not JSON");
    } else {
        answer->kind = ANSWER_OK;
    }
    if (answer->kind == ANSWER_REQUEST && answer->message != NULL)
        answer->parameter = quoted_name(answer->message);
}

static void
reset(Answer *answer)
{
    memset(answer, 0, sizeof *answer);
    answer->retry_after = -1;
}

void
answer_parse(Answer *answer, int http, const char *body, size_t length)
{
    static const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    reset(answer);
    answer->http = http;
    if (length > 0) {
        answer->body = json_loadb(body, length, flags, NULL);
        if (answer->body == NULL && !g_utf8_validate_len(body, length, NULL)) {
            g_autofree char *valid = g_utf8_make_valid(body, (gssize) length);
            answer->body = json_loads(valid, flags, NULL);
        }
    }
    if (!json_is_object(answer->body) && !json_is_array(answer->body))
        g_clear_pointer(&answer->body, json_decref);
    classify(answer, http, answer->body);
}

void
answer_from_json(Answer *answer, json_t *response)
{
    reset(answer);
    if (json_is_string(response)) { /* JSON in JSON: some servers do it */
        answer_parse(answer, 0, json_string_value(response),
                     json_string_length(response));
        return;
    }
    if (json_is_object(response) || json_is_array(response))
        answer->body = json_incref(response);
    classify(answer, 0, answer->body);
}

void
answer_fail(Answer *answer, AnswerKind kind, const char *message)
{
    reset(answer);
    answer->kind = kind;
    answer->message = cut(message);
}

void
answer_clear(Answer *answer)
{
    g_clear_pointer(&answer->message, g_free);
    g_clear_pointer(&answer->parameter, g_free);
    g_clear_pointer(&answer->body, json_decref);
}

void
answer_copy(Answer *to, const Answer *from)
{
    *to = *from;
    to->message = g_strdup(from->message);
    to->parameter = g_strdup(from->parameter);
    if (from->body != NULL)
        to->body = json_incref(from->body);
}

const char *
answer_kind_name(AnswerKind kind)
{
    static const char *const names[] = { "ok",       "request", "credentials",
                                         "endpoint", "rate",    "trouble",
                                         "cancelled" };
    return names[kind];
}

/*
 * phone.cc - extern "C" around libphonenumber
 *
 * Parsing costs some ten microseconds and is superlinear on long input, so
 * callers hand over single candidates of bounded length. The same people write
 * again and again, and a number stands in a mail more than once: the last
 * answers are kept. They depend on the text and the region alone.
 */
#include "analysis/phone.h"

#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>

#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::PhoneNumberUtil;

static bool
parse(const char *text, size_t len, const char *region, PhoneNumber *out)
{
    const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
    i18n::phonenumbers::PhoneNumber number;
    if (util->Parse(std::string(text, len), region, &number) !=
        PhoneNumberUtil::NO_PARSING_ERROR)
        return false;
    /* A type is known exactly for valid numbers, and asked for once. */
    PhoneNumberUtil::PhoneNumberType type = util->GetNumberType(number);
    if (type == PhoneNumberUtil::UNKNOWN)
        return false;

    std::string e164, where;
    util->Format(number, PhoneNumberUtil::E164, &e164);
    util->GetRegionCodeForNumber(number, &where);
    if (e164.size() >= sizeof out->e164 || where.size() >= sizeof out->region)
        return false;
    memcpy(out->e164, e164.c_str(), e164.size() + 1);
    memcpy(out->region, where.c_str(), where.size() + 1);
    switch (type) {
    case PhoneNumberUtil::FIXED_LINE:
        out->kind = PHONE_KIND_FIXED;
        break;
    case PhoneNumberUtil::MOBILE:
        out->kind = PHONE_KIND_MOBILE;
        break;
    case PhoneNumberUtil::FIXED_LINE_OR_MOBILE:
        /* Chile's mobiles begin with 9, though the plan shares the range. */
        out->kind = where == "CL" && e164.compare(0, 4, "+569") == 0
                        ? PHONE_KIND_MOBILE
                        : PHONE_KIND_EITHER;
        break;
    default:
        out->kind = PHONE_KIND_OTHER;
        break;
    }
    return true;
}

struct Answer {
    char text[PHONE_TEXT_MAX];
    uint8_t len; /* 0: free */
    char region[3];
    bool valid;
    PhoneNumber number;
};

enum { N_ANSWERS = 512 };
static struct {
    std::mutex lock;
    Answer answers[N_ANSWERS];
} kept;

static bool
parse_or_recall(const char *text, size_t len, const char *region,
                PhoneNumber *out)
{
    if (strlen(region) != 2)
        return parse(text, len, region, out);
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char) text[i]) * 16777619U;
    hash = (hash ^ (unsigned char) region[0]) * 16777619U;
    hash = (hash ^ (unsigned char) region[1]) * 16777619U;
    Answer *slot = &kept.answers[(hash >> 16) % N_ANSWERS];
    {
        std::lock_guard<std::mutex> guard(kept.lock);
        if (slot->len == len && memcmp(slot->text, text, len) == 0 &&
            strcmp(slot->region, region) == 0) {
            if (slot->valid)
                *out = slot->number;
            return slot->valid;
        }
    }
    Answer answer = {};
    memcpy(answer.text, text, len);
    answer.len = (uint8_t) len;
    memcpy(answer.region, region, 2);
    answer.valid = parse(text, len, region, &answer.number);
    if (answer.valid)
        *out = answer.number;
    std::lock_guard<std::mutex> guard(kept.lock);
    *slot = answer;
    return answer.valid;
}

bool
phone_parse(const char *text, size_t len, const char *region, PhoneNumber *out)
{
    if (len == 0 || len > PHONE_TEXT_MAX)
        return false;
    try {
        return parse_or_recall(text, len, region, out);
    } catch (...) {
        return false;
    }
}

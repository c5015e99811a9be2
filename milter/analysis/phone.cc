/*
 * phone.cc - extern "C" around libphonenumber
 *
 * Parsing costs some ten microseconds and is superlinear on long input, so
 * callers hand over single candidates of bounded length.
 */
#include "analysis/phone.h"

#include <cstring>
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

bool
phone_parse(const char *text, size_t len, const char *region, PhoneNumber *out)
{
    if (len == 0 || len > PHONE_TEXT_MAX)
        return false;
    try {
        return parse(text, len, region, out);
    } catch (...) {
        return false;
    }
}

/*
 * settings_table.c - every option, once
 *
 * option_table.inc is read by the macros below; whatever else is known of the
 * configuration follows from this table.
 */
#include "base/settings_table.h"

#include <stddef.h>

static const EnumName names_region[] = {
    { "AU", REGION_AU }, { "UK", REGION_UK }, { "US", REGION_US }, { NULL, 0 }
};
static const EnumName names_batch[] = { { "auto", BATCH_AUTO },
                                        { "off", BATCH_OFF },
                                        { NULL, 0 } };
static const EnumName names_overwrite[] = { { "never", OVERWRITE_NEVER },
                                            { "own", OVERWRITE_OWN },
                                            { "always", OVERWRITE_ALWAYS },
                                            { NULL, 0 } };
static const EnumName names_status[] = { { "1", NEW_STATUS_SUBSCRIBED },
                                         { "2", NEW_STATUS_UNSUBSCRIBED },
                                         { "5", NEW_STATUS_NO_MARKETING },
                                         { "unset", NEW_STATUS_UNSET },
                                         { NULL, 0 } };
static const EnumName names_company[] = { { "off", COMPANY_OFF },
                                          { "match", COMPANY_MATCH },
                                          { "create", COMPANY_CREATE },
                                          { NULL, 0 } };
static const EnumName names_phone[] = { { "mobile", PHONE_MOBILE_FIRST },
                                        { "landline", PHONE_LANDLINE_FIRST },
                                        { NULL, 0 } };
static const EnumName names_external_id[] = { { "none", EXTERNAL_ID_NONE },
                                              { "email", EXTERNAL_ID_EMAIL },
                                              { "hash", EXTERNAL_ID_HASH },
                                              { NULL, 0 } };
static const EnumName names_consent[] = { { "unset", CONSENT_UNSET },
                                          { "yes", CONSENT_YES },
                                          { "no", CONSENT_NO },
                                          { NULL, 0 } };
static const EnumName names_evidence[] = { { "sent", EVIDENCE_SENT },
                                           { "original", EVIDENCE_ORIGINAL },
                                           { "any", EVIDENCE_ANY },
                                           { NULL, 0 } };
static const EnumName names_unsure[] = { { "hold", UNSURE_HOLD },
                                         { "ignore", UNSURE_IGNORE },
                                         { NULL, 0 } };
static const EnumName names_unknown[] = { { "ignore", UNKNOWN_IGNORE },
                                          { "suppress", UNKNOWN_SUPPRESS },
                                          { NULL, 0 } };
static const EnumName names_trust[] = { { "pass", TRUST_PASS },
                                        { "no-fail", TRUST_NO_FAIL },
                                        { "any", TRUST_ANY },
                                        { NULL, 0 } };
static const EnumName names_log_target[] = { { "syslog", LOG_TARGET_SYSLOG },
                                             { "journal", LOG_TARGET_JOURNAL },
                                             { "stderr", LOG_TARGET_STDERR },
                                             { NULL, 0 } };
static const EnumName names_log_level[] = { { "error", LOG_LEVEL_ERROR_ },
                                            { "warning", LOG_LEVEL_WARNING_ },
                                            { "info", LOG_LEVEL_INFO_ },
                                            { "debug", LOG_LEVEL_DEBUG_ },
                                            { NULL, 0 } };
static const EnumName names_log_addresses[] = { { "full", ADDRESSES_FULL },
                                                { "hashed", ADDRESSES_HASHED },
                                                { NULL, 0 } };

/* A row whose C type is not that of the struct's member does not compile. */
#define FIELD(s, k, ctype) \
    _Generic(((Settings *) 0)->s.k, ctype : offsetof(Settings, s.k))
#define ROW(t, s, k, ctype, names, lo, hi, def, doc) \
    { t, #s, #k, FIELD(s, k, ctype), names, lo, hi, def, doc },
#define SECTION(s, doc) { OPTION_SECTION, #s, NULL, 0, NULL, 0, 0, NULL, doc },
#define STRING(s, k, def, doc) \
    ROW(OPTION_STRING, s, k, char *, NULL, 0, 0, def, doc)
#define BOOL(s, k, def, doc) ROW(OPTION_BOOL, s, k, bool, NULL, 0, 0, def, doc)
#define MODE(s, k, def, doc) \
    ROW(OPTION_MODE, s, k, int, NULL, 0, 0777, def, doc)
#define INTEGER(s, k, def, lo, hi, doc) \
    ROW(OPTION_INTEGER, s, k, int64_t, NULL, lo, hi, def, doc)
#define FRACTION(s, k, def, doc) \
    ROW(OPTION_FRACTION, s, k, double, NULL, 0, 1, def, doc)
#define DURATION(s, k, def, lo, hi, doc) \
    ROW(OPTION_DURATION, s, k, int64_t, NULL, lo, hi, def, doc)
#define SIZE(s, k, def, lo, hi, doc) \
    ROW(OPTION_SIZE, s, k, int64_t, NULL, lo, hi, def, doc)
#define LIST(s, k, def, doc) \
    ROW(OPTION_LIST, s, k, char **, NULL, 0, 0, def, doc)
#define ENUM(s, k, def, names, doc) \
    ROW(OPTION_ENUM, s, k, int, names, 0, 0, def, doc)

const Option settings_options[] = {
/* clang-format off */
#include "base/option_table.inc"
    /* clang-format on */
};

const size_t settings_n_options = G_N_ELEMENTS(settings_options);

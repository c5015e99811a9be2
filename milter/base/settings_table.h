/*
 * settings_table.h - the option table itself (inside base/)
 */
#ifndef SETTINGS_TABLE_H
#define SETTINGS_TABLE_H

#include "base/settings.h"

typedef enum {
    OPTION_SECTION,
    OPTION_STRING,
    OPTION_BOOL,
    OPTION_MODE,
    OPTION_INTEGER,
    OPTION_FRACTION,
    OPTION_DURATION,
    OPTION_SIZE,
    OPTION_LIST,
    OPTION_ENUM,
} OptionType;

/* The words of an ENUM option, with their values. */
typedef struct {
    const char *name;
    int value;
} EnumName;

typedef struct {
    OptionType type;
    const char *section;
    const char *key;
    size_t offset;
    const EnumName *names;
    int64_t min, max;
    const char *fallback; /* the default, as it would be written */
    const char *doc;
} Option;

extern const Option settings_options[];
extern const size_t settings_n_options;

#endif

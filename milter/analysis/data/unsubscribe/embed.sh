#!/bin/sh
# embed.sh FILE.txt... - writes C that holds the files, comments left out
# (line numbers stay). Used by the Makefile.
set -eu
printf '/* Generated from the files in data/unsubscribe; do not edit. */\n'
printf '#include "config.h"\n\n#include "analysis/unsubscribe_data.h"\n\n'
printf 'const UnsubscribeData unsubscribe_data[] = {\n'
for file in "$@"; do
    name=$(basename "$file" .txt)
    LC_ALL=C awk -v name="$name" '
        BEGIN { printf "    { \"%s\",\n", name }
        {
            sub(/#.*/, "")
            sub(/[ \t\r]+$/, "")
            gsub(/\\/, "\\\\")
            gsub(/"/, "\\\"")
            printf "      \"%s\\n\"\n", $0
        }
        END { printf "      },\n" }' "$file"
done
printf '};\n\nconst size_t unsubscribe_data_n =\n'
printf '    sizeof unsubscribe_data / sizeof unsubscribe_data[0];\n'

# pairs.awk - rows for a sorted C table from "key value..." lines
#
# usage: LC_ALL=C sort FILE | LC_ALL=C awk -f pairs.awk > FILE.inc
# One row { "key", "value value" } a line, for bsearch(); "#" is a comment.
/^#/ || NF < 2 { next }
{
    key = $1
    value = $0
    sub(/^[^ \t]+[ \t]+/, "", value)
    gsub(/["\\]/, "\\\\&", value)
    printf "{ \"%s\", \"%s\" },\n", key, value
}

# phrases.awk - sorted phrases with an index by first byte
#
# usage: LC_ALL=C sort FILE | LC_ALL=C awk -f phrases.awk > FILE.inc
# A leading "^" becomes a flag: the phrase must begin its line. Made are
# phrases[], and first[b] to first[b + 1] are those that begin with byte b;
# filter[] says by their first four bytes (a bit each) whether others are worth
# a look: no phrase is shorter.
BEGIN {
    for (i = 1; i < 256; i++)
        ord[sprintf("%c", i)] = i
}
/^#/ || $0 == "" { next }
{
    flag = 0
    text = $0
    if (substr(text, 1, 1) == "^") {
        flag = 1
        text = substr(text, 2)
    }
    b = ord[substr(text, 1, 1)]
    quoted = text
    gsub(/["\\]/, "\\\\&", quoted)
    rows[b] = rows[b] sprintf("{ \"%s\", %d, %d },\n", quoted, length(text), flag)
    count[b]++
    if (!flag)
        filter[slot(text)] = 1
    if (length(text) < 4 && !flag) {
        print "phrases.awk: too short: " text > "/dev/stderr"
        failed = 1
        exit 1
    }
}

function slot(text)
{
    return (ord[substr(text, 1, 1)] * 29791 + ord[substr(text, 2, 1)] * 961 + \
            ord[substr(text, 3, 1)] * 31 + ord[substr(text, 4, 1)]) % 16384
}

END {
    if (failed)
        exit 1
    print "static const Phrase phrases[] = {"
    for (b = 1; b < 256; b++)
        printf "%s", rows[b]
    print "};\nstatic const unsigned short first[257] = {"
    total = 0
    for (b = 0; b <= 256; b++) {
        printf "%d,%s", total, b % 16 == 15 ? "\n" : " "
        total += count[b]
    }
    print "};\nstatic const unsigned char filter[16384 / 8] = {"
    for (i = 0; i < 16384 / 8; i++) {
        bits = 0
        for (k = 7; k >= 0; k--)
            bits = bits * 2 + ((i * 8 + k) in filter)
        if (bits != 0)
            printf "[%d] = %d,\n", i, bits
    }
    print "};"
}

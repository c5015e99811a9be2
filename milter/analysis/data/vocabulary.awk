# vocabulary.awk - make the lookup table of vocabulary.c from word lists
#
# usage: LC_ALL=C awk -f vocabulary.awk vocabulary/*.txt > vocabulary.inc
#
# A file name is a class. Words are separated by blanks, except in closing.txt,
# which has one phrase a line; "*x" stands for all words that end in x; "#"
# begins a comment line. The output is an open-addressing hash table whose
# function hash() below must be the same as in vocabulary.c.

BEGIN {
    for (i = 1; i < 256; i++)
        ord[sprintf("%c", i)] = i
    SIZE = 16384
}

function hash(s, h, i)
{
    h = 5381
    for (i = 1; i <= length(s); i++)
        h = (h * 33 + ord[substr(s, i, 1)]) % 4294967296
    return h
}

function add(word, ending)
{
    if (substr(word, 1, 1) == "*" && length(word) > 1) {
        add(substr(word, 2), 1)
        word = substr(word, 2)
    } else if (ending)
        class_bits = class "_ENDING"
    if (!ending)
        class_bits = class
    if (!(word in bits)) {
        order[++n] = word
        bits[word] = "|"
    }
    if (!index(bits[word], "|" class_bits "|"))
        bits[word] = bits[word] class_bits "|"
}

FNR == 1 {
    class = FILENAME
    sub(/.*\//, "", class)
    sub(/\.txt$/, "", class)
    class = "WORD_" toupper(class)
}
/^#/ { next }
class == "WORD_CLOSING" {
    add($0, 0)
    # Every beginning of a phrase is marked, so that a search may stop early.
    m = split($0, parts, " ")
    s = ""
    for (j = 1; j < m; j++) {
        s = s (j > 1 ? " " : "") parts[j]
        keep = class
        class = "WORD_CLOSING_START"
        add(s, 0)
        class = keep
    }
    next
}
{
    for (j = 1; j <= NF; j++)
        add($j, 0)
}

END {
    print "/* Made by vocabulary.awk from the lists in vocabulary/. */"
    for (i = 1; i <= n; i++) {
        slot = hash(order[i]) % SIZE
        while (slot in used)
            slot = (slot + 1) % SIZE
        used[slot] = 1
        value = bits[order[i]]
        gsub(/^\||\|$/, "", value)
        gsub(/\|/, " | ", value)
        text = order[i]
        gsub(/["\\]/, "\\\\&", text)
        printf "[%d] = { \"%s\", %d, %s },\n", slot, text, length(order[i]), value
    }
}

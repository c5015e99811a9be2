# vocabulary.awk - make the lookup table of vocabulary.c from word lists
#
# usage: LC_ALL=C awk -f vocabulary.awk vocabulary/*.txt > vocabulary.inc
#
# A file name is a class. Words are separated by blanks, except in closing.txt,
# which has one phrase a line; "*x" stands for all words that end in x; "#"
# begins a comment line. The output is an open-addressing hash table whose
# function hash() below must be the same as in vocabulary.c, and a smaller one
# for endings, hashed from their last byte to the first. A slot is an index
# with bits of the hash above it, see vocabulary.c.

BEGIN {
    for (i = 1; i < 256; i++)
        ord[sprintf("%c", i)] = i
    SIZE = 32768
    ENDINGS = 2048
}

function hash(s, h, i)
{
    h = 5381
    for (i = 1; i <= length(s); i++)
        h = (h * 33 + ord[substr(s, i, 1)]) % 4294967296
    return h
}

function slot_value(index_, h, size)
{
    return int(h / size) % 65536 * 65536 + index_
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

function quoted(text)
{
    gsub(/["\\]/, "\\\\&", text)
    return "\"" text "\""
}

function reversed(s, out, i)
{
    out = ""
    for (i = length(s); i > 0; i--)
        out = out substr(s, i, 1)
    return out
}

END {
    print "/* Made by vocabulary.awk from the lists in vocabulary/. */"
    print "static const Entry entries[] = {\n{ \"\", 0, 0 },"
    for (i = 1; i <= n; i++) {
        h = hash(order[i])
        slot = h % SIZE
        while (slot in used)
            slot = (slot + 1) % SIZE
        used[slot] = slot_value(i, h, SIZE)
        value = bits[order[i]]
        if (index(value, "_ENDING|")) {
            h = hash(reversed(order[i]))
            slot = h % ENDINGS
            while (slot in ending)
                slot = (slot + 1) % ENDINGS
            ending[slot] = slot_value(i, h, ENDINGS)
        }
        gsub(/^\||\|$/, "", value)
        gsub(/\|/, " | ", value)
        printf "{ %s, %d, %s },\n", quoted(order[i]), length(order[i]), value
    }
    print "};\nstatic const uint32_t slots[TABLE_SIZE] = {"
    for (slot = 0; slot < SIZE; slot++)
        if (slot in used)
            printf "[%d] = %.0f,\n", slot, used[slot]
    print "};\nstatic const uint32_t ending_slots[ENDING_SIZE] = {"
    for (slot = 0; slot < ENDINGS; slot++)
        if (slot in ending)
            printf "[%d] = %.0f,\n", slot, ending[slot]
    print "};"
}

/*
 * html_scan.c - see html_scan.h
 *
 * libxml2's SAX interface: no tree is built, so that memory stays small
 * whatever the markup nests. An end tag makes libxml2 walk its stack of open
 * elements, so markup that nests deeper than anybody writes ends the scan.
 */
#include "message/html_scan.h"

#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>
#include <string.h>

typedef struct {
    htmlParserCtxtPtr parser;
    const HtmlHandlers *handlers;
    void *data;
    bool in_style;
} Scan;

/* The names, in the order of HtmlAttribute. */
static const char *const attribute_names[N_ATTRIBUTES] = {
    [ATTRIBUTE_STYLE] = "style",
    [ATTRIBUTE_CLASS] = "class",
    [ATTRIBUTE_ID] = "id",
    [ATTRIBUTE_NAME] = "name",
    [ATTRIBUTE_HREF] = "href",
    [ATTRIBUTE_ALT] = "alt",
    [ATTRIBUTE_WIDTH] = "width",
    [ATTRIBUTE_HEIGHT] = "height",
    [ATTRIBUTE_TYPE] = "type",
    [ATTRIBUTE_CITE] = "cite",
    [ATTRIBUTE_HIDDEN] = "hidden",
    [ATTRIBUTE_SIZE] = "size",
    [ATTRIBUTE_COLOR] = "color",
    [ATTRIBUTE_SMARTMAIL] = "data-smartmail",
    [ATTRIBUTE_MARKER] = "data-marker",
};

static void
take_attributes(HtmlTag *tag, const xmlChar **attributes)
{
    for (size_t i = 0; i < 2 * HTML_SCAN_ATTRIBUTES && attributes[i] != NULL;
         i += 2) {
        for (size_t a = 0; a < N_ATTRIBUTES; a++) {
            if (strcmp((const char *) attributes[i], attribute_names[a]) != 0)
                continue;
            const xmlChar *value = attributes[i + 1];
            tag->attributes[a] = value != NULL ? (const char *) value : "";
            tag->any = true;
            break;
        }
    }
}

static void
on_start(void *data, const xmlChar *name, const xmlChar **attributes)
{
    Scan *scan = data;
    HtmlTag tag = { .any = false };
    (void) g_strlcpy(tag.name, (const char *) name, sizeof tag.name);
    if (attributes != NULL)
        take_attributes(&tag, attributes);
    scan->in_style = strcmp(tag.name, "style") == 0;
    if (scan->parser->nameNr > HTML_SCAN_DEPTH ||
        !scan->handlers->start(scan->data, &tag))
        xmlStopParser(scan->parser);
}

static void
on_end(void *data, const xmlChar *name)
{
    Scan *scan = data;
    char cut[HTML_SCAN_NAME];
    (void) g_strlcpy(cut, (const char *) name, sizeof cut);
    scan->in_style = false;
    /* <br> and its like have no end tag, but libxml2 says one. */
    const htmlElemDesc *element = htmlTagLookup(name);
    if (element != NULL && element->empty)
        return;
    if (!scan->handlers->end(scan->data, cut))
        xmlStopParser(scan->parser);
}

static void
on_text(void *data, const xmlChar *text, int len)
{
    Scan *scan = data;
    if (len > 0 &&
        !scan->handlers->text(scan->data, (const char *) text, (size_t) len))
        xmlStopParser(scan->parser);
}

/* The content of <style> and <script>. */
static void
on_raw(void *data, const xmlChar *text, int len)
{
    Scan *scan = data;
    if (scan->in_style && len > 0)
        scan->handlers->sheet(scan->data, (const char *) text, (size_t) len);
}

/* How much of the markup is read: libxml2 takes its time with each of these
 * characters (250 KB of '&' take it 110 ms), and nobody writes so many. */
static size_t
affordable_length(const char *html, size_t len)
{
    unsigned costly = 0;
    for (size_t i = 0; i < len; i++) {
        if ((html[i] == '<' || html[i] == '&' || html[i] == '=') &&
            ++costly > HTML_SCAN_COSTLY)
            return i;
    }
    return len;
}

/* Text outside <body> makes libxml2 begin a paragraph of its own at every
 * inline end tag ("<b>A</b>nn" in two). Fragments are usual in mail, so they
 * get the tags that they lack; second ones it passes over. There is at least
 * one byte of HTML. */
static char *
as_document(const char *html, size_t *len)
{
    static const char head[] = "<html><body>";
    const char *end = html + MIN(*len, (size_t) HTML_SCAN_HEAD);
    for (const char *p = html; (p = memchr(p, '<', (size_t) (end - p))) != NULL;
         p++) {
        if (end - p > 5 && g_ascii_strncasecmp(p, "<body", 5) == 0)
            return NULL;
    }
    char *document = g_malloc(sizeof(head) - 1 + *len);
    memcpy(document, head, sizeof(head) - 1);
    memcpy(document + sizeof(head) - 1, html, *len);
    *len += sizeof(head) - 1;
    return document;
}

bool
html_scan(const char *html, size_t len, const HtmlHandlers *handlers,
          void *data)
{
    g_assert(len <= G_MAXINT / 2);
    size_t read = affordable_length(html, len);
    if (read == 0)
        return len == 0;
    size_t parsed = read;
    g_autofree char *document = as_document(html, &parsed);
    htmlParserCtxtPtr parser = htmlCreateMemoryParserCtxt(
        document != NULL ? document : html, (int) parsed);
    if (parser == NULL)
        return false;
    Scan scan = { .parser = parser, .handlers = handlers, .data = data };
    *parser->sax = (xmlSAXHandler){
        .startElement = on_start,
        .endElement = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_raw,
    };
    parser->userData = &scan;
    (void) htmlCtxtUseOptions(parser,
                              HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
                                  HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
                                  HTML_PARSE_IGNORE_ENC | HTML_PARSE_NOIMPLIED);
    (void) xmlSwitchEncoding(parser, XML_CHAR_ENCODING_UTF8);
    (void) htmlParseDocument(parser);
    htmlFreeParserCtxt(parser);
    return read == len;
}

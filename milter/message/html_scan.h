/*
 * html_scan.h - HTML to start tags, end tags and text (inside message/)
 *
 * Ownership  what the callbacks are given is valid during the call only.
 * Threads    pure.
 * Limits     HTML_SCAN_ATTRIBUTES attributes of a tag; markup nested deeper
 *            than HTML_SCAN_DEPTH ends the scan, and so does the
 *            HTML_SCAN_COSTLYth character that costs time.
 */
#ifndef HTML_SCAN_H
#define HTML_SCAN_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    HTML_SCAN_ATTRIBUTES = 16,
    HTML_SCAN_NAME = 24,
    HTML_SCAN_DEPTH = 300,
    HTML_SCAN_COSTLY = 40000, /* '<', '&' and '=' */
    HTML_SCAN_HEAD = 65536,   /* where <body> is looked for */
};

/* The attributes that a reader's view depends on. */
typedef enum {
    ATTRIBUTE_STYLE,
    ATTRIBUTE_CLASS,
    ATTRIBUTE_ID,
    ATTRIBUTE_NAME,
    ATTRIBUTE_HREF,
    ATTRIBUTE_ALT,
    ATTRIBUTE_WIDTH,
    ATTRIBUTE_HEIGHT,
    ATTRIBUTE_TYPE,
    ATTRIBUTE_CITE,
    ATTRIBUTE_HIDDEN,
    ATTRIBUTE_SIZE,
    ATTRIBUTE_COLOR,
    ATTRIBUTE_SMARTMAIL, /* data-smartmail */
    ATTRIBUTE_MARKER,    /* data-marker */
    N_ATTRIBUTES,
} HtmlAttribute;

typedef struct {
    char name[HTML_SCAN_NAME];            /* lower case, cut to fit */
    const char *attributes[N_ATTRIBUTES]; /* NULL when absent */
    bool any;                             /* one of them is there */
} HtmlTag;

typedef struct {
    /* False ends the scan. */
    bool (*start)(void *data, const HtmlTag *tag);
    bool (*end)(void *data, const char *name);
    bool (*text)(void *data, const char *text, size_t len);
    /* The content of <style>. */
    void (*sheet)(void *data, const char *text, size_t len);
} HtmlHandlers;

/* False when something was left out. */
bool html_scan(const char *html, size_t len, const HtmlHandlers *handlers,
               void *data);

#endif

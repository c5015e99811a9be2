/*
 * body.h - the text of a message as its reader sees it: lines with zones
 *
 * One list of lines serves the unsubscribe and the signature judgement. Each
 * line says which zone it belongs to (the author's own words, a quotation, a
 * forwarded message...) and, when it comes from HTML, what the markup said of
 * it. message/html.c makes lines from HTML, message/reply.c sets the zones,
 * analysis/signature.c marks signature and disclaimer. Table cells of one row
 * that hold one line each stand on one line, two blanks between them (one after
 * a label such as "Tel:").
 *
 * Ownership  a Body owns its lines and links; body_free().
 * Threads    pure.
 * Limits     BODY_MAX_LINES lines; longer lines are kept whole.
 */
#ifndef BODY_H
#define BODY_H

#include "message/message.h"

enum { BODY_MAX_LINES = 20000, BODY_MAX_LINKS = 1000 };

typedef enum {
    ZONE_OWN,         /* written by the author of this message */
    ZONE_ATTRIBUTION, /* "On ... wrote:", an Outlook header block, separators */
    ZONE_QUOTED,      /* earlier mail, answered to */
    ZONE_FORWARDED,   /* a forwarded message, its header block included */
    ZONE_SIGNATURE,   /* set by analysis/signature.c */
    ZONE_DISCLAIMER,  /* confidentiality notices, mobile and scanner footers,
                         gateway banners; set by analysis/signature.c */
} Zone;

/* What the markup, or the shape of the line, says. */
enum {
    LINE_TABLE = 1 << 0,             /* inside a table cell */
    LINE_SIGNATURE_ELEMENT = 1 << 1, /* inside gmail_signature, moz-signature,
                                        olk-signature and the like */
    LINE_AFTER_RULE = 1 << 2,        /* first line after <hr> or a drawn rule */
    LINE_BOLD = 1 << 3,
    LINE_SMALL = 1 << 4,      /* smaller than the text before */
    LINE_GREY = 1 << 5,       /* faint colour */
    LINE_PARAGRAPH = 1 << 6,  /* a block element or an empty line begins here */
    LINE_QUOTE_MARK = 1 << 7, /* began with '>' (removed from `text`) */
    LINE_QUOTE_ELEMENT = 1 << 8, /* inside blockquote, gmail_quote,
                                    divRplyFwdMsg, yahoo_quoted... */
    LINE_LIST_ITEM = 1 << 9,
    LINE_IMAGE_ALT = 1 << 10, /* the alt text of an image, nothing else */
};

typedef struct {
    char *text; /* UTF-8, white space collapsed at the ends; "" is a blank
                       line; in the body's `strings` */
    size_t len;
    unsigned flags; /* LINE_* */
    Zone zone;
    unsigned quote_depth;
} Line;

typedef struct {
    char *href; /* as written, entities decoded */
    char *text; /* the words of the link; alt text for images; may be "" */
    size_t line;
} Link;

typedef struct {
    GStringChunk *strings; /* the text of all lines: one malloc for many */
    Line *lines;
    size_t n_lines;
    Link *links;
    size_t n_links;
    bool from_html;
    bool truncated;
} Body;

/* The body of `message` with zones set; never NULL, may have no lines.
 * Prefers text/plain for the words unless it is empty or a stand-in
 * ("your client cannot show HTML"). */
Body *body_new(const Message *message);

/* The body made of the HTML part, or NULL when the message has none: for the
 * signature's structure and links. Zones are set too. */
Body *body_new_html(const Message *message);

/* Bodies of bare text, for tests and tools. */
Body *body_from_plain(const char *text, size_t len);
Body *body_from_html(const char *html, size_t len);

void body_free(Body *body);

/* For those who make lines: appends one (white space at its ends removed) and
 * returns it, or NULL at BODY_MAX_LINES. A link is dropped at BODY_MAX_LINKS. */
Line *body_add_line(Body *body, const char *text, size_t len);
void body_add_link(Body *body, const char *href, const char *text, size_t line);

/* The lines of one zone, joined by LF, until there are `max` bytes or more; the
 * caller frees it. */
char *body_zone_text(const Body *body, Zone zone, size_t max);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Body, body_free)

#endif

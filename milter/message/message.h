/*
 * message.h - the bytes of one message, decoded (RFC 5322, 2045-2049, 2047)
 *
 * message_parse() walks the MIME structure and leaves a flat list
 * of parts in document order, each with its text decoded to UTF-8. What is
 * damaged is read as far as it goes: damage is normal in mail.
 *
 * Ownership  a Message owns everything that its members point to.
 * Threads    pure; one message belongs to one thread at a time.
 * Limits     MessageLimits; what is beyond is left out and .truncated is set.
 * Errors     message_parse() never returns NULL; .malformed says that nothing
 *            that looks like a header section was found.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    PART_PLAIN,           /* text/plain, or text of no usable type */
    PART_HTML,            /* text/html */
    PART_DELIVERY_STATUS, /* message/(global-)delivery-status, RFC 3464, 6533 */
    PART_DISPOSITION,     /* message/disposition-notification, RFC 8098 */
    PART_FEEDBACK,        /* message/feedback-report, RFC 5965 */
    PART_MESSAGE,         /* message/rfc822, message/global: a whole message */
    PART_HEADERS,         /* text/rfc822-headers, message/global-headers */
    PART_VCARD,           /* text/vcard, text/x-vcard, text/directory, *.vcf */
    PART_CALENDAR,        /* text/calendar */
    PART_TEXT,            /* other text/..., decoded */
    PART_OTHER,           /* anything else: no text is kept */
} PartKind;

/* One header field. `raw` is the unfolded field body as it stood, made valid
 * UTF-8; `value` has RFC 2047 encoded words decoded, white space trimmed. */
typedef struct {
    char *name; /* as written */
    char *value;
    char *raw;
} Header;

typedef struct {
    Header *items;
    size_t n;
} HeaderList;

typedef struct {
    PartKind kind;
    char *type;        /* "text/plain", lower case */
    char *charset;     /* as declared, lower case; NULL when not declared */
    char *filename;    /* decoded; or NULL */
    char *description; /* Content-Description, decoded; or NULL */
    bool attachment;   /* Content-Disposition: attachment */
    bool alternative;  /* a child of multipart/alternative */
    bool flowed;       /* format=flowed; `text` is already unwrapped */
    unsigned depth;    /* 0: the message itself is this part */
    int enclosing;     /* index of the PART_MESSAGE that holds it, or -1 */
    char *text;        /* transfer-decoded, UTF-8, LF line ends, no NUL; for
                          PART_MESSAGE the whole of it as it stood, for
                          PART_OTHER NULL */
    size_t len;
    HeaderList headers; /* PART_MESSAGE and PART_HEADERS only */
} Part;

/* One mailbox of an address list (RFC 5322, 3.4). */
typedef struct {
    char *name;  /* display-name, decoded, outer quotes removed; or NULL */
    char *email; /* addr-spec, domain in lower case; never NULL */
} Mailbox;

typedef struct {
    Mailbox *items;
    size_t n;
} MailboxList;

typedef struct {
    size_t max_bytes; /* read at most so much of the message */
    unsigned max_parts;
    unsigned max_depth;
    unsigned max_headers;
    size_t max_header; /* bytes of one header field body */
    size_t max_text;   /* bytes of decoded text in all parts together */
} MessageLimits;

extern const MessageLimits message_limits_default;

typedef struct {
    HeaderList headers;
    Part *parts;
    size_t n_parts;
    char *content_type; /* of the message, lower case, without parameters */
    char *report_type;  /* report-type parameter of multipart/report, or NULL */
    char *subject;      /* decoded; "" when there is none */
    char *message_id;   /* without brackets; or NULL */
    MailboxList from;   /* all From: mailboxes */
    MailboxList sender; /* Sender: */
    MailboxList reply_to;
    MailboxList to;
    MailboxList cc;
    bool truncated;
    bool malformed;
} Message;

/* Parses `len` bytes at `bytes` (CRLF or LF line ends, a leading mbox "From "
 * line is passed over). `limits` may be NULL for the default. */
Message *message_parse(const char *bytes, size_t len,
                       const MessageLimits *limits);
void message_free(Message *message);

/* The first field of that name (any case), decoded; NULL when absent. */
const char *message_header(const Message *message, const char *name);

/* Date: as seconds since the epoch, 0 unknown. Read when it is asked for: time
 * zones make it dear. */
int64_t message_date(const Message *message);

/* The same for a list; `from` is the index to start at, *out_index (may be
 * NULL) where it was found: for fields that occur several times. */
const Header *header_list_find(const HeaderList *list, const char *name,
                               size_t from, size_t *out_index);

/* A header section from text (for returned headers that stand in a body):
 * reads until the first empty line or `len`; *out_end is where it stopped. */
HeaderList header_list_parse(const char *text, size_t len, size_t *out_end);
void header_list_clear(HeaderList *list);

/* An address list as people write it; damaged ones as far as they go. */
MailboxList mailbox_list_parse(const char *value);
void mailbox_list_clear(MailboxList *list);

/* The part that the message's author wrote: the first text/plain or text/html
 * outside attachments and enclosed messages, of alternatives the given kind.
 * NULL when there is none. */
const Part *message_text_part(const Message *message, PartKind kind);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Message, message_free)

#endif

/*
 * mail_source.c - see mail_source.h
 *
 * An mbox is split at lines "From " that follow an empty line, bear a time
 * (12:34) and are followed by a header field: mail quotes such lines without
 * escaping them more often than one would think.
 */
#include "ctl/mail_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 8, READ_BYTES = 65536, SMALL = 256 * 1024 };

typedef struct {
    MailVisit visit;
    void *data;
    bool stopped;
    GString *buffer; /* reused for small files */
    GError **error;  /* the first one is kept */
    bool failed;
} Visitor;

static void
visitor_fail(Visitor *visitor, const char *path, int code)
{
    if (!visitor->failed)
        g_set_error(visitor->error, G_FILE_ERROR,
                    (gint) g_file_error_from_errno(code), "%s: %s", path,
                    g_strerror(code));
    visitor->failed = true;
}

static void
visit_one(Visitor *visitor, const StoredMail *mail)
{
    StoredMail bounded = *mail;
    bounded.len = MIN(mail->len, MAIL_SOURCE_MAX);
    if (!visitor->visit(&bounded, visitor->data))
        visitor->stopped = true;
}

static size_t
line_length(const char *text, size_t len)
{
    const char *end = memchr(text, '\n', len);
    return end == NULL ? len : (size_t) (end - text) + 1;
}

/* Does a message of an mbox begin at `text`? */
static bool
is_mbox_line(const char *text, size_t len)
{
    if (len < 5 || memcmp(text, "From ", 5) != 0)
        return false;
    size_t line = line_length(text, len);
    bool time = false;
    for (size_t i = 5; i + 2 < line && !time; i++)
        time = g_ascii_isdigit(text[i]) && text[i + 1] == ':' &&
               g_ascii_isdigit(text[i + 2]);
    if (!time)
        return false;
    /* "Name:" with no blank before the colon; ">From" lines may precede it */
    const char *next = text + line;
    size_t rest = len - line;
    size_t i = 0;
    if (rest > 0 && *next == '>')
        return true;
    while (i < rest && i < 80 && next[i] > ' ' && next[i] != ':')
        i++;
    return i > 0 && i < rest && next[i] == ':';
}

static void
visit_mbox(Visitor *visitor, const char *path, const char *bytes, size_t len)
{
    size_t start = 0;
    unsigned number = 0;
    bool blank = false;
    for (size_t at = line_length(bytes, len); !visitor->stopped;) {
        bool begins =
            at >= len || (blank && is_mbox_line(bytes + at, len - at));
        if (begins) {
            number++;
            /* A file of one message keeps its name. */
            g_autofree char *name =
                at >= len && number == 1
                    ? g_strdup(path)
                    : g_strdup_printf("%s#%u", path, number);
            const StoredMail mail = { name, path, start, bytes + start,
                                      at - start };
            visit_one(visitor, &mail);
            start = at;
        }
        if (at >= len)
            break;
        size_t line = line_length(bytes + at, len - at);
        blank = line == 1 || (line == 2 && bytes[at] == '\r');
        at += line;
    }
}

static void
visit_bytes(Visitor *visitor, const char *path, const char *bytes, size_t len)
{
    bool mbox = len > 5 && memcmp(bytes, "From ", 5) == 0 &&
                !g_str_has_suffix(path, ".eml");
    if (mbox)
        visit_mbox(visitor, path, bytes, len);
    else
        visit_one(visitor, &(StoredMail){ path, path, 0, bytes, len });
}

/* Everything from `fd`, or the first `size` bytes unless that is 0, into the
 * buffer; 0 or an errno. */
static int
read_all(GString *buffer, int fd, size_t size)
{
    g_string_truncate(buffer, 0);
    for (;;) {
        gsize used = buffer->len;
        if (used >= MAIL_SOURCE_MAX)
            return 0;
        g_string_set_size(buffer, used + READ_BYTES);
        ssize_t got = read(fd, buffer->str + used, READ_BYTES);
        g_string_set_size(buffer, used + (got > 0 ? (gsize) got : 0));
        if (got == 0 || (size > 0 && buffer->len >= size))
            return 0;
        if (got < 0 && errno != EINTR)
            return errno;
    }
}

static void
visit_file(Visitor *visitor, const char *path, int fd, size_t size)
{
    if (size > SMALL) {
        void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map != MAP_FAILED) {
            visit_bytes(visitor, path, map, size);
            (void) munmap(map, size);
            return;
        }
    }
    int code = read_all(visitor->buffer, fd, size);
    if (code != 0)
        visitor_fail(visitor, path, code);
    else
        visit_bytes(visitor, path, visitor->buffer->str, visitor->buffer->len);
}

/* What a folder has, and what it is told about it without a further call. */
typedef struct {
    char *path;
    bool regular; /* a file; else anything, or not known */
} Member;

static void
member_clear(gpointer member)
{
    g_free(((Member *) member)->path);
}

static int
by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(((const Member *) a)->path, ((const Member *) b)->path);
}

/* A regular file that is short, as mail is, is read in one go: where it is all
 * that is to be done, fstat() would be a fifth of the calls' time. */
static bool
visit_short(Visitor *visitor, const char *path, int fd)
{
    GString *buffer = visitor->buffer;
    g_string_set_size(buffer, READ_BYTES);
    ssize_t got = read(fd, buffer->str, READ_BYTES);
    if (got < 0 || got == READ_BYTES) {
        (void) lseek(fd, 0, SEEK_SET);
        return false;
    }
    g_string_set_size(buffer, (gsize) got);
    visit_bytes(visitor, path, buffer->str, buffer->len);
    return true;
}

static void visit_path(Visitor *visitor, int folder, const char *name,
                       const char *path, bool regular, unsigned depth);

/* `fd` is the folder; its files are opened from there, which spares the kernel
 * the way from the root for each. */
static void
visit_folder(Visitor *visitor, int fd, const char *path, unsigned depth)
{
    DIR *dir = opendir(path);
    if (dir == NULL) {
        visitor_fail(visitor, path, EACCES);
        return;
    }
    g_autoptr(GArray) members = g_array_new(FALSE, FALSE, sizeof(Member));
    g_array_set_clear_func(members, member_clear);
    bool maildir = false;
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        /* tmp/ of a Maildir is being delivered; dot files are an IMAP
         * server's, but for Maildir++ folders. */
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
            strcmp(name, "tmp") == 0 ||
            (*name == '.' && (name[1] == '.' || depth > 0)))
            continue;
        Member member = { g_build_filename(path, name, NULL),
                          entry->d_type == DT_REG };
        g_array_append_val(members, member);
        maildir |= strcmp(name, "cur") == 0;
    }
    (void) closedir(dir);
    g_array_sort(members, by_name);
    for (guint i = 0; i < members->len && !visitor->stopped; i++) {
        /* Beside cur/ and new/ a Maildir has indexes, no messages. */
        const Member *member = &g_array_index(members, Member, i);
        const char *full = member->path;
        if (maildir && !g_file_test(full, G_FILE_TEST_IS_DIR))
            continue;
        visit_path(visitor, fd, strrchr(full, '/') + 1, full, member->regular,
                   depth + 1);
    }
}

/* `name` is seen from the open `folder`; `path` is for people. */
static void
visit_path(Visitor *visitor, int folder, const char *name, const char *path,
           bool regular, unsigned depth)
{
    struct stat info;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0 && regular && visit_short(visitor, path, fd)) {
        (void) close(fd);
        return;
    }
    if (fd < 0 || fstat(fd, &info) != 0) {
        visitor_fail(visitor, path, errno);
        if (fd >= 0)
            (void) close(fd);
        return;
    }
    if (S_ISDIR(info.st_mode)) {
        if (depth < DEPTH_MAX)
            visit_folder(visitor, fd, path, depth);
    } else {
        visit_file(visitor, path, fd,
                   S_ISREG(info.st_mode) ? (size_t) info.st_size : 0);
    }
    (void) close(fd);
}

bool
mail_source_visit(const char *path, MailVisit visit, void *data, GError **error)
{
    Visitor visitor = { .visit = visit,
                        .data = data,
                        .buffer = g_string_sized_new(65536),
                        .error = error };
    if (strcmp(path, "-") == 0)
        visit_file(&visitor, path, STDIN_FILENO, 0);
    else
        visit_path(&visitor, AT_FDCWD, path, path, false, 0);
    g_string_free(visitor.buffer, TRUE);
    return !visitor.failed;
}

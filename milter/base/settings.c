/*
 * settings.c - see settings.h
 *
 * What may stand in the file is in settings_table.c. inih parses the INI
 * syntax; its callback does not see line numbers, so the lines are handed to
 * it by a reader of ours that counts them.
 */
#include "base/settings_table.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1024 * 1024, SECRET_MAX = 4096 };

static void *
member(Settings *settings, const Option *option)
{
    return (char *) settings + option->offset;
}

/* --- values ------------------------------------------------------------- */

typedef struct {
    const char *suffix;
    int64_t factor;
} Unit;

static const Unit duration_units[] = { { "ms", 1 },       { "s", 1000 },
                                       { "m", 60000 },    { "h", 3600000 },
                                       { "d", 86400000 }, { NULL, 0 } };
static const Unit size_units[] = {
    { "", 1 }, { "K", 1024 }, { "M", 1024 * 1024 }, { NULL, 0 }
};
static const Unit plain_units[] = { { "", 1 }, { NULL, 0 } };

/* Digits and a unit; false for anything else and for overflow. */
static bool
parse_number(const char *text, const Unit *units, int64_t *out)
{
    char *end;
    if (!g_ascii_isdigit(*text))
        return false;
    errno = 0;
    int64_t number = g_ascii_strtoll(text, &end, 10);
    if (errno != 0)
        return false;
    while (*end == ' ')
        end++;
    for (; units->suffix != NULL; units++) {
        if (g_ascii_strcasecmp(end, units->suffix) == 0)
            return !__builtin_mul_overflow(number, units->factor, out);
    }
    return false;
}

/* A number with the largest unit that divides it. */
static char *
number_text(int64_t number, const Unit *units)
{
    const Unit *best = units;
    for (; units->suffix != NULL; units++) {
        if (number % units->factor == 0)
            best = units;
    }
    return g_strdup_printf("%" PRId64 "%s", number / best->factor,
                           best->suffix);
}

static char **
parse_list(const char *text)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) pieces = g_strsplit(text, ",", -1);
    for (char **piece = pieces; *piece != NULL; piece++) {
        g_strstrip(*piece);
        if (**piece != '\0')
            g_strv_builder_add(builder, *piece);
    }
    return g_strv_builder_end(builder);
}

static bool
parse_bool(const char *text, bool *out)
{
    static const char *const words[] = { "no",  "yes", "false", "true",
                                         "off", "on",  "0",     "1" };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_ascii_strcasecmp(text, words[i]) == 0) {
            *out = i % 2 == 1;
            return true;
        }
    }
    return false;
}

static char *
enum_words(const EnumName *names)
{
    GString *words = g_string_new(NULL);
    for (; names->name != NULL; names++) {
        if (words->len > 0)
            g_string_append(words, names[1].name ? ", " : " or ");
        g_string_append(words, names->name);
    }
    return g_string_free(words, FALSE);
}

/* Stores `text`; returns NULL, or what is wrong (the caller frees it). */
static char *
option_set(Settings *settings, const Option *option, const char *text)
{
    void *target = member(settings, option);
    switch (option->type) {
    case OPTION_STRING:
        g_free(*(char **) target);
        *(char **) target = *text == '\0' ? NULL : g_strdup(text);
        return NULL;
    case OPTION_LIST:
        g_strfreev(*(char ***) target);
        *(char ***) target = parse_list(text);
        return NULL;
    case OPTION_BOOL:
        if (parse_bool(text, target))
            return NULL;
        return g_strdup_printf("\"%s\" is neither yes nor no", text);
    case OPTION_MODE: {
        char *end;
        uint64_t mode = g_ascii_strtoull(text, &end, 8);
        if (!g_ascii_isdigit(*text) || *end != '\0' || mode > 0777)
            return g_strdup_printf(
                "\"%s\" is no octal mode; write for example 0660", text);
        *(int *) target = (int) mode;
        return NULL;
    }
    case OPTION_FRACTION: {
        char *end;
        double number = g_ascii_strtod(text, &end);
        if (*text == '\0' || *end != '\0' || !(number >= 0 && number <= 1))
            return g_strdup_printf("\"%s\" is no number from 0 to 1", text);
        *(double *) target = number;
        return NULL;
    }
    case OPTION_ENUM: {
        for (const EnumName *n = option->names; n->name != NULL; n++) {
            if (g_ascii_strcasecmp(text, n->name) == 0) {
                *(int *) target = n->value;
                return NULL;
            }
        }
        g_autofree char *words = enum_words(option->names);
        return g_strdup_printf("\"%s\" is not known; write %s", text, words);
    }
    case OPTION_INTEGER:
    case OPTION_SIZE:
    case OPTION_DURATION: {
        const Unit *units = option->type == OPTION_DURATION ? duration_units
                            : option->type == OPTION_SIZE   ? size_units
                                                            : plain_units;
        const char *form = option->type == OPTION_DURATION
                               ? "a duration; write for example 200ms, 30s, "
                                 "15m, 12h or 14d"
                           : option->type == OPTION_SIZE
                               ? "a size; write for example 65536, 256K or 1M"
                               : "a whole number";
        int64_t number;
        if (!parse_number(text, units, &number))
            return g_strdup_printf("\"%s\" is not %s", text, form);
        if (number < option->min || number > option->max) {
            g_autofree char *low = number_text(option->min, units);
            g_autofree char *high = number_text(option->max, units);
            return g_strdup_printf("\"%s\" is out of range; from %s to %s is "
                                   "right",
                                   text, low, high);
        }
        *(int64_t *) target = number;
        return NULL;
    }
    case OPTION_SECTION:
    default:
        g_assert_not_reached();
    }
}

/* --- reading ------------------------------------------------------------ */

typedef struct {
    const char *path;
    Settings *settings;
    SettingsReport report;
    void *data;
    bool failed;
    const char *next;     /* rest of the file's text */
    size_t rest;          /* of the present line */
    bool continued;       /* the last piece continued a line */
    unsigned line;        /* of the text last handed to inih */
    char *section, *name; /* of the value being read; NULL: none */
    GString *value;
    unsigned *seen; /* line of each option or section
                                             header, or 0 */
} Reader;

static void reader_complain(Reader *reader, unsigned line, const char *section,
                            const char *key, const char *format, ...)
    G_GNUC_PRINTF(5, 6);

static void
reader_complain(Reader *reader, unsigned line, const char *section,
                const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);

    GString *problem =
        g_string_new(reader->path ? reader->path : "(no configuration file)");
    if (line > 0)
        g_string_append_printf(problem, ":%u", line);
    g_string_append(problem, ": ");
    if (section != NULL && *section != '\0')
        g_string_append_printf(problem, "[%s] ", section);
    if (key != NULL)
        g_string_append_printf(problem, "%s: ", key);
    g_string_append(problem, what);
    reader->report(problem->str, reader->data);
    g_string_free(problem, TRUE);
    reader->failed = true;
}

static void reader_flush(Reader *reader);

/* Remembers where a section begins: what is missing is missing there. */
static void
note_section(Reader *reader, const char *line, size_t len)
{
    for (size_t i = 0; i < settings_n_options; i++) {
        size_t name = strlen(settings_options[i].section);
        if (settings_options[i].type == OPTION_SECTION &&
            reader->seen[i] == 0 && len > name + 1 &&
            memcmp(line + 1, settings_options[i].section, name) == 0 &&
            line[name + 1] == ']')
            reader->seen[i] = reader->line;
    }
}

/* The byte length of the next piece of a long line: at most `most`, and such
 * that inih, which trims and looks for comments, takes nothing away. */
static size_t
piece_length(const char *text, size_t len, size_t most)
{
    if (len <= most)
        return len;
    for (size_t cut = most; cut > 0; cut--) {
        if (!g_ascii_isspace(text[cut - 1]) && !g_ascii_isspace(text[cut]) &&
            strchr(";#", text[cut]) == NULL)
            return cut;
    }
    return most;
}

/* inih's ini_reader over the text. inih cuts lines at its buffer's end (200
 * bytes in Debian), so a longer one is handed over in pieces: inih takes an
 * indented line as the continuation of the value before. Indentation in the
 * file means nothing, as in systemd's files. */
static char *
reader_line(char *buffer, int size, void *stream)
{
    Reader *reader = stream;
    if (reader->rest == 0) {
        reader_flush(reader);
        if (*reader->next == '\0')
            return NULL;
        reader->line++;
        size_t indent = strspn(reader->next, " \t\r");
        reader->next += indent;
        reader->rest = strcspn(reader->next, "\n");
        reader->continued = false;
        if (*reader->next == '[')
            note_section(reader, reader->next, reader->rest);
    } else {
        reader->continued = true;
    }

    size_t most = (size_t) size - 3;
    size_t len = piece_length(reader->next, reader->rest, most);
    char *out = buffer;
    if (reader->continued)
        *out++ = ' ';
    memcpy(out, reader->next, len);
    memcpy(out + len, "\n", 2);
    bool whole = *buffer == '#' || *buffer == ';' || *buffer == '[';
    if (whole && !reader->continued)
        len = reader->rest; /* no value: nothing to continue */
    reader->next += len;
    reader->rest -= len;
    if (reader->rest == 0 && *reader->next == '\n')
        reader->next++;
    return buffer;
}

static bool
section_known(const char *section)
{
    for (size_t i = 0; i < settings_n_options; i++) {
        if (strcmp(settings_options[i].section, section) == 0)
            return true;
    }
    return false;
}

/* How many letters must be put in, taken out or changed to make one of the
 * other; more than NEAR_MAX is said as NEAR_MAX + 1. */
enum { NEAR_MAX = 2, NEAR_LEN = 40 };

static size_t
letters_apart(const char *a, const char *b)
{
    size_t rows[2][NEAR_LEN + 1];
    size_t len = strlen(b);
    if (strlen(a) > NEAR_LEN || len > NEAR_LEN)
        return NEAR_MAX + 1;
    for (size_t j = 0; j <= len; j++)
        rows[0][j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        const size_t *above = rows[(i - 1) % 2];
        size_t *row = rows[i % 2];
        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            size_t changed = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = MIN(changed, MIN(above[j], row[j - 1]) + 1);
        }
    }
    return MIN(rows[strlen(a) % 2][len], NEAR_MAX + 1);
}

/* The key of this section that was probably meant; NULL: none is near. */
static const char *
nearest_key(const char *section, const char *name)
{
    const char *nearest = NULL;
    size_t least = NEAR_MAX + 1;
    for (size_t i = 0; i < settings_n_options; i++) {
        const Option *option = &settings_options[i];
        if (option->key == NULL || strcmp(option->section, section) != 0)
            continue;
        size_t apart = letters_apart(name, option->key);
        if (apart < least && apart < strlen(option->key)) {
            least = apart;
            nearest = option->key;
        }
    }
    return nearest;
}

/* inih's handler: `key = value`, or a further piece of the value. */
static int
reader_value(void *user, const char *section, const char *name,
             const char *value)
{
    Reader *reader = user;
    if (reader->continued) {
        g_string_append(reader->value, value);
        return 1;
    }
    g_free(reader->section);
    g_free(reader->name);
    reader->section = g_strdup(section);
    reader->name = g_strdup(name);
    g_string_assign(reader->value, value);
    return 1;
}

/* Takes the value that has been read whole. */
static void
reader_flush(Reader *reader)
{
    if (reader->name == NULL)
        return;
    g_autofree char *section = g_steal_pointer(&reader->section);
    g_autofree char *name = g_steal_pointer(&reader->name);
    const char *value = reader->value->str;
    if (!section_known(section)) {
        reader_complain(reader, reader->line, section, name,
                        *section == '\0'
                            ? "stands before the first [section]"
                            : "there is no such section; see `contact-milter "
                              "--help-config`");
        return;
    }
    for (size_t i = 0; i < settings_n_options; i++) {
        const Option *option = &settings_options[i];
        if (option->key == NULL || strcmp(option->section, section) != 0 ||
            strcmp(option->key, name) != 0)
            continue;
        if (reader->seen[i] != 0) {
            reader_complain(reader, reader->line, section, name,
                            "is set twice, first in line %u; write it once",
                            reader->seen[i]);
            return;
        }
        reader->seen[i] = reader->line;
        if (!g_utf8_validate(value, -1, NULL)) {
            reader_complain(reader, reader->line, section, name,
                            "the value is not UTF-8");
            return;
        }
        g_autofree char *wrong = option_set(reader->settings, option, value);
        if (wrong != NULL)
            reader_complain(reader, reader->line, section, name, "%s", wrong);
        return;
    }
    const char *near = nearest_key(section, name);
    reader_complain(reader, reader->line, section, name,
                    "there is no such key%s%s; see `contact-milter "
                    "--help-config`",
                    near != NULL ? "; nearest is " : "",
                    near != NULL ? near : "");
}

/* The line of an option in the file; of its section's header when it is not
 * there; the last one when that is missing too. */
static unsigned
line_of(const Reader *reader, const char *section, const char *key)
{
    unsigned header = 0;
    for (size_t i = 0; i < settings_n_options; i++) {
        if (strcmp(settings_options[i].section, section) != 0 ||
            reader->seen[i] == 0)
            continue;
        if (settings_options[i].key == NULL)
            header = reader->seen[i];
        else if (strcmp(settings_options[i].key, key) == 0)
            return reader->seen[i];
    }
    return header > 0 ? header : MAX(reader->line, 1);
}

/* A secret's text without its line end. NULL and a complaint for a file that
 * others can read, or that cannot be read. */
static char *
read_secret(Reader *reader, const char *section, const char *key,
            const char *path, bool check_mode)
{
    unsigned line = line_of(reader, section, key);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        reader_complain(reader, line, section, key, "cannot read %s: %s", path,
                        g_strerror(errno));
        if (fd >= 0)
            (void) close(fd);
        return NULL;
    }
    char buffer[SECRET_MAX];
    ssize_t len = -1;
    if (!S_ISREG(info.st_mode))
        reader_complain(reader, line, section, key, "%s is no regular file",
                        path);
    else if (check_mode && (info.st_mode & 077) != 0)
        reader_complain(reader, line, section, key,
                        "%s can be read by others (mode %04o); chmod 0600 %s",
                        path, (unsigned) info.st_mode & 07777, path);
    else if ((len = read(fd, buffer, sizeof buffer - 1)) < 0)
        reader_complain(reader, line, section, key, "cannot read %s: %s", path,
                        g_strerror(errno));
    (void) close(fd);
    if (len < 0)
        return NULL;
    buffer[len] = '\0';
    g_strstrip(buffer);
    char *secret = NULL;
    if (*buffer == '\0')
        reader_complain(reader, line, section, key, "%s is empty", path);
    else
        secret = g_strdup(buffer);
    explicit_bzero(buffer, sizeof buffer);
    return secret;
}

/* Is the host of an http:// URL this machine? */
static bool
url_is_loopback(const char *url)
{
    static const char *const hosts[] = { "127.", "localhost", "[::1]" };
    const char *host = url + strlen("http://");
    if (memchr(host, '@', strcspn(host, "/")) != NULL)
        return false; /* user:password@ hides the host */
    for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
        size_t len = strlen(hosts[i]);
        if (g_ascii_strncasecmp(host, hosts[i], len) != 0)
            continue;
        /* "127." must be an address, not a name that begins so. */
        if (i == 0)
            len = strspn(host, "0123456789.");
        if (strchr(":/", host[len]) != NULL) /* '\0' too */
            return true;
    }
    return false;
}

static void
check_api(Reader *reader, Role role)
{
    static const char *const endpoints[] = {
        [REGION_AU] = "https://api.ap-southeast-2.ivvy.com",
        [REGION_UK] = "https://api.eu-west-2.ivvy.com",
        [REGION_US] = "https://api.us-west-2.ivvy.com",
    };
    Settings *s = reader->settings;
    unsigned line = line_of(reader, "api", "endpoint");
    if (s->api.endpoint == NULL)
        s->api.endpoint = g_strdup(endpoints[s->api.region]);
    size_t len = strlen(s->api.endpoint);
    while (len > 0 && s->api.endpoint[len - 1] == '/')
        s->api.endpoint[--len] = '\0';
    if (g_ascii_strncasecmp(s->api.endpoint, "http://", 7) == 0) {
        if (!url_is_loopback(s->api.endpoint))
            reader_complain(reader, line, "api", "endpoint",
                            "\"%s\" would send the contacts unencrypted; write "
                            "https://... (http:// is for loopback only)",
                            s->api.endpoint);
    } else if (g_ascii_strncasecmp(s->api.endpoint, "https://", 8) != 0) {
        reader_complain(reader, line, "api", "endpoint",
                        "\"%s\" is no URL; write https://HOST",
                        s->api.endpoint);
    }
    if (role == ROLE_MTA || role == ROLE_TOOL)
        return; /* no secret above the seam */

    if (s->api.key == NULL)
        reader_complain(reader, line_of(reader, "api", "key"), "api", "key",
                        "is required; write the API key of the account");
    const char *credentials = g_getenv("CREDENTIALS_DIRECTORY");
    if (s->api.secret_file != NULL) {
        s->api.secret =
            read_secret(reader, "api", "secret_file", s->api.secret_file, true);
    } else if (credentials != NULL) {
        g_autofree char *path =
            g_build_filename(credentials, "api-secret", NULL);
        s->api.secret = read_secret(reader, "api", "secret_file", path, false);
    } else {
        /* Where systemd takes the credential from. */
        g_autofree char *folder =
            g_path_get_dirname(reader->path ? reader->path : "");
        g_autofree char *path = g_build_filename(folder, "api-secret", NULL);
        if (access(path, F_OK) == 0)
            s->api.secret =
                read_secret(reader, "api", "secret_file", path, true);
        else
            reader_complain(reader, line_of(reader, "api", "secret_file"),
                            "api", "secret_file",
                            "is required; write the path of a file (mode 0600) "
                            "that holds the API secret, or make %s",
                            path);
    }
}

static void
check_numbers(Reader *reader, const char *section, const char *key,
              char *const *list)
{
    for (; *list != NULL; list++) {
        int64_t number;
        if (!parse_number(*list, plain_units, &number) || number < 1)
            reader_complain(reader, line_of(reader, section, key), section, key,
                            "\"%s\" is no id; write whole numbers", *list);
    }
}

static void
check_words(Reader *reader, const char *section, const char *key,
            char *const *list, const char *const *words)
{
    for (; *list != NULL; list++) {
        if (!g_strv_contains(words, *list)) {
            g_autofree char *all = g_strjoinv(", ", (char **) words);
            reader_complain(reader, line_of(reader, section, key), section, key,
                            "\"%s\" is not known; write some of %s", *list,
                            all);
        }
    }
}

/* Elements that were meant to be several. */
static void
check_one_each(Reader *reader, const char *section, const char *key,
               char *const *list)
{
    for (; *list != NULL; list++) {
        if (strpbrk(*list, " \t") != NULL && strchr(*list, '"') == NULL)
            reader_complain(reader, line_of(reader, section, key), section, key,
                            "\"%s\" has a blank in it; a comma parts them",
                            *list);
    }
}

/* A pattern that no address matches. */
static void
check_patterns(Reader *reader, const char *section, const char *key,
               char *const *list)
{
    check_one_each(reader, section, key, list);
    for (; *list != NULL; list++) {
        if (strpbrk(*list, "@*") == NULL)
            reader_complain(reader, line_of(reader, section, key), section, key,
                            "\"%s\" is no address; write for example "
                            "info@example.org, info@* or *@example.org",
                            *list);
    }
}

/* Two values in one field of the CRM: the later overwrites the earlier. */
static void
check_custom_fields(Reader *reader)
{
    static const char section[] = "custom_fields";
    for (size_t i = 0; i < settings_n_options; i++) {
        const Option *option = &settings_options[i];
        if (option->type != OPTION_INTEGER ||
            strcmp(option->section, section) != 0)
            continue;
        int64_t id = *(int64_t *) member(reader->settings, option);
        for (size_t j = 0; id != 0 && j < i; j++) {
            const Option *other = &settings_options[j];
            if (other->type != OPTION_INTEGER ||
                strcmp(other->section, section) != 0 ||
                *(int64_t *) member(reader->settings, other) != id)
                continue;
            bool later = reader->seen[j] > reader->seen[i];
            reader_complain(reader, MAX(reader->seen[i], reader->seen[j]),
                            section, later ? other->key : option->key,
                            "%" PRId64 " is the field of %s already; write "
                            "another field's id",
                            id, later ? option->key : other->key);
            break;
        }
    }
}

static bool
socket_is_valid(const char *socket)
{
    if (g_str_has_prefix(socket, "unix:") || g_str_has_prefix(socket, "local:"))
        return strchr(socket, ':')[1] == '/';
    if (!g_str_has_prefix(socket, "inet:") &&
        !g_str_has_prefix(socket, "inet6:"))
        return false;
    char *end;
    const char *port = strchr(socket, ':') + 1;
    int64_t number = g_ascii_strtoll(port, &end, 10);
    return end != port && number > 0 && number < 65536 &&
           (*end == '\0' || (*end == '@' && end[1] != '\0'));
}

/* What no single value tells: requirements and forms. */
static void
check_settings(Reader *reader, Role role)
{
    static const char *const url_kinds[] = { "website",  "linkedin",  "x",
                                             "facebook", "instagram", "xing",
                                             "calendar", NULL };
    static const char *const languages[] = {
        "en", "de",      "fr",      "es", "pt", "it", "nl", "sv", "da", "nb",
        "fi", "pl",      "cs",      "sk", "hu", "ro", "ru", "uk", "tr", "el",
        "ja", "zh-Hans", "zh-Hant", "ko", "ar", "he", "th", "vi", "id", NULL
    };
    Settings *s = reader->settings;
    g_assert(s->mta.local_domains != NULL); /* lists have a default */

    if (!socket_is_valid(s->mta.socket ? s->mta.socket : ""))
        reader_complain(reader, line_of(reader, "mta", "socket"), "mta",
                        "socket",
                        "\"%s\" is no socket; write unix:/PATH, "
                        "inet:PORT@HOST or inet6:PORT@HOST",
                        s->mta.socket ? s->mta.socket : "");
    if (s->mta.local_domains[0] == NULL && role != ROLE_TOOL)
        reader_complain(reader, line_of(reader, "mta", "local_domains"), "mta",
                        "local_domains",
                        "is required; write our own domains, for example "
                        "example.org, example.com");
    for (char **d = s->mta.local_domains; *d != NULL; d++) {
        if (strpbrk(*d, " \t") == NULL && strpbrk(*d, "@*/") != NULL)
            reader_complain(reader, line_of(reader, "mta", "local_domains"),
                            "mta", "local_domains",
                            "\"%s\" is no domain; write for example "
                            "example.org (subdomains are included)",
                            *d);
    }
    check_one_each(reader, "mta", "local_domains", s->mta.local_domains);
    check_patterns(reader, "mta", "recipients", s->mta.recipients);
    check_patterns(reader, "mta", "ignore_senders", s->mta.ignore_senders);
    check_patterns(reader, "unsubscribe", "addresses",
                   s->unsubscribe.addresses);
    check_one_each(reader, "trust", "authserv_ids", s->trust.authserv_ids);
    check_one_each(reader, "trust", "arc_sealers", s->trust.arc_sealers);
    check_custom_fields(reader);
    check_api(reader, role);
    check_numbers(reader, "contact", "groups", s->contact.groups);
    check_words(reader, "contact", "urls", s->contact.urls, url_kinds);
    check_words(reader, "unsubscribe", "languages", s->unsubscribe.languages,
                languages);
    const char *country = s->contact.default_country;
    if (country == NULL || strlen(country) != 2 ||
        !g_ascii_isupper(country[0]) || !g_ascii_isupper(country[1]))
        reader_complain(reader, line_of(reader, "contact", "default_country"),
                        "contact", "default_country",
                        "\"%s\" is no country; write two capital letters, "
                        "for example AU",
                        country ? country : "");
    if (s->store.spool == NULL || s->store.spool[0] != '/')
        reader_complain(reader, line_of(reader, "store", "spool"), "store",
                        "spool", "write an absolute path");
    if (s->store.uri == NULL ||
        (!g_str_has_prefix(s->store.uri, "sqlite:/") &&
         !g_str_has_prefix(s->store.uri, "postgresql://") &&
         !g_str_has_prefix(s->store.uri, "postgres://")))
        reader_complain(reader, line_of(reader, "store", "uri"), "store", "uri",
                        "write sqlite:/PATH or postgresql://...");
    const char *phrases = s->unsubscribe.phrases_file;
    if (phrases != NULL && role != ROLE_SYNC && access(phrases, R_OK) != 0)
        reader_complain(reader, line_of(reader, "unsubscribe", "phrases_file"),
                        "unsubscribe", "phrases_file", "cannot read %s: %s",
                        phrases, g_strerror(errno));
    /* Needed where mail is read. */
    if (s->unsubscribe.token_secret_file != NULL && role != ROLE_TOOL &&
        role != ROLE_SYNC)
        s->unsubscribe.token_secret =
            read_secret(reader, "unsubscribe", "token_secret_file",
                        s->unsubscribe.token_secret_file, true);
    if (s->metrics.listen != NULL && strrchr(s->metrics.listen, ':') == NULL)
        reader_complain(reader, line_of(reader, "metrics", "listen"), "metrics",
                        "listen",
                        "\"%s\" is no address; write for example "
                        "127.0.0.1:9894",
                        s->metrics.listen);
}

static Settings *
settings_new(void)
{
    Settings *settings = g_new0(Settings, 1);
    settings->references = 1;
    for (size_t i = 0; i < settings_n_options; i++) {
        const Option *option = &settings_options[i];
        if (option->type == OPTION_SECTION)
            continue;
        if (option->fallback == NULL && option->type != OPTION_LIST)
            continue; /* zero is "unset" */
        g_autofree char *wrong = option_set(
            settings, option, option->fallback ? option->fallback : "");
        g_assert(wrong == NULL);
    }
    return settings;
}

/* The file's text, NULL and a complaint when it cannot be had. */
static char *
read_file(Reader *reader)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gsize len;
    if (!g_file_get_contents(reader->path, &text, &len, &error)) {
        reader_complain(reader, 0, NULL, NULL, "%s", error->message);
        return NULL;
    }
    if (len > FILE_MAX || memchr(text, '\0', len) != NULL) {
        reader_complain(reader, 0, NULL, NULL,
                        "this is no configuration file (%s)",
                        len > FILE_MAX ? "larger than 1 MB" : "it holds NUL");
        return NULL;
    }
    return g_steal_pointer(&text);
}

Settings *
settings_load(const char *path, Role role, SettingsReport report, void *data)
{
    g_autofree unsigned *seen = g_new0(unsigned, settings_n_options);
    Reader reader = { .path = path,
                      .settings = settings_new(),
                      .report = report,
                      .data = data,
                      .seen = seen };
    if (path != NULL) {
        g_autofree char *text = read_file(&reader);
        if (text != NULL) {
            reader.next = text;
            reader.value = g_string_new(NULL);
            int line =
                ini_parse_stream(reader_line, &reader, reader_value, &reader);
            if (line > 0)
                reader_complain(&reader, (unsigned) line, NULL, NULL,
                                "is neither [section] nor key = value");
            g_free(reader.section);
            g_free(reader.name);
            g_string_free(reader.value, TRUE);
        }
    }
    if (!reader.failed)
        check_settings(&reader, role);
    if (reader.failed) {
        settings_free(reader.settings);
        return NULL;
    }
    return reader.settings;
}

Settings *
settings_ref(Settings *settings)
{
    (void) __atomic_add_fetch(&settings->references, 1, __ATOMIC_RELAXED);
    return settings;
}

static void
wipe(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

void
settings_free(Settings *settings)
{
    if (settings == NULL ||
        __atomic_sub_fetch(&settings->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < settings_n_options; i++) {
        if (settings_options[i].type == OPTION_STRING)
            g_free(*(char **) member(settings, &settings_options[i]));
        else if (settings_options[i].type == OPTION_LIST)
            g_strfreev(*(char ***) member(settings, &settings_options[i]));
    }
    wipe(settings->api.secret);
    wipe(settings->unsubscribe.token_secret);
    g_free(settings);
}

bool
role_from_name(const char *name, Role *out_role)
{
    static const char *const names[] = {
        [ROLE_ALL] = "all", [ROLE_MTA] = "mta", [ROLE_SYNC] = "sync"
    };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *out_role = (Role) i;
            return true;
        }
    }
    return false;
}

/*
 * link.c - undo the rewriters of mail gateways and newsletters
 *
 * Gateways replace links by their own and keep the original inside: as a query
 * parameter (Safe Links, Mimecast's older form, Google, Facebook...), in
 * Proofpoint's three encodings, or as the path. What cannot be undone without
 * the vendor (a bare token) is no link for us.
 */
#include "analysis/link.h"

#include "analysis/vocabulary.h"

#include <glib.h>
#include <string.h>

static bool
host_is(const char *host, const char *domain)
{
    size_t n = strlen(host), m = strlen(domain);
    return n >= m && g_ascii_strcasecmp(host + n - m, domain) == 0 &&
           (n == m || host[n - m - 1] == '.');
}

static char *
host_of(const char *url)
{
    const char *p = strstr(url, "://");
    p = p != NULL ? p + 3 : url;
    size_t n = strcspn(p, "/?#");
    const char *at = memchr(p, '@', n);
    if (at != NULL) {
        n -= (size_t) (at + 1 - p);
        p = at + 1;
    }
    const char *port = memchr(p, ':', n);
    if (port != NULL)
        n = (size_t) (port - p);
    return g_ascii_strdown(p, (gssize) n);
}

char *
link_host(const char *url)
{
    g_autofree char *host = host_of(url);
    const char *plain = g_str_has_prefix(host, "www.") ? host + 4 : host;
    return strchr(plain, '.') != NULL ? g_strdup(plain) : NULL;
}

/* The decoded value of a query parameter, or NULL. */
static char *
query_value(const char *url, const char *name)
{
    const char *p = strchr(url, '?');
    size_t n = strlen(name);
    while (p != NULL) {
        p++;
        if (g_str_has_prefix(p, "amp;"))
            p += 4;
        if (strncmp(p, name, n) == 0 && p[n] == '=') {
            size_t len = strcspn(p + n + 1, "&#");
            g_autofree char *raw = g_strndup(p + n + 1, len);
            return g_uri_unescape_string(raw, NULL);
        }
        p = strchr(p, '&');
    }
    return NULL;
}

/* Proofpoint v1: ?u=percent-encoded; v2: '-' for '%', '_' for '/'. */
static char *
proofpoint_old(const char *url)
{
    g_autofree char *value = query_value(url, "u");
    if (value == NULL)
        return NULL;
    if (strstr(url, "/v2/") != NULL)
        for (char *p = value; *p != '\0'; p++) {
            if (*p == '-')
                *p = '%';
            else if (*p == '_')
                *p = '/';
        }
    char *plain = g_uri_unescape_string(value, NULL);
    return plain != NULL ? plain : g_steal_pointer(&value);
}

/* How many characters a run mark "**X" stands for: 'A' is 2, as in base64. */
static unsigned
run_length(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *hit = c != '\0' ? strchr(alphabet, c) : NULL;
    return hit != NULL ? (unsigned) (hit - alphabet) + 2 : 0;
}

/* Proofpoint v3: /v3/__URL__;BASE64!!... where '*' in URL stands for the next
 * replaced character and "**X" for a run of them. */
static char *
proofpoint_v3(const char *url)
{
    const char *start = strstr(url, "/v3/__");
    if (start == NULL)
        return NULL;
    start += 6;
    const char *end = strstr(start, "__;");
    if (end == NULL)
        return NULL;
    size_t coded_len = strcspn(end + 3, "!");
    g_autofree char *coded = g_strndup(end + 3, coded_len);
    for (char *p = coded; *p != '\0'; p++)
        *p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
    g_autofree char *padded = g_strconcat(coded,
                                          coded_len % 4 == 2   ? "=="
                                          : coded_len % 4 == 3 ? "="
                                                               : "",
                                          NULL);
    gsize n = 0;
    g_autofree guchar *replaced =
        padded[0] != '\0' ? g_base64_decode(padded, &n) : NULL;
    GString *out = g_string_new(NULL);
    size_t next = 0;
    for (const char *p = start; p < end; p++) {
        if (*p != '*') {
            g_string_append_c(out, *p);
            continue;
        }
        unsigned count = 1;
        if (p + 2 < end && p[1] == '*' && run_length(p[2]) > 0) {
            count = run_length(p[2]);
            p += 2;
        }
        while (count-- > 0 && next < n)
            g_string_append_c(out, (char) replaced[next++]);
    }
    return g_string_free(out, FALSE);
}

/* Rewriters that keep the target in a query parameter. */
static const struct {
    const char *domain, *parameter;
} wrappers[] = {
    { "safelinks.protection.outlook.com", "url" },
    { "statics.teams.cdn.office.net", "url" },
    { "google.com", "q" },
    { "google.com", "url" },
    { "l.facebook.com", "u" },
    { "lm.facebook.com", "u" },
    { "l.instagram.com", "u" },
    { "linkedin.com", "url" }, /* /safety/go?url= and /redir/redirect?url= */
    { "slack-redir.net", "url" },
    { "vk.com", "to" },
    { "mimecast.com", "url" },
    { "secure-web.cisco.com", "u" },
    { "barracudanetworks.com", "a" }, /* linkprotect.cudasvc.com */
    { "linkprotect.cudasvc.com", "a" },
    { "clicktime.symantec.com", "u" },
    { "urlsand.esvalabs.com", "u" },
    { "trustwave.com", "u" },
    { "sophos.com", "u" },
    { "antispamcloud.com", "url" },
    { "fireeye.com", "u" },
    { "fortinet.com", "url" },
    { "trendmicro.com", "url" },
    { "urlisolation.com", "url" },
    { "bitdefender.com", "u" },
    { "checkpoint.com", "u" },
    { "href.li", "url" },
    { "mailtrack.io", "url" },
    { "yahoo.com", "u" },
};

static char *
unwrap_once(const char *url)
{
    g_autofree char *host = host_of(url);
    if (host_is(host, "urldefense.com") ||
        host_is(host, "urldefense.proofpoint.com") ||
        host_is(host, "urldefense.us")) {
        char *plain = proofpoint_v3(url);
        return plain != NULL ? plain : proofpoint_old(url);
    }
    if (host_is(host, "secure-web.cisco.com")) {
        /* /TOKEN/https%3A%2F%2Fexample.org */
        const char *inner = strstr(url, "/http");
        if (inner != NULL)
            return g_uri_unescape_string(inner + 1, NULL);
    }
    if (host_is(host, "protect.checkpoint.com") ||
        host_is(host, "av.checkpoint.com")) {
        const char *inner = strstr(url, "___http");
        if (inner != NULL) {
            size_t n = strcspn(inner + 3, "_");
            return g_strndup(inner + 3, n);
        }
    }
    if (host_is(host, "sophos.com")) { /* d=host & u=base64 */
        g_autofree char *u = query_value(url, "u");
        if (u != NULL && strchr(u, ':') == NULL) {
            gsize n;
            g_autofree guchar *decoded = g_base64_decode(u, &n);
            g_autofree char *text = g_strndup((char *) decoded, n);
            if (g_str_has_prefix(text, "http"))
                return g_steal_pointer(&text);
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(wrappers); i++) {
        if (!host_is(host, wrappers[i].domain))
            continue;
        char *value = query_value(url, wrappers[i].parameter);
        if (value != NULL && (g_str_has_prefix(value, "http") ||
                              g_str_has_prefix(value, "tel:") ||
                              g_str_has_prefix(value, "mailto:")))
            return value;
        g_free(value);
    }
    return NULL;
}

/* Query parameters that only follow the reader's steps. */
static bool
is_tracker(const char *name, size_t len)
{
    static const char *const trackers[] = {
        "fbclid",
        "gclid",
        "dclid",
        "msclkid",
        "mc_cid",
        "mc_eid",
        "igshid",
        "igsh",
        "yclid",
        "ref",
        "ref_src",
        "ref_url",
        "trk",
        "trackingId",
        "lipi",
        "licu",
        "originalSubdomain",
        "si",
        "_hsenc",
        "_hsmi",
        "vero_id",
        "oly_enc_id",
        "mkt_tok",
        "cmpid",
        "s_cid",
        "__twitter_impression",
        "src",
        "source",
        "wt_mc",
        "elqTrackId",
        "sc_channel",
        "spm",
    };
    if (len >= 4 && strncmp(name, "utm_", 4) == 0)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(trackers); i++)
        if (strlen(trackers[i]) == len &&
            g_ascii_strncasecmp(name, trackers[i], len) == 0)
            return true;
    return false;
}

static char *
without_trackers(const char *url)
{
    const char *fragment = strchr(url, '#');
    const char *query = strchr(url, '?');
    if (query == NULL || (fragment != NULL && fragment < query)) {
        if (fragment != NULL &&
            (fragment[1] == '\0' || strstr(fragment, "utm_") != NULL))
            return g_strndup(url, (size_t) (fragment - url));
        return g_strdup(url);
    }
    GString *out = g_string_new_len(url, query - url);
    char separator = '?';
    for (const char *p = query + 1; *p != '\0' && *p != '#';) {
        size_t n = strcspn(p, "&#");
        size_t name = strcspn(p, "=&#");
        if (n > 0 && !is_tracker(p, name)) {
            g_string_append_c(out, separator);
            g_string_append_len(out, p, (gssize) n);
            separator = '&';
        }
        p += n;
        if (*p == '&')
            p++;
    }
    return g_string_free(out, FALSE);
}

static const char *const social[] = {
    "linkedin.com",   "lnkd.in",          "twitter.com",
    "x.com",          "facebook.com",     "fb.com",
    "fb.me",          "instagram.com",    "xing.com",
    "youtube.com",    "youtu.be",         "tiktok.com",
    "pinterest.com",  "vimeo.com",        "threads.net",
    "bsky.app",       "mastodon.social",  "github.com",
    "gitlab.com",     "behance.net",      "dribbble.com",
    "soundcloud.com", "spotify.com",      "t.me",
    "telegram.me",    "vk.com",           "ok.ru",
    "weibo.com",      "wechat.com",       "weixin.qq.com",
    "line.me",        "snapchat.com",     "medium.com",
    "flickr.com",     "tumblr.com",       "viadeo.com",
    "orcid.org",      "researchgate.net", "scholar.google.com",
    "linktr.ee",      "etsy.com",         "bandcamp.com",
    "skype.com",      "discord.gg",       "m.me",
    "kakao.com",      "note.com",         "mixcloud.com",
    "strava.com",     "tripadvisor.com",  "yelp.com",
    "g.page",
};

static const char *const booking[] = {
    "calendly.com",
    "cal.com",
    "meetings.hubspot.com",
    "bookings.cloud.microsoft",
    "outlook.office365.com",
    "outlook.office.com",
    "calendar.app.google",
    "calendar.google.com",
    "doodle.com",
    "youcanbook.me",
    "zcal.co",
    "savvycal.com",
    "tidycal.com",
    "acuityscheduling.com",
    "koalendar.com",
    "appointlet.com",
    "setmore.com",
    "simplybook.me",
};

/* Pages that belong to a client or a gateway, not to the author. */
static const char *const useless[] = {
    "aka.ms",
    "office.com",
    "go.onelink.me",
    "avast.com",
    "avg.com",
    "microsoft.com",
    "w3.org",
    "schemas.microsoft.com",
    "apple.com",
    "play.google.com",
    "overview.mail.yahoo.com",
    "onelink.me",
    "mail.onelink.me",
    "google.com",
    "maps.google.com",
    "goo.gl",
    "maps.app.goo.gl",
    "mailchimp.com",
    "list-manage.com",
    "sendgrid.net",
    "exclaimer.net",
    "exclaimer.com",
    "codetwo.com",
    "wisestamp.com",
    "hubspot.com",
    "googleusercontent.com",
    "mailtrack.io",
    "bing.com",
    "openstreetmap.org",
    "mimecast.com",
    "proofpoint.com",
    "urldefense.com",
    "bit.ly",
    "newoldstamp.com",
    "htmlsig.com",
    "outlook.com",
    "mailbutler.io",
    "canarymail.io",
    "superhuman.com",
    "spikenow.com",
    "t-online.de",
    "gmx.net",
    "web.de",
    "mozilla.org",
    "thunderbird.net",
};

static bool
in_hosts(const char *const *list, size_t n, const char *host)
{
    for (size_t i = 0; i < n; i++)
        if (host_is(host, list[i]))
            return true;
    return false;
}

static bool
has_image_ending(const char *url)
{
    size_t n = strcspn(url, "?#");
    static const char *const endings[] = { ".png", ".jpg", ".jpeg", ".gif",
                                           ".svg", ".ico", ".css",  ".vcf" };
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        size_t m = strlen(endings[i]);
        if (n > m && g_ascii_strncasecmp(url + n - m, endings[i], m) == 0)
            return true;
    }
    return false;
}

/* A page of one's own where meetings are booked: "meetings.acme.com/ann". */
static bool
is_booking_page(const char *host, const char *rest)
{
    static const char *const labels[] = { "meetings.", "meeting.",  "book.",
                                          "calendar.", "schedule.", "cal.",
                                          "termine.",  "termin.",   "rdv.",
                                          "agenda." };
    if (strlen(rest) < 3)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++)
        if (g_str_has_prefix(host, labels[i]) &&
            strchr(host + strlen(labels[i]), '.') != NULL)
            return true;
    return false;
}

/* A room for one call, not the author's page. */
static bool
is_conference(const char *host, const char *rest)
{
    return (g_str_has_prefix(rest, "/j/") && g_ascii_isdigit(rest[3])) ||
           strstr(rest, "/meetup-join/") != NULL ||
           strstr(rest, "/meet/") != NULL || host_is(host, "meet.google.com") ||
           host_is(host, "webex.com") || host_is(host, "whereby.com") ||
           host_is(host, "gotomeeting.com") || host_is(host, "goto.com") ||
           host_is(host, "meet.jit.si");
}

/* https, lower-case host, mobile and country hosts of networks made one. */
static char *
normalise(const char *url, LinkKind *out_kind)
{
    g_autofree char *host = host_of(url);
    if (strchr(host, '.') == NULL || strlen(host) > 253)
        return NULL;
    const char *rest = strstr(url, "://");
    rest = rest != NULL ? rest + 3 : url;
    rest += strcspn(rest, "/?#");

    LinkKind kind = LINK_WEBSITE;
    if (is_conference(host, rest))
        return NULL;
    if (in_hosts(booking, G_N_ELEMENTS(booking), host) ||
        is_booking_page(host, rest))
        kind = LINK_BOOKING;
    else if (in_hosts(social, G_N_ELEMENTS(social), host))
        kind = LINK_SOCIAL;
    else if (in_hosts(useless, G_N_ELEMENTS(useless), host))
        return NULL;
    if (kind == LINK_SOCIAL) {
        /* a network's front page names nobody */
        if (strlen(rest) <= 1)
            return NULL;
        static const char *const main_hosts[] = { "linkedin.com",
                                                  "facebook.com",
                                                  "instagram.com", "xing.com",
                                                  "twitter.com" };
        for (size_t i = 0; i < G_N_ELEMENTS(main_hosts); i++)
            if (host_is(host, main_hosts[i])) {
                g_free(host);
                host = g_strconcat(
                    strcmp(main_hosts[i], "twitter.com") == 0 ? "" : "www.",
                    strcmp(main_hosts[i], "twitter.com") == 0 ? "x.com"
                                                              : main_hosts[i],
                    NULL);
                break;
            }
        if (strstr(rest, "/sharer") != NULL ||
            strstr(rest, "/share?") != NULL || strstr(rest, "/intent/") != NULL)
            return NULL;
    }
    g_autofree char *whole = g_strconcat("https://", host, rest, NULL);
    char *clean = without_trackers(whole);
    size_t n = strlen(clean);
    while (n > 8 && strchr(".,;)>]'\"", clean[n - 1]) != NULL)
        clean[--n] = '\0';
    if (n > 8 && clean[n - 1] == '/')
        clean[n - 1] = '\0';
    *out_kind = kind;
    return clean;
}

static LinkKind
telephone(const char *href, char **out)
{
    GString *number = g_string_new(NULL);
    g_autofree char *plain = g_uri_unescape_string(href, NULL);
    for (const char *p = plain != NULL ? plain : href; *p != '\0'; p++) {
        if (*p == '/' || *p == ' ')
            continue;
        if (*p == ';' || *p == ',' || *p == '?')
            break;
        g_string_append_c(number, *p);
    }
    if (out != NULL)
        *out = g_string_free(number, FALSE);
    else
        g_string_free(number, TRUE);
    return LINK_PHONE;
}

LinkKind
link_classify(const char *href, size_t len, char **out)
{
    if (out != NULL)
        *out = NULL;
    while (len > 0 && (g_ascii_isspace(*href) || *href == '<')) {
        href++;
        len--;
    }
    while (len > 0 && (g_ascii_isspace(href[len - 1]) || href[len - 1] == '>'))
        len--;
    if (len == 0 || len > LINK_MAX || memchr(href, '\0', len) != NULL)
        return LINK_NONE;
    g_autofree char *url = g_strndup(href, len);
    for (int depth = 0; depth < LINK_UNWRAP_MAX; depth++) {
        if (g_ascii_strncasecmp(url, "http", 4) != 0)
            break;
        char *inner = unwrap_once(url);
        if (inner == NULL)
            break;
        g_free(url);
        url = inner;
    }
    if (!g_utf8_validate(url, -1, NULL))
        return LINK_NONE;
    if (g_ascii_strncasecmp(url, "tel:", 4) == 0)
        return telephone(url + 4, out);
    if (g_ascii_strncasecmp(url, "callto:", 7) == 0)
        return telephone(url + 7, out);
    if (g_ascii_strncasecmp(url, "sms:", 4) == 0)
        return telephone(url + 4, out);
    if (g_ascii_strncasecmp(url, "mailto:", 7) == 0) {
        size_t n = strcspn(url + 7, "?");
        if (out != NULL)
            *out = g_strndup(url + 7, n);
        return LINK_EMAIL;
    }
    bool http = g_ascii_strncasecmp(url, "http://", 7) == 0 ||
                g_ascii_strncasecmp(url, "https://", 8) == 0;
    if (!http &&
        (strstr(url, ":") != NULL || link_bare_host(url, strlen(url)) == 0))
        return LINK_NONE;
    g_autofree char *host = host_of(url);
    if (host_is(host, "wa.me") || host_is(host, "api.whatsapp.com")) {
        g_autofree char *number = query_value(url, "phone");
        const char *path = strstr(url, "wa.me/");
        const char *digits = number != NULL ? number
                             : path != NULL ? path + 6
                                            : "";
        size_t n = strspn(digits, "+0123456789");
        if (n >= 8) {
            if (out != NULL) {
                g_autofree char *plain = g_strndup(digits, n);
                *out = g_strconcat(plain[0] == '+' ? "" : "+", plain, NULL);
            }
            return LINK_PHONE;
        }
        return LINK_NONE;
    }
    if (has_image_ending(url) || strstr(url, "unsubscribe") != NULL)
        return LINK_NONE;
    LinkKind kind = LINK_NONE;
    g_autofree char *clean = normalise(url, &kind);
    if (clean == NULL)
        return LINK_NONE;
    if (out != NULL)
        *out = g_steal_pointer(&clean);
    return kind;
}

/* Generic top-level domains that bare host names may have, besides all with
 * two letters; "example" is what documents and tests use (RFC 2606). */
static const char tlds[] =
    " com org net edu gov mil int info biz name coop museum aero jobs travel "
    "events wedding catering photography photo photos design studio agency "
    "online shop store site website space tech digital media news live music "
    "film art gallery theatre band blog bar cafe restaurant menu wine beer "
    "farm garden florist flowers house homes estate properties rentals hotel "
    "tours holiday cruises flights vacations club community social team group "
    "company business consulting services solutions systems software app dev "
    "cloud network email legal law lawyer attorney accountants tax finance "
    "financial capital fund ventures bank insurance health healthcare clinic "
    "dental doctor hospital care school academy university education training "
    "institute foundation charity church ngo ong energy green eco solar "
    "construction contractors builders plumbing engineering engineer works "
    "industries supply supplies tools equipment parts auto cars bike taxi "
    "berlin hamburg koeln bayern wien paris london melbourne sydney tokyo nyc "
    "vegas amsterdam brussels istanbul moscow africa asia scot wales cymru "
    "irish "
    "swiss eus cat gal world global international international earth life "
    "love style fashion clothing jewelry boutique gifts toys games fun party "
    "dance fitness yoga fit run golf tennis football pro expert guru coach "
    "ninja rocks plus one xyz top page link click today show expo tickets "
    "productions pictures video audio fm radio tv productions ltd gmbh inc llc "
    "immo haus reise restaurant versicherung gal bzh example ";

size_t
link_bare_host(const char *text, size_t len)
{
    size_t n = 0, labels = 0, last = 0;
    bool letter = false;
    while (n < len) {
        unsigned char c = (unsigned char) text[n];
        if (c == '.') {
            if (n == last)
                return 0;
            labels++;
            last = n + 1;
            letter = false;
        } else if (g_ascii_isalnum(c) || c == '-' || c >= 0x80) {
            letter |= g_ascii_isalpha(c) || c >= 0x80;
        } else {
            break;
        }
        n++;
    }
    size_t end = n;
    if (n > 0 && text[n - 1] == '.') { /* the sentence's full stop */
        end = n - 1;
        labels--;
        last = 0;
        for (size_t i = 0; i < end; i++)
            if (text[i] == '.')
                last = i + 1;
        letter = last < end && g_ascii_isalpha(text[last]);
    }
    if (labels == 0 || !letter || end <= last || end > 253)
        return 0;
    size_t tld = end - last;
    if (n < len && text[n] == '@')
        return 0;
    for (size_t i = last; i < end; i++)
        if (!g_ascii_isalpha(text[i]))
            return 0;
    if (tld == 2) {
        /* "z.B", "e.V", "d.o": the label before has two letters or more */
        char folded[16]; /* "org.nr" */
        if (end < sizeof folded) {
            for (size_t i = 0; i < end; i++)
                folded[i] = g_ascii_tolower(text[i]);
            if (vocabulary_find(folded, end) & WORD_REGISTRATION)
                return 0;
        }
        size_t before = last - 1;
        size_t start = before;
        while (start > 0 && text[start - 1] != '.')
            start--;
        return before - start >= 2 && g_ascii_islower(text[last]) ? end : 0;
    }
    char padded[32];
    if (tld < 2 || tld > 24)
        return 0;
    padded[0] = ' ';
    for (size_t i = 0; i < tld; i++)
        padded[1 + i] = g_ascii_tolower(text[last + i]);
    padded[1 + tld] = ' ';
    padded[2 + tld] = '\0';
    if (g_ascii_strncasecmp(text, "www.", 4) == 0 && labels >= 2)
        return end;
    return strstr(tlds, padded) != NULL ? end : 0;
}

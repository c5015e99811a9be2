/*
 * dns.c - see dns.h
 *
 * libspf2's own resolver layer is not used: it never fills in the TTL, and it
 * gives no hold of the resolver's time-outs (with glibc's defaults one dead
 * name server costs 10 s a question, TCP up to two minutes). Here glibc's
 * resolver state is made anew for each question, so that a changed
 * resolv.conf counts at once; UDP goes through res_nsend() with time-outs cut
 * to what is left, and a truncated answer is fetched over TCP with poll().
 */
#include "trust/dns.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TTL_MAX = 86400, NEGATIVE_TTL_MAX = 3600, EDNS_BYTES = 1232 };

DnsAnswer *
dns_answer_new(DnsStatus status)
{
    DnsAnswer *answer = g_new0(DnsAnswer, 1);
    answer->status = status;
    answer->texts = g_ptr_array_new_with_free_func(g_free);
    answer->addresses = g_array_new(FALSE, TRUE, sizeof(DnsAddress));
    answer->references = 1;
    return answer;
}

DnsAnswer *
dns_answer_ref(DnsAnswer *answer)
{
    __atomic_fetch_add(&answer->references, 1, __ATOMIC_RELAXED);
    return answer;
}

void
dns_answer_unref(DnsAnswer *answer)
{
    if (answer == NULL ||
        __atomic_sub_fetch(&answer->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    g_ptr_array_unref(answer->texts);
    g_array_unref(answer->addresses);
    g_free(answer);
}

/* The character-strings of a TXT record joined (RFC 7208, 3.3). A NUL inside
 * makes it no SPF record; it is shown as a control to fail the grammar. */
static char *
join_strings(const uint8_t *rdata, size_t len)
{
    GString *text = g_string_sized_new(len);
    while (len > 0) {
        size_t n = *rdata++;
        len--;
        n = MIN(n, len);
        for (size_t i = 0; i < n; i++)
            g_string_append_c(text, rdata[i] != 0 ? (char) rdata[i] : '\1');
        rdata += n;
        len -= n;
    }
    return g_string_free(text, FALSE);
}

/* RFC 2308, 5: the smaller of the SOA's own TTL and its last field. */
static int64_t
negative_ttl(ns_msg *message)
{
    int n = ns_msg_count(*message, ns_s_ns);
    for (int i = 0; i < n && i < DNS_MAX_RECORDS; i++) {
        ns_rr rr;
        if (ns_parserr(message, ns_s_ns, i, &rr) != 0)
            break;
        if (ns_rr_type(rr) == ns_t_soa && ns_rr_rdlen(rr) >= 22) {
            int64_t minimum =
                (int64_t) ns_get32(ns_rr_rdata(rr) + ns_rr_rdlen(rr) - 4);
            return MIN(MIN((int64_t) ns_rr_ttl(rr), minimum), NEGATIVE_TTL_MAX);
        }
    }
    return 0;
}

DnsAnswer *
dns_answer_parse(const uint8_t *packet, size_t len, int type)
{
    ns_msg message;
    if (len > 65535 || ns_initparse(packet, (int) len, &message) != 0)
        return dns_answer_new(DNS_AGAIN);
    int rcode = ns_msg_getflag(message, ns_f_rcode);
    if (rcode != ns_r_noerror && rcode != ns_r_nxdomain)
        return dns_answer_new(DNS_AGAIN);

    DnsAnswer *answer = dns_answer_new(DNS_NO_DATA);
    int64_t ttl = TTL_MAX;
    size_t bytes = 0;
    unsigned found = 0;
    int n = ns_msg_count(message, ns_s_an);
    for (int i = 0; i < n && found < DNS_MAX_RECORDS; i++) {
        ns_rr rr;
        char name[NS_MAXDNAME];
        if (ns_parserr(&message, ns_s_an, i, &rr) != 0) {
            answer->status = DNS_AGAIN;
            return answer;
        }
        const uint8_t *rdata = ns_rr_rdata(rr);
        size_t rdlen = ns_rr_rdlen(rr);
        if (ns_rr_type(rr) == ns_t_cname)
            ttl = MIN(ttl, (int64_t) ns_rr_ttl(rr));
        if ((int) ns_rr_type(rr) != type || ns_rr_class(rr) != ns_c_in)
            continue;

        DnsAddress address = { { 0 } };
        if ((type == ns_t_a && rdlen == 4) ||
            (type == ns_t_aaaa && rdlen == 16)) {
            memcpy(address.bytes, rdata, rdlen);
            g_array_append_val(answer->addresses, address);
        } else if (type == ns_t_txt && rdlen > 0 &&
                   (bytes += rdlen) <= DNS_MAX_BYTES) {
            g_ptr_array_add(answer->texts, join_strings(rdata, rdlen));
        } else if ((type == ns_t_mx && rdlen > 2) || type == ns_t_ptr) {
            if (ns_name_uncompress(packet, packet + len,
                                   rdata + (type == ns_t_mx ? 2 : 0), name,
                                   sizeof(name)) < 0)
                continue;
            g_ptr_array_add(answer->texts, g_strdup(name));
        } else {
            continue;
        }
        found++;
        ttl = MIN(ttl, (int64_t) ns_rr_ttl(rr));
    }
    if (found > 0) {
        answer->status = DNS_FOUND;
        answer->ttl = ttl;
    } else {
        answer->status =
            rcode == ns_r_nxdomain ? DNS_NO_SUCH_NAME : DNS_NO_DATA;
        answer->ttl = MIN(ttl, negative_ttl(&message));
    }
    return answer;
}

/* Reads or writes all of `len` bytes before `deadline`. */
static bool
stream_all(int fd, uint8_t *buffer, size_t len, bool send_it, int64_t deadline)
{
    while (len > 0) {
        int64_t left = (deadline - g_get_monotonic_time()) / 1000;
        struct pollfd ready = { .fd = fd,
                                .events = send_it ? POLLOUT : POLLIN };
        if (left <= 0 || poll(&ready, 1, (int) MIN(left, 60000)) <= 0)
            return false;
        ssize_t n = send_it ? send(fd, buffer, len, MSG_NOSIGNAL)
                            : recv(fd, buffer, len, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n <= 0)
            return false;
        buffer += n;
        len -= (size_t) n;
    }
    return true;
}

/* The question once more over TCP to the first name server of the state
 * (RFC 7766); the answer's length, 0 when that fails. */
static size_t
ask_by_tcp(const struct __res_state *state, const uint8_t *question,
           size_t question_len, uint8_t *answer, size_t size, int64_t deadline)
{
    const struct sockaddr *server =
        (const struct sockaddr *) &state->nsaddr_list[0];
    socklen_t server_len = sizeof(struct sockaddr_in);
    if (state->nsaddr_list[0].sin_family != AF_INET) {
        /* glibc keeps IPv6 servers aside. */
        server = (const struct sockaddr *) state->_u._ext.nsaddrs[0];
        server_len = sizeof(struct sockaddr_in6);
        if (server == NULL)
            return 0;
    }
    int fd = socket(server->sa_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;

    size_t result = 0;
    uint8_t length[2] = { (uint8_t) (question_len >> 8),
                          (uint8_t) question_len };
    g_autofree uint8_t *copy = g_memdup2(question, question_len);
    if ((connect(fd, server, server_len) == 0 || errno == EINPROGRESS) &&
        stream_all(fd, length, 2, true, deadline) &&
        stream_all(fd, copy, question_len, true, deadline) &&
        stream_all(fd, length, 2, false, deadline)) {
        size_t len = (size_t) length[0] << 8 | length[1];
        if (len >= NS_HFIXEDSZ && len <= size &&
            stream_all(fd, answer, len, false, deadline) &&
            answer[0] == question[0] && answer[1] == question[1])
            result = len;
    }
    (void) close(fd);
    return result;
}

/* An OPT record (RFC 6891): answers up to EDNS_BYTES without TCP. */
static size_t
append_opt(uint8_t *packet, size_t len, size_t size)
{
    static const uint8_t opt[] = {
        0, 0, ns_t_opt, EDNS_BYTES >> 8, EDNS_BYTES & 0xff, 0, 0, 0, 0, 0, 0
    };
    if (len < NS_HFIXEDSZ || size - len < sizeof(opt))
        return len;
    memcpy(packet + len, opt, sizeof(opt));
    packet[11] = (uint8_t) (packet[11] + 1); /* ARCOUNT */
    return len + sizeof(opt);
}

DnsAnswer *
dns_query(const char *name, int type, int64_t wait_ms)
{
    int64_t deadline = g_get_monotonic_time() + wait_ms * 1000;
    struct __res_state state;
    memset(&state, 0, sizeof(state));
    if (wait_ms <= 0 || res_ninit(&state) != 0)
        return dns_answer_new(DNS_AGAIN);

    /* Two rounds over all servers fit into what is left, or one. */
    int servers = MAX(state.nscount, 1);
    int seconds = (int) MIN(wait_ms / 1000, 60);
    state.retry = seconds >= 2 * servers ? 2 : 1;
    state.retrans = CLAMP(seconds / (state.retry * servers), 1, 3);
    /* IGNTC: truncated answers come to us, see ask_by_tcp(). */
    state.options |= RES_IGNTC;
    state.options &= ~(unsigned long) RES_USEVC;

    uint8_t question[NS_PACKETSZ];
    g_autofree uint8_t *packet = g_malloc(NS_MAXMSG);
    DnsAnswer *answer = NULL;
    int n = res_nmkquery(&state, ns_o_query, name, ns_c_in, type, NULL, 0, NULL,
                         question, sizeof(question));
    if (n > 0) {
        size_t len = append_opt(question, (size_t) n, sizeof(question));
        int got = res_nsend(&state, question, (int) len, packet, NS_MAXMSG);
        size_t answer_len = got > 0 ? (size_t) MIN(got, NS_MAXMSG) : 0;
        if (answer_len >= NS_HFIXEDSZ && (packet[2] & 0x02) != 0)
            answer_len =
                ask_by_tcp(&state, question, len, packet, NS_MAXMSG, deadline);
        if (answer_len >= NS_HFIXEDSZ)
            answer = dns_answer_parse(packet, answer_len, type);
    }
    res_nclose(&state);
    return answer != NULL ? answer : dns_answer_new(DNS_AGAIN);
}

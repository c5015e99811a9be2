/*
 * null_milter.c - a filter that does nothing, to compare with
 *
 *     null_milter SOCKET
 *
 * Negotiates just what contact-milter does: the same steps, the same no-reply
 * flags (on a unix socket), the same macros. What it costs the mail server is
 * the price of having a filter at all.
 */
#include <libmilter/mfapi.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool no_reply;

static sfsistat
answer(void)
{
    return no_reply ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat
negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
          unsigned long f2, unsigned long f3, unsigned long *out_actions,
          unsigned long *out_steps, unsigned long *out_f2,
          unsigned long *out_f3)
{
    (void) f2;
    (void) f3;
    static char connect[] = "i {daemon_name} {client_addr}";
    static char helo[] = "{daemon_name}";
    static char mail[] = "i {auth_authen}";
    static char id[] = "i";
    *out_actions = actions & SMFIF_SETSYMLIST;
    *out_steps |= steps & (SMFIP_HDR_LEADSPC | SMFIP_SKIP);
    if (no_reply)
        *out_steps |= steps & (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL |
                               SMFIP_NR_RCPT | SMFIP_NR_HDR);
    *out_f2 = *out_f3 = 0;
    (void) smfi_setsymlist(ctx, SMFIM_CONNECT, connect);
    (void) smfi_setsymlist(ctx, SMFIM_HELO, helo);
    (void) smfi_setsymlist(ctx, SMFIM_ENVFROM, mail);
    (void) smfi_setsymlist(ctx, SMFIM_ENVRCPT, id);
    (void) smfi_setsymlist(ctx, SMFIM_EOM, id);
    return SMFIS_CONTINUE;
}

static sfsistat
on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
    (void) ctx;
    (void) name;
    (void) address;
    return answer();
}

static sfsistat
on_helo(SMFICTX *ctx, char *name)
{
    (void) ctx;
    (void) name;
    return answer();
}

static sfsistat
on_address(SMFICTX *ctx, char **argv)
{
    (void) ctx;
    (void) argv;
    return answer();
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
    (void) ctx;
    (void) name;
    (void) value;
    return answer();
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *bytes, size_t len)
{
    (void) ctx;
    (void) bytes;
    (void) len;
    return SMFIS_CONTINUE;
}

static sfsistat
on_end(SMFICTX *ctx)
{
    (void) ctx;
    return SMFIS_CONTINUE;
}

int
main(int argc, char **argv)
{
    static char name[] = "null";
    if (argc != 2) {
        fputs("usage: null_milter SOCKET\n", stderr);
        return 64;
    }
    struct smfiDesc description = {
        .xxfi_name = name,
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFIF_SETSYMLIST,
        .xxfi_negotiate = negotiate,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_helo,
        .xxfi_envfrom = on_address,
        .xxfi_envrcpt = on_address,
        .xxfi_header = on_header,
        .xxfi_body = on_body,
        .xxfi_eom = on_end,
        .xxfi_abort = on_end,
        .xxfi_close = on_end,
    };
    no_reply = strncmp(argv[1], "unix:", 5) == 0;
    umask(0);
    if (smfi_register(description) != MI_SUCCESS ||
        smfi_setconn(argv[1]) != MI_SUCCESS ||
        smfi_opensocket(true) != MI_SUCCESS)
        return 69;
    return smfi_main() == MI_SUCCESS ? 0 : 70;
}

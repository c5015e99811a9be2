/*
 * ignore.h - mail that no person wrote to us: lists, bulk, automatic mail...
 *
 * Threads    pure.
 */
#ifndef IGNORE_H
#define IGNORE_H

#include "analysis/analysis.h"

/* The reason word (static: "list", "bulk", "auto", "noreply", "spam",
 * "internal", "notification"...) why the message makes no contact, or NULL
 * when a person wrote it. `body` may be NULL when only header fields should
 * decide. `envelope` is never NULL. */
const char *ignore_reason(const Message *message, const Body *body,
                          const Envelope *envelope,
                          const char *const *local_domains);

#endif

/*
 * reply.h - whose words are these? The author's own text apart from quotations
 *
 * Sets Line.zone of every line of a body: what is quoted, what was forwarded,
 * which lines introduce either.
 *
 * Threads    pure.
 * Limits     linear in the number of lines.
 */
#ifndef REPLY_H
#define REPLY_H

#include "message/body.h"

/* `subject` (may be NULL) tells replies from forwards where the text alone
 * does not. */
void reply_split(Body *body, const char *subject);

#endif

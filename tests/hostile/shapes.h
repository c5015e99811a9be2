/*
 * shapes.h - mails that were made to cost much
 *
 * Each is a beginning, a piece that is repeated until the mail has its size,
 * and an end. tests/hostile/test_hostile.c takes them the whole way, and
 * tests/bench/bench-worst measures them.
 */
#ifndef SHAPES_H
#define SHAPES_H

#include <glib.h>

typedef struct {
    const char *name;
    const char *head, *repeat, *tail;
} Shape;

extern const Shape shapes[];
extern const size_t n_shapes;

/* "%d" in the piece counts up. */
GString *shape_make(const Shape *shape, size_t size);

#endif

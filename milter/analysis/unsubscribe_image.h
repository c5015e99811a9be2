/*
 * unsubscribe_image.h - the built-in words of the unsubscribe rules, compiled
 * when the program was built
 *
 * compile_unsubscribe writes the image (unsubscribe_words_write()), and
 * unsubscribe_image.c holds it. The layout is that of the machine that builds;
 * unsubscribe_words.c checks it and compiles the words itself where it differs.
 */
#ifndef UNSUBSCRIBE_IMAGE_H
#define UNSUBSCRIBE_IMAGE_H

/* Aligned to 16 bytes; NULL: there is none. */
const char *unsubscribe_image(void);

#endif

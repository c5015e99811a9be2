/* unsubscribe_image.c - see unsubscribe_image.h */
#include "config.h"

#include "analysis/unsubscribe_image.h"

/* The assembler takes the file in: as C it would be megabytes of numbers. */
__asm__(".section .rodata\n"
        ".balign 4096\n"
        ".type unsubscribe_image_bytes, @object\n"
        "unsubscribe_image_bytes:\n"
        ".incbin \"" UNSUBSCRIBE_IMAGE "\"\n"
        ".size unsubscribe_image_bytes, . - unsubscribe_image_bytes\n"
        ".text\n");

extern const char unsubscribe_image_bytes[];

const char *
unsubscribe_image(void)
{
    return unsubscribe_image_bytes;
}

/* compile_unsubscribe.c - writes the image of the built-in words, see
 * unsubscribe_image.h; runs while the program is being built */
#include "config.h"

#include "analysis/unsubscribe_image.h"
#include "analysis/unsubscribe_words.h"

/* Not made yet. */
const char *
unsubscribe_image(void)
{
    return NULL;
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        (void) fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    TextFold *fold = text_fold_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(UnsubscribeWords) words =
        unsubscribe_words_new(fold, NULL, NULL, &error);
    if (words == NULL) {
        (void) fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    FILE *file = fopen(argv[1], "wb");
    bool written = file != NULL && unsubscribe_words_write(words, file);
    written = file != NULL && fclose(file) == 0 && written;
    if (!written)
        perror(argv[1]);
    text_fold_free(fold);
    return written ? 0 : 1;
}

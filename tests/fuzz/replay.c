/*
 * replay FOLDER... - a target without a fuzzer: plays every file of the folders, in order of names.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>

static int play_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    long size = ftell(f);
    rewind(f);
    uint8_t *bytes = malloc((size_t)size); /* exactly sized, so that a read beyond is seen */
    size_t got = fread(bytes, 1, (size_t)size, f);
    fclose(f);
    /* Said before, for nobody says it after a crash. */
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(bytes, got);
    free(bytes);
    return 0;
}

int main(int argc, char **argv)
{
    int status = argc > 1 ? 0 : 2;
    for (int i = 1; i < argc; i++) {
        struct dirent **entries;
        int count = scandir(argv[i], &entries, NULL, alphasort);
        if (count < 0) {
            fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
            return 2;
        }
        for (int k = 0; k < count; k++) {
            char path[4096];
            snprintf(path, sizeof(path), "%s/%s", argv[i], entries[k]->d_name);
            status |= entries[k]->d_name[0] != '.' ? play_file(path) : 0;
            free(entries[k]);
        }
        free(entries);
    }
    return status;
}

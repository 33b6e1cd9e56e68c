#include "base/alloc.h"
#include "capture/file.h"
#include "capture/source.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct path_list {
    char **items;
    size_t count;
    size_t capacity;
};

static void append(struct path_list *l, char *take_path)
{
    if (l->count == l->capacity) {
        l->capacity = l->capacity == 0 ? 8 : l->capacity * 2;
        l->items = hr_xrealloc(l->items, l->capacity * sizeof(*l->items));
    }
    l->items[l->count++] = take_path;
}

static char *join(const char *folder, const char *name)
{
    size_t len = strlen(folder);
    bool has_slash = len > 0 && folder[len - 1] == '/';
    char *path = NULL;
    if (asprintf(&path, "%s%s%s", folder, has_slash ? "" : "/", name) < 0) {
        hr_out_of_memory();
    }
    return path;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* @return whether the folder could be read; then its captures stand in the list */
static bool append_folder(struct path_list *l, const char *folder)
{
    DIR *d = opendir(folder);
    if (d == NULL) {
        return false;
    }
    size_t first = l->count;
    const struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        struct stat st;
        char *path = join(folder, e->d_name);
        /* Only regular files: opening a pipe that nobody writes to would wait without end. */
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && capture_file_is_capture(path)) {
            append(l, path);
        } else {
            free(path);
        }
    }
    closedir(d);
    if (l->count > first) {
        qsort(l->items + first, l->count - first, sizeof(*l->items), by_name);
    }
    return true;
}

int packet_paths_expand(const char *const *paths, size_t path_count, char ***ret_paths,
                        size_t *ret_count)
{
    struct path_list l = {0};
    for (size_t i = 0; i < path_count; i++) {
        struct stat st;
        bool is_folder =
            strcmp(paths[i], "-") != 0 && stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode);
        if (!is_folder || !append_folder(&l, paths[i])) {
            append(&l, hr_xstrdup(paths[i]));
        }
    }
    *ret_paths = l.items;
    *ret_count = l.count;
    return 0;
}

void packet_paths_free(char **paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(paths[i]);
    }
    free(paths);
}

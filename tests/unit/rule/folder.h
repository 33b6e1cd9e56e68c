/*
 * A folder of rules for a test: made, filled, and removed with all that is in it.
 */
#ifndef HR_TESTS_RULE_FOLDER_H
#define HR_TESTS_RULE_FOLDER_H

#include "base/buf.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct folder {
    char path[64];
};

static inline void folder_make(struct folder *f)
{
    snprintf(f->path, sizeof(f->path), "/tmp/headrace-rules-XXXXXX");
    if (mkdtemp(f->path) == NULL) {
        perror("mkdtemp");
        abort();
    }
}

static inline void folder_write(const struct folder *f, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", f->path, name);
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        perror(path);
        abort();
    }
}

static inline void folder_remove(struct folder *f)
{
    char path[512];
    DIR *dir = opendir(f->path);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        snprintf(path, sizeof(path), "%s/%s", f->path, e->d_name);
        if (e->d_name[0] != '.') {
            unlink(path);
        }
    }
    closedir(dir);
    rmdir(f->path);
}

/** Text of a rule of that id. */
static inline void folder_write_rule(const struct folder *f, const char *id, const char *title,
                                     const char *findings, const char *exercised)
{
    char name[128];
    struct hr_buf text;
    hr_buf_init(&text, SIZE_MAX);
    hr_buf_appendf(&text,
                   "/*\nid: %s\ntitle: %s\nseverity: low\nmeaning: M\nparameters:\n"
                   "  yields:\n    default: 1\n    help: How many.\n*/\n%s;\n%s;\n",
                   id, title, findings, exercised);
    snprintf(name, sizeof(name), "%s.sql", id);
    folder_write(f, name, hr_buf_str(&text));
    hr_buf_finish(&text);
}

/** Lines that an emit_error got. */
static inline void keep_line(const char *line, void *user)
{
    hr_buf_append_str(user, line);
    hr_buf_append_char(user, '\n');
}

#endif

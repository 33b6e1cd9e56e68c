/*
 * base/yaml.h - a YAML file as a tree whose every node knows its line, and checks that name the
 * file, the line and what was expected. The only file that includes the YAML library.
 * One document, no anchors or aliases, at most HR_YAML_LIMIT_BYTES, HR_YAML_DEPTH levels and
 * HR_YAML_KEYS keys in a mapping, which are compared with each other.
 */
#ifndef HR_BASE_YAML_H
#define HR_BASE_YAML_H

#include "base/buf.h"
#include "base/time.h"

#define HR_YAML_LIMIT_BYTES (4u * 1024 * 1024)
#define HR_YAML_DEPTH 32
#define HR_YAML_KEYS 1000

enum hr_yaml_kind {
    HR_YAML_SCALAR,
    HR_YAML_SEQUENCE,
    HR_YAML_MAPPING,
};

struct hr_yaml {
    enum hr_yaml_kind kind;
    unsigned line;         /* from 1 */
    struct hr_span text;   /* SCALAR, NUL-terminated behind len */
    bool quoted;           /* SCALAR in quotes or a block: "null" and "5" are then plain text */
    struct hr_span key;    /* of a mapping's member, NUL-terminated; empty otherwise */
    struct hr_yaml *child; /* first item or member, in file order */
    struct hr_yaml *next;  /* sibling */
};

struct hr_yaml_doc {
    const char *path;     /* as given; for messages */
    struct hr_yaml *root; /* NULL: an empty document */
    struct hr_buf error;  /* first error, "file:line: text"; empty: none */
    void *memory;
};

/**
 * @return 0; -errno where the file cannot be read; -EINVAL where it is not YAML. doc->error then
 *         says why; release with hr_yaml_finish() in every case. path must outlive doc.
 */
int hr_yaml_load(struct hr_yaml_doc *doc, const char *path);
/** The same from memory; path is only for messages. */
int hr_yaml_parse(struct hr_yaml_doc *doc, const char *path, struct hr_span text);
void hr_yaml_finish(struct hr_yaml_doc *doc);

/** Keeps the first error as "file:line: text". node may be NULL: then there is no line. @return -EINVAL */
int hr_yaml_fail(struct hr_yaml_doc *doc, const struct hr_yaml *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** @return the member, or NULL where node is no mapping or has none of that name */
const struct hr_yaml *hr_yaml_find(const struct hr_yaml *node, const char *key);
/** Refuses members not in the NULL-terminated list. @return 0 or -EINVAL with the error set */
int hr_yaml_check_keys(struct hr_yaml_doc *doc, const struct hr_yaml *node, const char *const keys[]);
/** @return 0, or -EINVAL with "expected a mapping" and the like */
int hr_yaml_expect(struct hr_yaml_doc *doc, const struct hr_yaml *node, enum hr_yaml_kind kind);
int hr_yaml_get_text(struct hr_yaml_doc *doc, const struct hr_yaml *node, const char **ret_text);
int hr_yaml_get_bool(struct hr_yaml_doc *doc, const struct hr_yaml *node, bool *ret_value);
int hr_yaml_get_int(struct hr_yaml_doc *doc, const struct hr_yaml *node, int64_t min, int64_t max,
                    int64_t *ret_value);
/** A number with ns, us, ms, s, min, h or d behind it. */
int hr_yaml_get_duration(struct hr_yaml_doc *doc, const struct hr_yaml *node, hr_nsec *ret_span);
/** One of a NULL-terminated list of words. @return 0 and its index, or -EINVAL naming the words */
int hr_yaml_get_word(struct hr_yaml_doc *doc, const struct hr_yaml *node, const char *const words[],
                     size_t *ret_index);

#endif

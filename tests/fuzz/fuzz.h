/*
 * fuzz/fuzz.h - what the targets share. An input is a row of records with FUZZ_MARK between them, so
 * that a mutation in one leaves the others what they are. Each is copied to a heap block of its
 * exact size, where every overread shows. A law that does not hold ends the process.
 */
#ifndef HR_TESTS_FUZZ_FUZZ_H
#define HR_TESTS_FUZZ_FUZZ_H

#include "base/alloc.h"
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#define FUZZ_MARK "~|~"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): a law is to hold in every build, and says what it is of. */
#define LAW(condition) fuzz_law((condition), #condition, __FILE__, __LINE__)

static inline void fuzz_law(bool holds, const char *what, const char *file, int line)
{
    if (!holds) {
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
        abort();
    }
}

struct fuzz_record {
    char *block; /* on the heap, with no byte behind it: free() it */
    struct hr_span bytes;
};

/** @return false: none left */
static inline bool fuzz_next(struct hr_span *rest, struct fuzz_record *ret_record)
{
    if (rest->ptr == NULL) {
        return false;
    }
    const char *mark = memmem(rest->ptr, rest->len, FUZZ_MARK, sizeof(FUZZ_MARK) - 1);
    size_t len = mark != NULL ? (size_t)(mark - rest->ptr) : rest->len;
    ret_record->block = malloc(len);
    if (len > 0) {
        memcpy(ret_record->block, rest->ptr, len);
    }
    ret_record->bytes = hr_span_of(ret_record->block, len);
    *rest = mark != NULL ? hr_span_slice(*rest, len + sizeof(FUZZ_MARK) - 1, rest->len)
                         : (struct hr_span){NULL, 0};
    return true;
}

/* Little-endian, and 0 behind the end. */
static inline uint8_t fuzz_u8(struct hr_span *s)
{
    uint8_t byte = s->len > 0 ? (uint8_t)s->ptr[0] : 0;
    *s = hr_span_slice(*s, 1, s->len);
    return byte;
}

static inline uint16_t fuzz_u16(struct hr_span *s)
{
    uint16_t low = fuzz_u8(s);
    return (uint16_t)(low | fuzz_u8(s) << 8);
}

static inline uint32_t fuzz_u32(struct hr_span *s)
{
    uint32_t low = fuzz_u16(s);
    return low | (uint32_t)fuzz_u16(s) << 16;
}

/** Reads every byte, and tells two outcomes apart. 64-bit FNV-1a. */
static inline void fuzz_mix(uint64_t *sum, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++) {
        *sum = (*sum ^ p[i]) * UINT64_C(0x100000001b3);
    }
}

static inline void fuzz_mix_number(uint64_t *sum, uint64_t number)
{
    fuzz_mix(sum, &number, sizeof(number));
}

static inline void fuzz_mix_span(uint64_t *sum, struct hr_span s)
{
    fuzz_mix_number(sum, s.len);
    fuzz_mix(sum, s.ptr, s.len);
}

/** Whether part is made of bytes of whole; an empty one may be anywhere. */
static inline bool fuzz_is_within(struct hr_span part, struct hr_span whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

/** A file in memory with these bytes: fuzz_file_close(). */
struct fuzz_file {
    int fd;
    char path[32];
};
void fuzz_file_open(struct fuzz_file *f, struct hr_span bytes);
void fuzz_file_close(struct fuzz_file *f);

#endif

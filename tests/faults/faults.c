/*
 * faults.so - loaded before a program, makes the system fail it. HEADRACE_FAULT is
 *
 *     KIND:NTH       the NTH call of that kind fails, from 1; after ":full" all writes behind it, too
 *     capture:BYTES  a file *.pcap gives no more than that, and then EIO
 *     noise:SEED     reads and writes are interrupted and short at random, which is no error
 *
 * HEADRACE_FAULT_COUNT names a file to which the number of calls of each kind is written at the end.
 */
#undef _FILE_OFFSET_BITS /* both names of each call are wanted, and they are functions of their own */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum kind {
    MEMORY,  /* malloc and its kin: ENOMEM */
    READ,    /* EIO */
    WRITE,   /* EIO */
    FULL,    /* ENOSPC, and so is every write behind it */
    SYNC,    /* EIO */
    NAME,    /* open, unlink, ftruncate: EIO */
    CAPTURE, /* EIO, behind as many bytes */
    NOISE,
    KINDS,
};

static const char *const names[KINDS] = {"memory", "read", "write",   "full",
                                         "sync",   "name", "capture", "noise"};

static struct {
    enum kind kind;
    unsigned long nth; /* 0: nothing fails */
    unsigned long seed;
} fault = {.kind = KINDS};
static atomic_ulong counts[KINDS];

__attribute__((constructor)) static void read_fault(void)
{
    const char *text = getenv("HEADRACE_FAULT");
    for (int k = 0; text != NULL && k < KINDS; k++) {
        size_t len = strlen(names[k]);
        if (strncmp(text, names[k], len) == 0 && text[len] == ':') {
            fault.nth = strtoul(text + len + 1, NULL, 10);
            fault.seed = fault.nth;
            fault.kind = (enum kind)k;
        }
    }
}

__attribute__((destructor)) static void write_counts(void)
{
    const char *path = getenv("HEADRACE_FAULT_COUNT");
    fault.kind = KINDS;
    FILE *f = path != NULL ? fopen(path, "w") : NULL;
    if (f == NULL) {
        return;
    }
    for (int k = 0; k < CAPTURE; k++) {
        fprintf(f, "%s %lu\n", names[k], counts[k]);
    }
    fclose(f);
}

/* Counts a call. @return whether it is to fail */
static bool fails(enum kind kind)
{
    unsigned long n = atomic_fetch_add(&counts[kind], 1) + 1;
    if (fault.kind != kind) {
        return false;
    }
    return kind == FULL ? n >= fault.nth : n == fault.nth;
}

/* @return 0: as asked; 1: interrupted; 2: short */
static int noise(void)
{
    static atomic_ulong calls;
    if (fault.kind != NOISE) {
        return 0;
    }
    uint64_t x = (atomic_fetch_add(&calls, 1) + fault.seed * 1000003) * UINT64_C(0x9e3779b97f4a7c15);
    x ^= x >> 31;
    return (int)(x % 5) == 1 ? 1 : (int)(x % 5) == 2 ? 2 : 0;
}

static size_t shorter(size_t len)
{
    return len > 1 ? len / 2 : len;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* --- memory: by glibc's own names, for dlsym() allocates ---------------------------------------- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    if (fails(MEMORY)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (fails(MEMORY)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    if (fails(MEMORY)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_realloc(old, size);
}

/* --- reads -------------------------------------------------------------------------------------- */

/* @return whether the call is over: failed with errno set; else *len may have become less */
static bool read_is_over(size_t *len)
{
    int odd = noise();
    if (fails(READ) || odd == 1) {
        errno = odd == 1 ? EINTR : EIO;
        return true;
    }
    *len = odd == 2 ? shorter(*len) : *len;
    return false;
}

static bool is_capture(int fd)
{
    char link[32];
    char path[1024];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof(path));
    return len > 5 && memcmp(path + len - 5, ".pcap", 5) == 0;
}

static ssize_t read_capture(int fd, void *to, size_t len)
{
    static atomic_ulong given;
    size_t left = fault.nth - given;
    if (left == 0) {
        errno = EIO;
        return -1;
    }
    ssize_t n = REAL(read)(fd, to, len < left ? len : left);
    given += n > 0 ? (unsigned long)n : 0;
    return n;
}

ssize_t read(int fd, void *to, size_t len)
{
    if (fault.kind == CAPTURE && is_capture(fd)) {
        return read_capture(fd, to, len);
    }
    return read_is_over(&len) ? -1 : REAL(read)(fd, to, len);
}

ssize_t pread64(int fd, void *to, size_t len, off64_t at)
{
    return read_is_over(&len) ? -1 : REAL(pread64)(fd, to, len, at);
}

ssize_t pread(int fd, void *to, size_t len, off_t at)
{
    return pread64(fd, to, len, at);
}

/* --- writes ------------------------------------------------------------------------------------- */

static bool write_is_over(size_t *len)
{
    int odd = noise();
    bool full = fails(FULL);
    if (fails(WRITE) || full || odd == 1) {
        errno = odd == 1 ? EINTR : full ? ENOSPC : EIO;
        return true;
    }
    *len = odd == 2 ? shorter(*len) : *len;
    return false;
}

ssize_t write(int fd, const void *from, size_t len)
{
    if (fd == STDERR_FILENO) { /* a message about it must get out */
        return REAL(write)(fd, from, len);
    }
    return write_is_over(&len) ? -1 : REAL(write)(fd, from, len);
}

ssize_t pwrite64(int fd, const void *from, size_t len, off64_t at)
{
    return write_is_over(&len) ? -1 : REAL(pwrite64)(fd, from, len, at);
}

ssize_t pwrite(int fd, const void *from, size_t len, off_t at)
{
    return pwrite64(fd, from, len, at);
}

/* --- what makes writes last, and files ---------------------------------------------------------- */

int fsync(int fd)
{
    if (fails(SYNC)) {
        errno = EIO;
        return -1;
    }
    return REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    if (fails(SYNC)) {
        errno = EIO;
        return -1;
    }
    return REAL(fdatasync)(fd);
}

int ftruncate64(int fd, off64_t len)
{
    if (fails(NAME)) {
        errno = EIO;
        return -1;
    }
    return REAL(ftruncate64)(fd, len);
}

int ftruncate(int fd, off_t len)
{
    return ftruncate64(fd, len);
}

int unlink(const char *path)
{
    if (fails(NAME)) {
        errno = EIO;
        return -1;
    }
    return REAL(unlink)(path);
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (fails(NAME)) {
        errno = EIO;
        return -1;
    }
    return REAL(open64)(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open64(path, flags, mode);
}

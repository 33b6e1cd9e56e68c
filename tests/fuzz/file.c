#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

void fuzz_file_open(struct fuzz_file *f, struct hr_span bytes)
{
    f->fd = memfd_create("fuzz", MFD_CLOEXEC);
    LAW(f->fd >= 0);
    LAW(write(f->fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
    snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
}

void fuzz_file_close(struct fuzz_file *f)
{
    close(f->fd);
}

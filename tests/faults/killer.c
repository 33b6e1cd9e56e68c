/*
 * killer.so - loaded before a program, ends it with SIGKILL at a chosen moment. A moment is a call
 * that reads or changes a file, or a step of an SQL statement, and is called by both:
 *
 *     pwrite tried.db-wal
 *     step INSERT INTO exchange
 *
 * HEADRACE_KILL=NTH:MOMENT ends it at the NTH such moment, from 1, before the call is made; a write
 * gets to its half first where NTH is odd, as a signal may cut it. HEADRACE_KILL_COUNT names a file
 * to which, when the program ends by itself, each moment is written in order of appearance, behind
 * the number of its calls.
 *
 * The cache of SQLite is made so small that pages are written all the time, as an import does that
 * is larger than the memory.
 */
#undef _FILE_OFFSET_BITS /* both names of each call are wanted, and they are functions of their    \
                            own */
#include <ctype.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { MOMENTS_MAX = 2048, NAME_BYTES = 96 };

static struct {
    char name[NAME_BYTES];
    unsigned long calls;
} moments[MOMENTS_MAX];
static size_t moment_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char *wanted = "";  /* the moment at which it ends, */
static unsigned long wanted_nth; /* and which of them; 0: none */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void read_kill(void)
{
    char *end = NULL;
    const char *text = getenv("HEADRACE_KILL");
    if (text != NULL) {
        wanted_nth = strtoul(text, &end, 10);
        wanted = *end == ':' ? end + 1 : end;
    }
}

__attribute__((destructor)) static void write_counts(void)
{
    const char *path = getenv("HEADRACE_KILL_COUNT");
    FILE *f = path != NULL ? fopen(path, "w") : NULL;
    if (f == NULL) {
        return;
    }
    size_t count = moment_count; /* writing them is none of them */
    for (size_t i = 0; i < count; i++) {
        fprintf(f, "%lu %s\n", moments[i].calls, moments[i].name);
    }
    fclose(f);
}

static void end_now(void)
{
    kill(getpid(), SIGKILL);
    for (;;) {
        pause();
    }
}

/* @return how often it has come, this time included */
static unsigned long count_moment(const char *name)
{
    size_t i = 0;
    pthread_mutex_lock(&lock);
    while (i < moment_count && strcmp(moments[i].name, name) != 0) {
        i++;
    }
    if (i == moment_count && i < MOMENTS_MAX) {
        snprintf(moments[i].name, NAME_BYTES, "%s", name);
        moment_count++;
    }
    unsigned long calls = i < MOMENTS_MAX ? ++moments[i].calls : 0;
    pthread_mutex_unlock(&lock);
    return calls;
}

/* @return whether this is the moment */
static bool is_time(const char *call, const char *path)
{
    char name[NAME_BYTES];
    const char *base = strrchr(path, '/');
    base = base != NULL ? base + 1 : path;
    snprintf(name, sizeof(name), "%s %s", call,
             strncmp(base, "etilqs", 6) == 0 ? "temporary" : base);
    unsigned long nth = count_moment(name);
    return nth == wanted_nth && strcmp(name, wanted) == 0;
}

static bool is_time_of(const char *call, int fd)
{
    char link[32];
    char path[1024];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof(path) - 1);
    path[len > 0 ? len : 0] = '\0';
    return is_time(call, path);
}

/* --- files --------------------------------------------------------------------------------------
 */

ssize_t read(int fd, void *to, size_t len)
{
    if (is_time_of("read", fd)) {
        end_now();
    }
    return REAL(read)(fd, to, len);
}

ssize_t pread64(int fd, void *to, size_t len, off64_t at)
{
    if (is_time_of("pread", fd)) {
        end_now();
    }
    return REAL(pread64)(fd, to, len, at);
}

ssize_t pread(int fd, void *to, size_t len, off_t at)
{
    return pread64(fd, to, len, at);
}

ssize_t write(int fd, const void *from, size_t len)
{
    if (is_time_of("write", fd)) {
        len = wanted_nth % 2 == 1 ? len / 2 : 0;
        if (len > 0 && REAL(write)(fd, from, len) < 0) {
            abort();
        }
        end_now();
    }
    return REAL(write)(fd, from, len);
}

ssize_t pwrite64(int fd, const void *from, size_t len, off64_t at)
{
    if (is_time_of("pwrite", fd)) {
        len = wanted_nth % 2 == 1 ? len / 2 : 0;
        if (len > 0 && REAL(pwrite64)(fd, from, len, at) < 0) {
            abort();
        }
        end_now();
    }
    return REAL(pwrite64)(fd, from, len, at);
}

ssize_t pwrite(int fd, const void *from, size_t len, off_t at)
{
    return pwrite64(fd, from, len, at);
}

int fsync(int fd)
{
    if (is_time_of("sync", fd)) {
        end_now();
    }
    return REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    if (is_time_of("sync", fd)) {
        end_now();
    }
    return REAL(fdatasync)(fd);
}

int ftruncate64(int fd, off64_t len)
{
    if (is_time_of("truncate", fd)) {
        end_now();
    }
    return REAL(ftruncate64)(fd, len);
}

int ftruncate(int fd, off_t len)
{
    return ftruncate64(fd, len);
}

int unlink(const char *path)
{
    if (is_time("unlink", path)) {
        end_now();
    }
    return REAL(unlink)(path);
}

int rename(const char *from, const char *to)
{
    if (is_time("rename", to)) {
        end_now();
    }
    return REAL(rename)(from, to);
}

/* --- statements ---------------------------------------------------------------------------------
 */

struct sqlite3;
struct sqlite3_stmt;
typedef int row_fn(void *user, int count, char **values, char **names);
const char *sqlite3_sql(struct sqlite3_stmt *q);
int sqlite3_step(struct sqlite3_stmt *q);
int sqlite3_exec(struct sqlite3 *db, const char *sql, row_fn *emit, void *user, char **ret_error);

int sqlite3_step(struct sqlite3_stmt *q)
{
    char text[64];
    size_t len = 0;
    const char *sql = REAL(sqlite3_sql)(q);
    for (; sql != NULL && *sql != '\0' && len < sizeof(text) - 1; sql++) {
        if (!isspace((unsigned char)*sql) || (len > 0 && text[len - 1] != ' ')) {
            text[len++] = *sql == '/' || isspace((unsigned char)*sql) ? ' ' : *sql;
        }
    }
    text[len] = '\0';
    if (is_time("step", text)) {
        end_now();
    }
    return REAL(sqlite3_step)(q);
}

int sqlite3_exec(struct sqlite3 *db, const char *sql, row_fn *emit, void *user, char **ret_error)
{
    int code = REAL(sqlite3_exec)(db, sql, emit, user, ret_error);
    if (strstr(sql, "PRAGMA cache_size") != NULL) {
        REAL(sqlite3_exec)(db, "PRAGMA cache_size = 16", NULL, NULL, NULL);
    }
    return code;
}

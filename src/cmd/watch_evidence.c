#include "cmd/watch_evidence.h"

#include "base/alloc.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "daemon/trust.h"
#include "evidence/evidence.h"
#include "store/read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the frames of one finding, in memory. */
#define EVIDENCE_BYTES ((size_t)64 * 1024 * 1024)
#define BUSY_TIMEOUT_MS 1000
/* The last frames may still be on their way to the ring. */
#define TRIES 4
#define PAUSE_US (200 * 1000)

struct evidence_sink {
    struct watch_evidence_config config;
    struct store *store; /* the thread's own; NULL: not open */
    atomic_bool is_hurried;
};

/* --- one finding ------------------------------------------------------------------------------ */

struct file {
    int fd;
    int error; /* negative errno of the first failed write; 0 */
};

static void write_bytes(struct hr_span bytes, void *user)
{
    struct file *f = user;
    while (f->error == 0 && bytes.len > 0) {
        ssize_t n = write(f->fd, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR) {
            f->error = -errno;
        }
        n = n > 0 ? n : 0;
        bytes = hr_span_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
}

/* Under its name only when it is whole. */
static int write_file(const char *path, const struct evidence *e)
{
    struct hr_buf part;
    hr_buf_init(&part, SIZE_MAX);
    hr_buf_appendf(&part, "%s.part", path);
    unlink(hr_buf_str(&part)); /* of one that was killed */
    struct file f = {
        .fd = open(hr_buf_str(&part), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (f.fd < 0) {
        f.error = -errno;
    } else {
        evidence_write(e, write_bytes, &f);
        f.error = close(f.fd) < 0 && f.error == 0 ? -errno : f.error;
        f.error = f.error == 0 && rename(hr_buf_str(&part), path) < 0 ? -errno : f.error;
        if (f.error < 0) {
            unlink(hr_buf_str(&part));
        }
    }
    hr_buf_finish(&part);
    return f.error;
}

/* A database can hold anything, and this becomes the name of a file. */
static int append_path(const struct finding_view *f, void *user)
{
    if (f->fingerprint == NULL || f->fingerprint[0] == '\0' ||
        f->fingerprint[strspn(f->fingerprint, "0123456789abcdef")] != '\0') {
        return -EBADMSG;
    }
    hr_buf_appendf(user, "/%s.pcapng", f->fingerprint);
    return 0;
}

/* @return as evidence_cut(); *ret_is_whole: nothing of it is missing in the ring */
static int cut(const struct evidence_sink *e, int64_t finding, struct evidence *ret_evidence,
               bool *ret_is_whole)
{
    const struct cmd_args *args = e->config.args;
    const struct evidence_job job = {
        .store = e->store,
        .findings = &finding,
        .finding_count = 1,
        .ring = e->config.ring,
        .decode = &args->config.decode,
        .tcp = &args->config.tcp,
        .http = &args->config.http,
        .bytes_limit = EVIDENCE_BYTES,
    };
    struct evidence_result done;
    struct hr_buf error;
    hr_buf_init(&error, SIZE_MAX);
    int r = evidence_cut(&job, ret_evidence, &done, &error);
    *ret_is_whole = r == 0 && error.len == 0;
    hr_buf_finish(&error);
    return r;
}

static int cut_to_file(struct evidence_sink *e, int64_t finding, const char *path)
{
    int r = 0;
    bool is_done = false;
    for (int i = 1; !is_done; i++) {
        struct evidence evidence;
        bool is_whole;
        r = cut(e, finding, &evidence, &is_whole);
        bool may_come = r == -ESTALE || r == -ENODATA || (r == 0 && !is_whole);
        is_done = !may_come || i == TRIES;
        if (!is_done && atomic_load(&e->is_hurried)) {
            r = -EBUSY;
            is_done = true;
        }
        if (r == -ENOENT) { /* pruned, or withdrawn, meanwhile */
            r = 0;
        } else if (is_done && r == 0) {
            r = write_file(path, &evidence);
        }
        evidence_finish(&evidence);
        if (!is_done) {
            usleep(PAUSE_US);
        }
    }
    return r;
}

static int open_own_store(struct evidence_sink *e)
{
    const struct store_config config = {.path = e->config.db,
                                        .mode = STORE_READ,
                                        .busy_timeout_ms = BUSY_TIMEOUT_MS,
                                        .key = e->config.key};
    int r = e->store == NULL ? store_open(&config, &e->store) : 0;
    if (r < 0) {
        store_close(e->store);
        e->store = NULL;
    }
    return r;
}

/* What the alert says first, after the schema's number. */
static bool find_id(struct hr_span body, int64_t *ret_id)
{
    char text[64];
    long long id = 0;
    size_t len = body.len < sizeof(text) - 1 ? body.len : sizeof(text) - 1;
    memcpy(text, body.ptr, len);
    text[len] = '\0';
    if (sscanf(text, "{\"schema\":%*d,\"id\":%lld", &id) != 1) {
        return false;
    }
    *ret_id = id;
    return true;
}

static int send_evidence(void *state, struct hr_span body, struct hr_buf *reason)
{
    struct evidence_sink *e = state;
    struct hr_buf path;
    int64_t finding;
    if (!find_id(body, &finding)) {
        return -EBADMSG;
    }
    hr_buf_init(&path, SIZE_MAX);
    hr_buf_append_str(&path, e->config.args->evidence_dir);
    const size_t folder_len = path.len;
    int r = open_own_store(e);
    r = r == 0 ? read_finding(e->store, finding, append_path, &path) : r;
    if (r == 0 && path.len > folder_len) { /* else it was pruned meanwhile */
        r = cut_to_file(e, finding, hr_buf_str(&path));
    }
    hr_buf_finish(&path);
    switch (r) {
    case -ESTALE:
    case -ENODATA:
        hr_buf_append_str(reason, "its frames are not kept any more");
        return -ENODATA;
    case -EBADMSG:
        hr_buf_append_str(reason, "the database holds no fingerprint of it");
        return r;
    case -ENOSPC:
    case -EDQUOT:
    case -EBUSY:
        return -r;
    default:
        return r;
    }
}

static void close_evidence(void *state)
{
    struct evidence_sink *e = state;
    if (e->store != NULL) {
        store_close(e->store);
    }
    free(e);
}

static void hurry_evidence(void *state)
{
    struct evidence_sink *e = state;
    atomic_store(&e->is_hurried, true);
}

static const struct sink_kind kind = {
    .prefix = "evidence:",
    .what = "evidence",
    .send = send_evidence,
    .hurry = hurry_evidence,
    .close = close_evidence,
};

/* --- opening ---------------------------------------------------------------------------------- */

static int fail(const char *folder, int error)
{
    hr_error("evidence cannot be written to %s: %s", folder, strerror(error));
    return CMD_DATABASE;
}

int watch_evidence_open(const struct watch_evidence_config *config, struct sink **ret_sink)
{
    const char *folder = config->args->evidence_dir;
    *ret_sink = NULL;
    if (folder == NULL) {
        return -1;
    }
    if (config->ring == NULL) {
        return cmd_usage_error("watch", "--evidence-dir goes with --keep SIZE or SPAN");
    }
    int r = trust_make_folder(folder, config->uid, config->gid);
    if (r < 0) {
        return fail(folder, -r);
    }
    struct evidence_sink *e = hr_xcalloc(1, sizeof(*e));
    e->config = *config;
    *ret_sink = sink_open_as(&kind, folder, e);
    return -1;
}

int watch_evidence_check(const struct cmd_args *args)
{
    const char *folder = args->evidence_dir;
    return folder != NULL && access(folder, W_OK | X_OK) < 0 ? fail(folder, errno) : -1;
}

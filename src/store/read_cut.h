/*
 * store/read_cut.h - where in which captures the exchanges of a finding lie: what cutting the
 * evidence out of them needs. Rows as in store/read.h.
 */
#ifndef HR_STORE_READ_CUT_H
#define HR_STORE_READ_CUT_H

#include "store/read.h"

struct cut_exchange {
    int64_t id;
    unsigned ordinal;
    int64_t import; /* number of the import whose captures hold it */
    int64_t stream_id;
    int64_t capture_id; /* of the stream's first frame */
    int64_t stream;     /* its number there */
    hr_nsec stream_first_at;
    hr_nsec stream_last_at;
    int64_t request_capture_id; /* 0: no request was captured */
    int64_t request_frame;
    int64_t response_capture_id; /* 0: no response */
    int64_t response_frame;
    const char *method; /* NULL: no request */
    const char *target; /* redacted and escaped */
    int status;         /* 0: no response */
    const char *client; /* IP addresses */
    int client_port;
    const char *server;
    int server_port;
};
/** @return -ENOENT where there is none */
int read_cut_exchange(struct store *s, int64_t exchange_id,
                      int (*row)(const struct cut_exchange *x, void *user), void *user);

/** The session that a finding is about, 0 where it is about none, and when. */
int read_cut_session(struct store *s, int64_t finding_id, int64_t *ret_session, hr_nsec *ret_at);
/** Logins and acknowledged logouts of a session in order of time. */
int read_cut_bounds(struct store *s, int64_t session_id,
                    int (*row)(int64_t exchange_id, bool is_login, hr_nsec at, void *user),
                    void *user);

/**
 * The connections in other captures that those of the streams go on with: where each began. Of the
 * rows id, ordinal, request and response are 0.
 */
int read_cut_openings(struct store *s, const int64_t *stream_ids, size_t count,
                      int (*row)(const struct cut_exchange *x, void *user), void *user);

struct cut_capture {
    int64_t id;
    const char *path; /* as given */
    uint64_t frames;
    hr_nsec first_at;
    hr_nsec last_at;
    hr_nsec clock_doubt;
    bool has_head; /* of the digest; false: it held no frame */
    struct hr_digest head;
};
/** The captures of one import in the order in which they were given. */
int read_cut_captures(struct store *s, int64_t import,
                      int (*row)(const struct cut_capture *c, void *user), void *user);

#endif

/*
 * POST to a web hook, by libcurl: 2xx is success; 408, 429 and 5xx, like a server that does not
 * answer, may help later; anything else will not. Nothing is followed: a redirect is no success.
 */
#include "base/alloc.h"
#include "daemon/sink.h"

#include <errno.h>
#include <stdlib.h>

#ifdef HR_HAS_CURL
#include <curl/curl.h>
#include <stdatomic.h>

#define CONNECT_MS 3000L
#define WHOLE_MS 10000L

struct http_state {
    CURL *curl;
    struct curl_slist *fields;
    char *url;
    atomic_bool is_hurried;
};

static size_t ignore_answer(char *bytes, size_t size, size_t count, void *user)
{
    (void)bytes;
    (void)user;
    return size * count;
}

static void close_http(void *state)
{
    struct http_state *h = state;
    curl_slist_free_all(h->fields);
    curl_easy_cleanup(h->curl);
    free(h->url);
    free(h);
}

static int abort_if_hurried(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct http_state *h = user;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return atomic_load(&h->is_hurried);
}

static int check_url(const char *url, struct hr_buf *error)
{
    CURLU *parts = curl_url();
    CURLUcode code =
        parts != NULL ? curl_url_set(parts, CURLUPART_URL, url, 0) : CURLUE_OUT_OF_MEMORY;
    curl_url_cleanup(parts);
    if (code != CURLUE_OK) {
        hr_buf_appendf(error, "--alert %s: %s", url, curl_url_strerror(code));
    }
    return code == CURLUE_OK ? 0 : -EINVAL;
}

static void set_options(struct http_state *h)
{
    h->fields = curl_slist_append(h->fields, "Content-Type: application/json");
    h->fields = curl_slist_append(h->fields, "Expect:");
    curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->fields);
    curl_easy_setopt(h->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(h->curl, CURLOPT_TIMEOUT_MS, WHOLE_MS);
    curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, ignore_answer);
    curl_easy_setopt(h->curl, CURLOPT_USERAGENT, "headrace");
    curl_easy_setopt(h->curl, CURLOPT_XFERINFOFUNCTION, abort_if_hurried);
    curl_easy_setopt(h->curl, CURLOPT_XFERINFODATA, h);
    curl_easy_setopt(h->curl, CURLOPT_NOPROGRESS, 0L);
}

static int open_url(void **ret_state, const char *scheme, const char *rest, struct hr_buf *error)
{
    struct http_state *h = hr_xcalloc(1, sizeof(*h));
    struct hr_buf url;
    hr_buf_init(&url, SIZE_MAX);
    hr_buf_appendf(&url, "%s%s", scheme, rest);
    h->url = hr_xstrdup(hr_buf_str(&url));
    hr_buf_finish(&url);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    h->curl = curl_easy_init();
    int r = check_url(h->url, error);
    if (r == 0 && (h->curl == NULL || curl_easy_setopt(h->curl, CURLOPT_URL, h->url) != CURLE_OK)) {
        hr_buf_appendf(error, "libcurl cannot use %s", h->url);
        r = -EINVAL;
    }
    if (r < 0) {
        close_http(h);
        return r;
    }
    set_options(h);
    *ret_state = h;
    return 0;
}

static int open_http(void **ret_state, const char *rest, struct runner *runner,
                     struct hr_buf *error)
{
    (void)runner;
    return open_url(ret_state, "http://", rest, error);
}

static int open_https(void **ret_state, const char *rest, struct runner *runner,
                      struct hr_buf *error)
{
    (void)runner;
    return open_url(ret_state, "https://", rest, error);
}

static int send_http(void *state, struct hr_span body, struct hr_buf *reason)
{
    struct http_state *h = state;
    long status = 0;
    curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE, (long)body.len);
    curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, body.ptr);
    CURLcode code = curl_easy_perform(h->curl);
    if (code == CURLE_OK) {
        curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
    }
    if (status >= 200 && status < 300) {
        return 0;
    }
    if (code != CURLE_OK) {
        hr_buf_append_str(reason, curl_easy_strerror(code));
        return EAGAIN;
    }
    hr_buf_appendf(reason, "the answer was %ld", status);
    return status == 408 || status == 429 || status >= 500 ? EAGAIN : -EPROTO;
}

static void hurry_http(void *state)
{
    struct http_state *h = state;
    atomic_store(&h->is_hurried, true);
}

#else

static int no_http(void **ret_state, const char *rest, struct runner *runner, struct hr_buf *error)
{
    (void)ret_state;
    (void)rest;
    (void)runner;
    hr_buf_append_str(error, "this headrace was built without libcurl: it cannot send alerts by "
                             "HTTP; build it where libcurl is installed");
    return -ENOTSUP;
}

#define open_http no_http
#define open_https no_http
#define send_http NULL
#define hurry_http NULL
#define close_http NULL
#endif

const struct sink_kind sink_kind_http = {
    .prefix = "http://",
    .what = "alerts",
    .open = open_http,
    .send = send_http,
    .hurry = hurry_http,
    .close = close_http,
};
const struct sink_kind sink_kind_https = {
    .prefix = "https://",
    .what = "alerts",
    .open = open_https,
    .send = send_http,
    .hurry = hurry_http,
    .close = close_http,
};

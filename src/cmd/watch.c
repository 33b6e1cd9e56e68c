/*
 * The order matters: interfaces and files that only root may open come first, then everything that
 * is not needed any more is given up, then threads are made.
 */
#include "daemon/watch.h"

#include "base/alloc.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "cmd/run.h"
#include "cmd/watch_evidence.h"
#include "cmd/watch_keep.h"
#include "daemon/metrics.h"
#include "daemon/runner.h"
#include "daemon/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INTERFACE_LIMIT 16

static const enum cmd_option options[] = {
    OPT_INTERFACE,     OPT_READ,
    OPT_REALTIME,      OPT_DB_KEEP,
    OPT_KEY_FILE,      OPT_RULES,
    OPT_PROFILE,       OPT_SUPPRESSIONS,
    OPT_FILTER,        OPT_SNAPLEN,
    OPT_BUFFER,        OPT_PROMISC,
    OPT_ALERT,         OPT_ALERT_SEVERITY,
    OPT_ALERT_ON_LOSS, OPT_REPEAT,
    OPT_RETAIN,        OPT_METRICS,
    OPT_RUN_AS,        OPT_NO_UI,
    OPT_RING_KEEP,     OPT_RING,
    OPT_EVIDENCE_DIR,  OPT_ONLY_RULE,
    OPT_NO_RULE,       OPT_SET,
    OPT_CLOCK_ERROR,   OPT_VERIFY_CHECKSUMS,
    OPT_REDACT_USERS,  OPT_BOUNDS,
    OPT_END,
};
static const struct cmd_usage usage = {
    .name = "watch",
    .synopsis = "[OPTIONS] -i IFACE...\n[OPTIONS] -r CAPTURE... [--realtime]",
    .summary =
        "Listens on network interfaces, stores what it sees and writes a line of JSON for each\n"
        "finding as soon as it is one, until SIGINT or SIGTERM. SIGHUP reads rules, profiles and\n"
        "suppressions anew, SIGUSR1 writes statistics to standard error.",
    .options = options,
    .see = "headrace-watch",
};

struct watch_command {
    struct cmd_run run;
    struct cmd_run next; /* loaded, and on its way to take the place of that */
    const struct cmd_args *args;
    const char *db;
    char *real_db;   /* where its name leads */
    char **captures; /* names */
    size_t capture_count;
    uid_t uid;
    gid_t gid;
    int signals;
    struct notify *notify;
    struct cmd_words programs; /* of exec: */
    struct runner *runner;
    struct sink **sinks;
    size_t sink_count;
    struct sink *evidence; /* one of them; NULL: none is asked for */
    struct feed *feed;
    struct metrics *metrics; /* NULL: nobody asks */
    struct stats *stats;
    bool are_stats_lent;   /* to a screen that goes on until the process ends */
    struct screen *screen; /* NULL: plain lines */
    struct watch_keep keep;
};

/* --- what is asked for ------------------------------------------------------------------------ */

static int check_source(const struct cmd_args *args)
{
    if (args->operand_count > 0) {
        return cmd_usage_error("watch", "%s: captures are read with -r, interfaces named with -i",
                               args->operands[0]);
    }
    if ((args->interfaces.count > 0) == (args->files.count > 0)) {
        return cmd_usage_error("watch", "give -i IFACE or -r CAPTURE, one of the two");
    }
    if (args->realtime && args->files.count == 0) {
        return cmd_usage_error("watch", "--realtime goes with -r");
    }
    if (args->interfaces.count > INTERFACE_LIMIT) {
        return cmd_usage_error("watch", "at most %d interfaces", INTERFACE_LIMIT);
    }
    if (args->snaplen > 262144 || args->buffer_bytes > INT32_MAX) {
        return cmd_usage_error("watch", "--snaplen is at most 256K, --buffer below 2G");
    }
    return -1;
}

static const char *database_of(const struct cmd_args *args)
{
    const char *from_environment = getenv("HEADRACE_DB");
    if (args->db != NULL) {
        return args->db;
    }
    return from_environment != NULL && from_environment[0] != '\0' ? from_environment
                                                                   : "headrace.db";
}

static int name_captures(struct watch_command *w)
{
    const struct cmd_args *args = w->args;
    if (args->files.count > 0) {
        int r = cmd_run_expand_captures(&w->run, (char **)args->files.items, args->files.count);
        w->captures = w->run.captures;
        w->capture_count = w->run.capture_count;
        return r;
    }
    w->captures = (char **)args->interfaces.items;
    w->capture_count = args->interfaces.count;
    return -1;
}

/* --- what only a privileged process may do ---------------------------------------------------- */

static int create_runner(struct watch_command *w)
{
    const struct cmd_words *alerts = &w->args->alerts;
    struct runner_config config = {.uid = w->uid, .gid = w->gid};
    for (size_t i = 0; i < alerts->count; i++) {
        if (strncmp(alerts->items[i], "exec:", 5) == 0) {
            cmd_words_add(&w->programs, alerts->items[i] + 5);
        }
    }
    config.programs = w->programs.items;
    config.program_count = w->programs.count;
    return w->programs.count > 0 ? runner_create(&config, &w->runner) : 0;
}

static void create_screen(struct watch_command *w)
{
    struct hr_buf source;
    hr_buf_init(&source, SIZE_MAX);
    for (size_t i = 0; i < w->capture_count; i++) {
        hr_buf_appendf(&source, "%s%s", i > 0 ? ", " : "", w->captures[i]);
    }
    w->screen = w->args->no_ui ? NULL : screen_create(hr_buf_str(&source));
    hr_buf_finish(&source);
}

static int prepare_process(struct watch_command *w)
{
    if (trust_find_user(w->args->run_as, &w->uid, &w->gid) < 0) {
        return cmd_usage_error("watch", "there is no user %s", w->args->run_as);
    }
    w->notify = notify_create();
    create_screen(w);
    int r = create_runner(w);
    if (r < 0) {
        hr_error("a process for exec: cannot be made: %s", strerror(-r));
        return CMD_DATABASE;
    }
    w->signals = watch_block_signals();
    if (w->signals < 0) {
        hr_error("signals cannot be waited for: %s", strerror(-w->signals));
        return CMD_DATABASE;
    }
    return -1;
}

static int open_feed(struct watch_command *w)
{
    const struct cmd_args *args = w->args;
    struct hr_buf error;
    hr_buf_init(&error, SIZE_MAX);
    struct live_config live = {
        .interfaces = (const char *const *)w->captures,
        .interface_count = w->capture_count,
        .filter = args->filter,
        .snap_bytes = (int)args->snaplen,
        .buffer_bytes = (int)args->buffer_bytes,
        .promiscuous = args->promisc,
    };
    struct packet_source_config files = {.paths = (const char *const *)w->captures,
                                         .path_count = w->capture_count,
                                         .filter = args->filter};
    int r = args->files.count > 0 ? feed_open_files(&files, args->realtime, &w->feed, &error)
                                  : feed_open_live(&live, &w->feed, &error);
    if (r < 0) {
        hr_error("%s", error.len > 0 ? hr_buf_str(&error) : strerror(-r));
    }
    hr_buf_finish(&error);
    return r == 0 ? -1 : r == -EINVAL ? CMD_USAGE : CMD_CAPTURE;
}

static int open_sinks(struct watch_command *w)
{
    const struct cmd_words *alerts = &w->args->alerts;
    int r = 0;
    w->sinks = hr_xcalloc(alerts->count + 2, sizeof(struct sink *)); /* and evidence */
    for (size_t i = 0; r == 0 && i <= alerts->count; i++) {
        const char *spec = i == 0 ? "stdout" : alerts->items[i - 1];
        struct hr_buf error;
        if (i > 0 ? strcmp(spec, "stdout") == 0 : w->screen != NULL) {
            continue; /* always there, but where the screen is */
        }
        hr_buf_init(&error, SIZE_MAX);
        r = sink_open(spec, w->runner, &w->sinks[w->sink_count], &error);
        w->sink_count += r == 0;
        if (r < 0) {
            r = cmd_usage_error("watch", "%s", hr_buf_str(&error));
        }
        hr_buf_finish(&error);
    }
    return r == 0 ? -1 : r;
}

/* What root made is for who goes on: a file of its own, not what a link of somebody else leads to.
 */
static int hand_over(const struct watch_command *w, const char *path)
{
    struct stat st;
    if (geteuid() != 0 || w->uid == 0) {
        return -1;
    }
    /* Not opened in earnest: closing that would undo SQLite's locks. */
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
    if (r == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
        fchownat(fd, "", w->uid, w->gid, AT_EMPTY_PATH) < 0) {
        r = -errno;
    }
    if (fd >= 0) {
        close(fd);
    }
    if (r == 0 || r == -ENOENT) {
        return -1;
    }
    hr_error("%s cannot be given to the user who goes on: %s", path, strerror(-r));
    return CMD_DATABASE;
}

/* The files that SQLite needs are made while that is allowed. */
static int open_store(struct watch_command *w)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    int r = cmd_run_open_new(&w->run, w->db);
    r = r < 0 ? cmd_run_store_suppressions(&w->run) : r;
    if (r < 0 && (store_begin(w->run.store) < 0 || store_commit(w->run.store) < 0)) {
        r = cmd_store_failed(w->run.store);
    }
    if (r < 0) {
        w->real_db = realpath(w->db, NULL);
        r = w->real_db == NULL ? cmd_store_failed(w->run.store) : r;
    }
    for (size_t i = 0; r < 0 && i < HR_ARRAY_LEN(suffixes); i++) {
        struct hr_buf path;
        hr_buf_init(&path, SIZE_MAX);
        hr_buf_appendf(&path, "%s%s", w->real_db, suffixes[i]);
        r = hand_over(w, hr_buf_str(&path));
        hr_buf_finish(&path);
    }
    return r;
}

static int hand_over_alerts(const struct watch_command *w)
{
    int r = -1;
    for (size_t i = 0; r < 0 && i < w->args->alerts.count; i++) {
        const char *spec = w->args->alerts.items[i];
        r = strncmp(spec, "file:", 5) == 0 ? hand_over(w, spec + 5) : -1;
    }
    return r;
}

static int open_keep(struct watch_command *w)
{
    return watch_keep_open(&w->keep, &(struct watch_keep_config){
                                         .args = w->args,
                                         .real_db = w->real_db,
                                         .captures = (const char *const *)w->captures,
                                         .capture_count = w->capture_count,
                                         .uid = w->uid,
                                         .gid = w->gid,
                                     });
}

static int open_evidence(struct watch_command *w)
{
    const struct watch_evidence_config config = {
        .args = w->args,
        .db = w->real_db,
        .ring = w->keep.folder,
        .key = store_key(w->run.store),
        .uid = w->uid,
        .gid = w->gid,
    };
    int r = watch_evidence_open(&config, &w->evidence);
    if (w->evidence != NULL) {
        w->sinks[w->sink_count++] = w->evidence;
    }
    return r;
}

/* The terminal's description may be in a folder of root's. */
static int open_screen(struct watch_command *w)
{
    int r = w->screen != NULL ? screen_open(w->screen) : 0;
    if (r < 0) {
        hr_error("no screen can be shown here: %s; --no-ui gives plain lines", strerror(-r));
        return CMD_DATABASE;
    }
    return -1;
}

/* --- giving up what is not needed ------------------------------------------------------------- */

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    char *folder = hr_xstrdup(len > 0 ? path : ".");
    if (len > 0) {
        folder[len] = '\0';
    }
    return folder;
}

static void allow_folder(struct cmd_words *words, char **kept, size_t *count, const char *path)
{
    kept[*count] = folder_of(path);
    cmd_words_add(words, kept[(*count)++]);
}

static bool needs_network(const struct cmd_args *args)
{
    for (size_t i = 0; i < args->alerts.count; i++) {
        if (strncmp(args->alerts.items[i], "http", 4) == 0 ||
            strcmp(args->alerts.items[i], "syslog") == 0) {
            return true;
        }
    }
    return false;
}

/* What the kernel, the C library and libcurl are read from. */
static void list_system_paths(const struct cmd_args *args, struct cmd_words *read)
{
    static const char *const always[] = {"/usr",           "/lib",         "/proc",
                                         "/sys/class/net", "/sys/devices", "/etc/localtime",
                                         "/etc/terminfo"};
    static const char *const network[] = {"/etc", "/run"};
    for (size_t i = 0; i < HR_ARRAY_LEN(always); i++) {
        cmd_words_add(read, always[i]);
    }
    for (size_t i = 0; needs_network(args) && i < HR_ARRAY_LEN(network); i++) {
        cmd_words_add(read, network[i]);
    }
    cmd_words_add(read, rule_builtin_folder());
}

/* Folders rather than files: a file that is replaced is another file. */
static void list_paths(const struct watch_command *w, struct cmd_words *read,
                       struct cmd_words *write, char **kept, size_t *count)
{
    const struct cmd_args *args = w->args;
    list_system_paths(args, read);
    for (size_t i = 0; i < args->rule_folders.count; i++) {
        cmd_words_add(read, args->rule_folders.items[i]);
    }
    for (size_t i = 0; i < args->profiles.count; i++) {
        allow_folder(read, kept, count, args->profiles.items[i]);
    }
    for (size_t i = 0; args->files.count > 0 && i < w->capture_count; i++) {
        allow_folder(read, kept, count, w->captures[i]);
    }
    if (args->suppressions != NULL) {
        allow_folder(read, kept, count, args->suppressions);
    }
    allow_folder(write, kept, count, w->real_db);
    watch_keep_list_paths(&w->keep, write);
    if (args->evidence_dir != NULL) {
        cmd_words_add(write, args->evidence_dir);
    }
    for (size_t i = 0; i < args->alerts.count; i++) {
        if (strncmp(args->alerts.items[i], "file:", 5) == 0) {
            allow_folder(write, kept, count, args->alerts.items[i] + 5);
        }
    }
}

/* Where SQLite makes its temporary files: the first of these in which whoever goes on may. */
static void list_scratch(const struct watch_command *w, struct cmd_words *scratch)
{
    const char *const folders[] = {getenv("SQLITE_TMPDIR"), getenv("TMPDIR"), "/var/tmp",
                                   "/usr/tmp", "/tmp"};
    for (size_t i = 0; scratch->count == 0 && i < HR_ARRAY_LEN(folders); i++) {
        struct stat st;
        if (folders[i] != NULL && stat(folders[i], &st) == 0 && S_ISDIR(st.st_mode) &&
            (st.st_mode & (st.st_uid == w->uid ? S_IWUSR : S_IWOTH)) != 0) {
            cmd_words_add(scratch, folders[i]);
        }
    }
}

static int confine_to(struct watch_command *w, struct trust_needs *needs)
{
    int fds[INTERFACE_LIMIT];
    struct hr_buf error;
    bool has_landlock = false;
    hr_buf_init(&error, SIZE_MAX);
    needs->packet_fds = fds;
    for (size_t i = 0; feed_is_live(w->feed) && i < w->capture_count; i++) {
        fds[needs->packet_fd_count++] = feed_fd(w->feed, i);
    }
    needs->network = needs_network(w->args);
    needs->serves = w->metrics != NULL;
    int r = trust_drop(w->uid, w->gid, &error);
    r = r == 0 ? trust_confine(needs, &has_landlock, &error) : r;
    if (r < 0) {
        hr_error("%s", hr_buf_str(&error));
    } else if (!has_landlock) {
        hr_info("this kernel has no Landlock: files are guarded by their permissions alone");
    }
    hr_buf_finish(&error);
    return r == 0 ? -1 : CMD_DATABASE;
}

static int confine(struct watch_command *w)
{
    const struct cmd_args *args = w->args;
    struct cmd_words read = {.count = 0};
    struct cmd_words write = {.count = 0};
    struct cmd_words scratch = {.count = 0};
    char **kept =
        hr_xcalloc(args->profiles.count + w->capture_count + args->alerts.count + 2, sizeof(*kept));
    size_t count = 0;
    list_paths(w, &read, &write, kept, &count);
    list_scratch(w, &scratch);
    struct trust_needs needs = {
        .read = read.items,
        .read_count = read.count,
        .write = write.items,
        .write_count = write.count,
        .scratch = scratch.items,
        .scratch_count = scratch.count,
    };
    int r = confine_to(w, &needs);
    for (size_t i = 0; i < count; i++) {
        free(kept[i]);
    }
    free(kept);
    free(read.items);
    free(write.items);
    free(scratch.items);
    return r;
}

/* --- running ---------------------------------------------------------------------------------- */

static int load(struct cmd_run *run)
{
    int r = cmd_run_load_rules(run, true);
    r = r < 0 ? cmd_run_load_profiles(run) : r;
    return r < 0 ? cmd_run_load_suppressions(run) : r;
}

/* The run keeps the store and the captures; rules, profiles and suppressions change places. */
static void take_over(struct cmd_run *run, struct cmd_run *next)
{
    struct cmd_run old = *run;
    next->store = old.store;
    next->captures = old.captures;
    next->capture_count = old.capture_count;
    old.store = NULL;
    old.captures = NULL;
    old.capture_count = 0;
    *run = *next;
    cmd_run_finish(&old);
}

static bool on_load(struct watch_rules *ret_rules, void *user)
{
    struct watch_command *w = user;
    cmd_run_init(&w->next, "watch", w->args);
    if (load(&w->next) >= 0 || w->next.has_broken_rules) {
        hr_warning("what was read before stays in use");
        cmd_run_finish(&w->next);
        cmd_run_init(&w->next, "watch", w->args);
        return false;
    }
    /* The rules change places within the set that is in use. */
    *ret_rules = (struct watch_rules){.profiles = w->next.profiles, .rules = &w->run.rules};
    return true;
}

static int on_take_up(void *user)
{
    struct watch_command *w = user;
    w->next.store = w->run.store;
    bool is_stored = cmd_run_store_suppressions(&w->next) < 0;
    take_over(&w->run, &w->next);
    cmd_run_init(&w->next, "watch", w->args);
    return is_stored ? 0 : -EIO;
}

static int open_metrics(struct watch_command *w)
{
    struct hr_buf error;
    int r = 0;
    hr_buf_init(&error, SIZE_MAX);
    if (w->args->metrics != NULL) {
        r = metrics_open(w->args->metrics, &w->metrics, &error);
    }
    int status = r == 0 ? -1 : cmd_usage_error("watch", "%s", hr_buf_str(&error));
    hr_buf_finish(&error);
    return status;
}

static int start_metrics(struct watch_command *w)
{
    int r = w->metrics != NULL ? metrics_start(w->metrics, w->stats) : 0;
    if (r < 0) {
        hr_error("the thread that answers for --metrics cannot be made: %s", strerror(-r));
    }
    return r == 0 ? -1 : CMD_DATABASE;
}

static int start_sinks(struct watch_command *w)
{
    for (size_t i = 0; i < w->sink_count; i++) {
        int r = sink_start(w->sinks[i]);
        if (r < 0) {
            hr_error("a thread cannot be made: %s", strerror(-r));
            return CMD_DATABASE;
        }
    }
    return -1;
}

static int start_screen(struct watch_command *w)
{
    int r = w->screen != NULL ? screen_start(w->screen, w->stats, w->db) : 0;
    if (r < 0) {
        hr_error("a thread cannot be made: %s", strerror(-r));
        return CMD_DATABASE;
    }
    return -1;
}

/* Nothing of it is left on the terminal: says how it went. */
static void close_screen(struct watch_command *w)
{
    struct watch_stats s;
    if (w->screen != NULL) {
        w->are_stats_lent = !screen_close(w->screen);
        w->screen = NULL;
        stats_get(w->stats, &s);
        hr_info("%" PRIu64 " frames, %" PRIu64 " exchanges, %" PRIu64
                " findings told; see headrace "
                "report --db %s",
                s.frames, s.exchanges, s.findings, w->db);
    }
}

static int run_watch(struct watch_command *w)
{
    struct pipeline_config pipeline = w->args->config;
    pipeline.tcp.captures_share_clock = feed_is_live(w->feed);
    struct watch_config config = {
        .pipeline = &pipeline,
        .store = w->run.store,
        .feed = w->feed,
        .sinks = w->sinks,
        .sink_count = w->sink_count,
        .captures = (const char *const *)w->captures,
        .rules = {.profiles = w->run.profiles, .rules = &w->run.rules},
        .min_severity = w->args->min_severity,
        .evidence_folder = w->args->evidence_dir,
        .evidence = w->evidence,
        .repeat = w->args->repeat,
        .alert_on_loss_ppm = w->args->alert_on_loss,
        .retain = w->args->retain,
        .notify = w->notify,
        .stats = w->stats,
        .screen = w->screen,
        .keeper = w->keep.keeper,
        .load = on_load,
        .take_up = on_take_up,
        .user = w,
    };
    int r = watch_run(&config, w->signals);
    close_screen(w);
    int status = r < 0 ? cmd_store_failed(w->run.store) : CMD_OK;
    const struct capture_info *infos = feed_infos(w->feed);
    for (size_t i = 0; i < w->capture_count; i++) {
        status = infos[i].error != 0 && status < CMD_CAPTURE ? CMD_CAPTURE : status;
    }
    return status;
}

static int watch(struct watch_command *w)
{
    int r = check_source(w->args);
    r = r < 0 ? load(&w->run) : r;
    r = r < 0 ? name_captures(w) : r;
    r = r < 0 ? prepare_process(w) : r;
    r = r < 0 ? open_feed(w) : r;
    r = r < 0 ? open_metrics(w) : r;
    r = r < 0 ? open_sinks(w) : r;
    r = r < 0 ? hand_over_alerts(w) : r;
    r = r < 0 ? open_store(w) : r;
    r = r < 0 ? open_keep(w) : r;
    r = r < 0 ? open_evidence(w) : r;
    r = r < 0 ? open_screen(w) : r;
    r = r < 0 ? confine(w) : r;
    r = r < 0 ? watch_keep_start(&w->keep) : r;
    r = r < 0 ? watch_evidence_check(w->args) : r;
    r = r < 0 ? start_sinks(w) : r;
    w->stats = stats_create();
    r = r < 0 ? start_metrics(w) : r;
    r = r < 0 ? start_screen(w) : r;
    if (r >= 0) {
        return r;
    }
    int status = run_watch(w);
    return status == CMD_OK && w->run.has_broken_rules ? CMD_USAGE : status;
}

static void finish(struct watch_command *w)
{
    w->are_stats_lent = !screen_close(w->screen) || w->are_stats_lent;
    metrics_close(w->metrics);
    for (size_t i = 0; i < w->sink_count; i++) {
        sink_close(w->sinks[i]);
    }
    free(w->sinks);
    feed_close(w->feed);
    watch_keep_finish(&w->keep);
    stats_destroy(w->are_stats_lent ? NULL : w->stats);
    cmd_run_finish(&w->run);
    cmd_run_finish(&w->next);
    runner_destroy(w->runner);
    free(w->programs.items);
    free(w->real_db);
    notify_destroy(w->notify);
    if (w->signals >= 0) {
        close(w->signals);
    }
}

int cmd_watch(int argc, char **argv)
{
    struct cmd_args args;
    struct watch_command w = {.args = &args, .signals = -1};
    int status = cmd_args_parse(&usage, argc, argv, &args);
    if (status >= 0) {
        return status;
    }
    cmd_ignore_sigpipe();
    cmd_run_init(&w.run, "watch", &args);
    w.db = database_of(&args);
    status = watch(&w);
    finish(&w);
    cmd_args_finish(&args);
    return status;
}

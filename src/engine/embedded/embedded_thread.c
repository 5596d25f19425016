#include "embedded_thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "embedded_batch.h"
#include "embedded_checkpoint.h"
#include "embedded_lease.h"
#include "embedded_open.h"
#include "embedded_scrub.h"
#include "embedded_sweep.h"
#include "embedded_transaction.h"

enum {
    PROBE_MS = 1000,        // between attempts to write while the store cannot be
    CHECK_FILES_MS = 500,   // between looks whether the files are where they were
    SWEEP_SHORTEST_MS = 50, // between looks whether something has expired
    SWEEP_LONGEST_MS = 10000,
    SWEEP_FAILED_MS = 60000,
    ANSWERS_READ_BYTES = 1 << 20, // held by answers: then reads wait until turns of the loop take them,
    ANSWERS_MAX_BYTES = 8 << 20,  // and then everything does
    TURN_READ_BYTES = 256 << 10,  // about, of the log's entries for one turn of the loop
    WHY_SIZE = 512
};

// Reads of the log come by the thousand when viewers come back, and hold much: everything else goes first, on
// its way to the store and back.
struct request_queue {
    struct request_list first, reads;
};

// The loop takes answers as fast as they come, less fast, or not at all.
enum thread_may { MAY_NOTHING, MAY_WORK, MAY_READ };

struct store_thread {
    pthread_t thread;
    const struct embedded_config *config; // until it has started
    void (*on_answers)(void *);
    void *arg;

    pthread_mutex_t lock; // for what follows
    pthread_cond_t changed;
    struct request_queue waiting, answers;
    size_t answer_bytes;
    struct engine_stats stats;
    enum { THREAD_STARTING, THREAD_RUNNING, THREAD_STOPPING } state;
    int64_t stop_by_ms;
    enum store_health reported; // the thread sets it
    char why[WHY_SIZE];         // it is not sound
    struct engine_limits limits;
    bool new_limits; // they have not been taken over yet

    // The thread only:
    struct store *store;
    struct checkpointer *checkpointer;
    struct request_queue taken; // what batches left for the next ones
    enum thread_may may;
    int64_t probe_ms;       // while it is failing: when to try whether it can be written again
    char failure[WHY_SIZE]; // why it is failing
    int64_t sweep_ms, check_files_ms, scrub_ms;
    bool sweep_more;
};

// Health

static void thread_describe_failure(struct store_thread *t, const struct store_failure *f) {
    const char *advice;
    switch (f->code) {
    case SQLITE_FULL: advice = "make room on the disk; it is tried again every second"; break;
    case SQLITE_BUSY: advice = "another program holds it locked; it is tried again every second"; break;
    default:
        advice = "check the disk, its room and the limit on file sizes; it is tried again every second";
        break;
    }
    snprintf(t->failure, sizeof t->failure, "cannot write %s (%s): %s", t->store->path, f->text, advice);
}

static void thread_describe_health(const struct store_thread *t, enum store_health health, char *why,
                                   size_t size) {
    const struct store *s = t->store;
    switch (health) {
    case STORE_SOUND: why[0] = 0; break;
    case STORE_FAILING: snprintf(why, size, "%s", t->failure); break;
    case STORE_MOVED:
        snprintf(
            why, size,
            "%s is no longer the file that was opened (removed, renamed or replaced): no comment is stored "
            "any more; put it back, or restart Chorus",
            s->path);
        break;
    case STORE_DAMAGED:
        snprintf(why, size,
                 "%s is damaged (%s): no comment is stored any more; stop Chorus and put a good copy in its "
                 "place (without the old %s-wal), or move it away to start with an empty one",
                 s->path, s->damage.what, s->path);
        break;
    }
}

static void thread_report_health(struct store_thread *t) {
    enum store_health health = store_health(t->store);
    pthread_mutex_lock(&t->lock);
    t->reported = health;
    thread_describe_health(t, health, t->why, sizeof t->why);
    pthread_mutex_unlock(&t->lock);
}

static void thread_report_health_if_changed(struct store_thread *t) {
    if (store_health(t->store) != t->reported) thread_report_health(t);
}

static void thread_note_success(struct store_thread *t) {
    t->store->write_failed = false;
    thread_report_health_if_changed(t);
}

static void thread_note_failure(struct store_thread *t, const struct store_failure *f) {
    if (store_is_lost(t->store)) return;
    t->probe_ms = clock_monotonic_ms() + PROBE_MS;
    t->store->write_failed = true;
    thread_describe_failure(t, f);
    thread_report_health(t);
}

bool store_thread_ready(struct store_thread *t, char *why, size_t why_size) {
    pthread_mutex_lock(&t->lock);
    bool ready = t->reported == STORE_SOUND;
    if (!ready) snprintf(why, why_size, "%s", t->why);
    pthread_mutex_unlock(&t->lock);
    return ready;
}

// As much is written as by a usual batch, so that a disk with room for next to nothing does not count as
// good. A copy of the write-ahead log may make room by itself.
static void thread_probe(struct store_thread *t) {
    struct store *s = t->store;
    sqlite3_wal_checkpoint_v2(s->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    transaction_begin(s);
    store_run(s, store_use(s, SQL_PROBE));
    if (transaction_commit(s)) {
        thread_note_success(t);
    } else {
        struct store_failure failure = s->failure;
        transaction_abandon(s);
        thread_note_failure(t, &failure);
    }
}

// Maintenance

static int64_t thread_sweep_pause_ms(const struct store_thread *t) {
    if (t->store->failure.code) return SWEEP_FAILED_MS;
    if (t->sweep_more) return 1;
    int64_t pause = t->store->config.limits.log_age_ms / 8;
    if (pause < SWEEP_SHORTEST_MS) return SWEEP_SHORTEST_MS;
    return pause > SWEEP_LONGEST_MS ? SWEEP_LONGEST_MS : pause;
}

// Only while the store can be written: leases in memory are valid without it.
static void thread_write_leases(struct store_thread *t) {
    if (store_health(t->store) != STORE_SOUND || !t->store->leases_unwritten) return;
    if (!lease_write_rows(t->store)) thread_note_failure(t, &t->store->failure);
}

static void thread_scrub(struct store_thread *t, int64_t now_ms) {
    if (!t->store->unscrubbed || now_ms < t->scrub_ms || t->store->write_failed) return;
    checkpointer_wait(t->checkpointer);
    scrub_log(t->store);
    t->scrub_ms = now_ms + SCRUB_AGAIN_MS;
}

// While there is something to remove, slices alternate with batches: removing must keep up with appending.
static void thread_do_maintenance(struct store_thread *t, size_t done) {
    int64_t now_ms = clock_monotonic_ms();
    bool keep_up = done && (t->sweep_more || sweep_is_due(t->store));
    if (now_ms >= t->check_files_ms) {
        damage_check_files(&t->store->damage);
        t->check_files_ms = now_ms + CHECK_FILES_MS;
    }
    if (!store_is_lost(t->store)) {
        if (t->store->write_failed && now_ms >= t->probe_ms) thread_probe(t);
        thread_write_leases(t);
        if (now_ms >= t->sweep_ms || keep_up) {
            t->sweep_more = sweep_slice(t->store, done);
            t->sweep_ms = now_ms + thread_sweep_pause_ms(t);
            if (t->store->failure.code) thread_note_failure(t, &t->store->failure);
        }
        checkpointer_run_if_due(t->checkpointer, t->store);
        thread_scrub(t, now_ms);
    }
    thread_report_health_if_changed(t);
}

static int64_t thread_next_maintenance_ms(const struct store_thread *t) {
    int64_t next_ms = t->check_files_ms;
    if (store_is_lost(t->store)) return next_ms;
    if (t->sweep_ms < next_ms) next_ms = t->sweep_ms;
    int64_t other_ms = next_ms; // while nothing can be written there is nothing to do but to try that
    if (t->store->write_failed)
        other_ms = t->probe_ms;
    else if (t->store->unscrubbed)
        other_ms = t->scrub_ms;
    return other_ms < next_ms ? other_ms : next_ms;
}

// Waiting and handing over

static void queue_add(struct request_queue *q, struct request_list *requests) {
    for (struct request *r; (r = request_list_take(requests));)
        request_list_add(r->reads_log ? &q->reads : &q->first, r);
}

static void queue_empty_into(struct request_list *to, struct request_queue *q) {
    request_list_move(to, &q->first);
    request_list_move(to, &q->reads);
}

static bool queue_is_empty(const struct request_queue *q) {
    return !q->first.first && !q->reads.first;
}

static enum thread_may thread_may_now(const struct store_thread *t) {
    if (t->answer_bytes <= ANSWERS_READ_BYTES || t->state == THREAD_STOPPING) return MAY_READ;
    return t->answer_bytes <= ANSWERS_MAX_BYTES ? MAY_WORK : MAY_NOTHING;
}

static bool thread_has_work(const struct store_thread *t) {
    enum thread_may may = thread_may_now(t);
    return (may >= MAY_WORK && (t->taken.first.first || t->waiting.first.first)) ||
           (may == MAY_READ && (t->taken.reads.first || t->waiting.reads.first));
}

static void thread_take_limits(struct store_thread *t) {
    sweep_with_limits(t->store, &t->limits);
    t->sweep_ms = 0;
    t->new_limits = false;
}

// Waits for requests or maintenance, and takes the requests. Returns false when it is time to end.
static bool thread_wait(struct store_thread *t) {
    int64_t due_ms = thread_next_maintenance_ms(t);
    pthread_mutex_lock(&t->lock);
    while (t->state != THREAD_STOPPING && !t->new_limits && !thread_has_work(t) &&
           clock_monotonic_ms() < due_ms)
        clock_wait(&t->changed, &t->lock, due_ms);
    t->may = thread_may_now(t);
    request_list_move(&t->taken.first, &t->waiting.first);
    request_list_move(&t->taken.reads, &t->waiting.reads);
    if (t->new_limits) thread_take_limits(t);
    bool stopping = t->state == THREAD_STOPPING;
    int64_t stop_by_ms = t->stop_by_ms;
    pthread_mutex_unlock(&t->lock);
    return !stopping || (!queue_is_empty(&t->taken) && clock_monotonic_ms() < stop_by_ms);
}

static void thread_hand_back(struct store_thread *t, struct request_list *done, int64_t took_us,
                             bool failed) {
    size_t bytes = 0;
    for (const struct request *r = done->first; r; r = r->next) bytes += r->held_bytes;
    pthread_mutex_lock(&t->lock);
    bool tell = queue_is_empty(&t->answers) && done->first;
    queue_add(&t->answers, done);
    t->answer_bytes += bytes;
    engine_stats_add(&t->stats, took_us, failed);
    pthread_mutex_unlock(&t->lock);
    if (tell) t->on_answers(t->arg);
}

// Returns how many requests it has done.
static size_t thread_run_batch(struct store_thread *t, struct request_list *requests) {
    struct request_list done = {0};
    if (!requests->first) return 0;
    int64_t begin_us = clock_monotonic_us();
    struct batch_result result = batch_run(t->store, requests, &done);
    if (result.failed)
        thread_note_failure(t, &result.failure);
    else if (result.wrote)
        thread_note_success(t);
    thread_report_health_if_changed(t);
    size_t count = done.count;
    thread_hand_back(t, &done, clock_monotonic_us() - begin_us, result.failed);
    return count;
}

// Reads come behind everything else, a batch at a time: a comment waits for one such batch.
static size_t thread_work(struct store_thread *t) {
    size_t done = t->may >= MAY_WORK ? thread_run_batch(t, &t->taken.first) : 0;
    return t->may == MAY_READ ? done + thread_run_batch(t, &t->taken.reads) : done;
}

// Start and end

static bool thread_open_store(struct store_thread *t) {
    t->store = store_open(t->config, t->why, sizeof t->why);
    if (!t->store) return false;
    t->checkpointer = checkpointer_start(t->store);
    if (t->checkpointer) return true;
    snprintf(t->why, sizeof t->why, "cannot start a thread; raise the limit on processes");
    store_close(t->store);
    t->store = NULL;
    return false;
}

static void *thread_run(void *arg) {
    struct store_thread *t = arg;
    pthread_setname_np(pthread_self(), "chorus-store");
    bool opened = thread_open_store(t);
    if (opened) thread_report_health(t);
    pthread_mutex_lock(&t->lock);
    t->state = THREAD_RUNNING;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
    if (!opened) return NULL;
    while (thread_wait(t)) thread_do_maintenance(t, thread_work(t));
    thread_write_leases(t);
    checkpointer_stop(t->checkpointer);
    store_close(t->store);
    return NULL;
}

static void thread_release(struct store_thread *t) {
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->changed);
    free(t);
}

static int thread_create(struct store_thread *t) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&t->thread, NULL, thread_run, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

struct store_thread *store_thread_start(const struct embedded_config *config, void (*on_answers)(void *),
                                        void *arg, char *why, size_t why_size) {
    struct store_thread *t = mem_zalloc(sizeof *t);
    t->config = config;
    t->on_answers = on_answers;
    t->arg = arg;
    pthread_mutex_init(&t->lock, NULL);
    clock_condition_init(&t->changed);
    if (thread_create(t) != 0) {
        snprintf(why, why_size, "cannot start a thread; raise the limit on processes");
        thread_release(t);
        return NULL;
    }
    pthread_mutex_lock(&t->lock);
    while (t->state == THREAD_STARTING) pthread_cond_wait(&t->changed, &t->lock);
    bool opened = t->store != NULL;
    pthread_mutex_unlock(&t->lock);
    if (opened) return t;
    pthread_join(t->thread, NULL);
    snprintf(why, why_size, "%s", t->why);
    thread_release(t);
    return NULL;
}

void store_thread_push(struct store_thread *t, struct request_list *requests) {
    pthread_mutex_lock(&t->lock);
    queue_add(&t->waiting, requests);
    pthread_mutex_unlock(&t->lock);
    pthread_cond_signal(&t->changed);
}

void store_thread_set_limits(struct store_thread *t, const struct engine_limits *limits) {
    pthread_mutex_lock(&t->lock);
    t->limits = *limits;
    t->new_limits = true;
    pthread_mutex_unlock(&t->lock);
    pthread_cond_signal(&t->changed);
}

// Returns how many bytes it holds.
static size_t thread_take_answer(struct store_thread *t, struct request_list *from, struct request_list *to) {
    struct request *r = request_list_take(from);
    t->answer_bytes -= r->held_bytes;
    request_list_add(to, r);
    return r->held_bytes;
}

struct request_list store_thread_answers(struct store_thread *t, size_t most, bool *more) {
    struct request_list answers = {0};
    pthread_mutex_lock(&t->lock);
    while (answers.count < most && t->answers.first.first) thread_take_answer(t, &t->answers.first, &answers);
    size_t read_bytes = 0; // a read at least in each turn
    do {
        if (!t->answers.reads.first) break;
        read_bytes += thread_take_answer(t, &t->answers.reads, &answers);
    } while (answers.count < most && read_bytes < TURN_READ_BYTES);
    *more = !queue_is_empty(&t->answers);
    pthread_mutex_unlock(&t->lock);
    pthread_cond_signal(&t->changed);
    return answers;
}

struct engine_stats store_thread_stats(struct store_thread *t) {
    pthread_mutex_lock(&t->lock);
    struct engine_stats stats = t->stats;
    pthread_mutex_unlock(&t->lock);
    return stats;
}

void store_thread_stop(struct store_thread *t, int grace_ms, struct request_list *answered,
                       struct request_list *left) {
    pthread_mutex_lock(&t->lock);
    t->state = THREAD_STOPPING;
    t->stop_by_ms = clock_monotonic_ms() + grace_ms;
    pthread_mutex_unlock(&t->lock);
    pthread_cond_signal(&t->changed);
    pthread_join(t->thread, NULL);
    queue_empty_into(answered, &t->answers);
    queue_empty_into(left, &t->taken);
    queue_empty_into(left, &t->waiting);
    thread_release(t);
}

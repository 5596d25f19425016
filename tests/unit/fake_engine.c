#include "fake_engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/uthash.h"
#include "base/mem.h"
#include "entries.h"

enum { LOG_MAX = 8192, QUERIES_MAX = 64 };

struct engine_subscription {
    const struct engine_subscriber *subscriber;
    void *arg;
    struct engine_subscription *prev, *next;
};

struct pending_query {
    struct fake_query shown;
    engine_head_cb *on_head;
    engine_range_cb *on_range;
    void *arg;
    bool fixed;
    struct engine_head head;
    struct engine_range range; // owned copies, so that a use of the answer after the callback is found
};

struct fake_engine {
    struct engine engine; // first
    struct engine_entry log[LOG_MAX];
    size_t logged;
    struct position head;
    struct engine_subscription *subscriptions;
    struct pending_query waiting[QUERIES_MAX];
    unsigned waiting_count, asked;
    uint64_t epoch; // the highest ever
    bool not_ready, over;
    char *notified;
};

static struct fake_engine *from(struct engine *e) {
    return (struct fake_engine *)e;
}

// What an engine gives is valid during the callback only: entries are handed out as copies and freed.

static struct engine_entry copy_entry(const struct engine_entry *e) {
    struct engine_entry copy = *e;
    copy.body = mem_strndup(e->body ? e->body : "", e->body_len);
    return copy;
}

static void free_entry(const struct engine_entry *e) {
    free((char *)e->body);
}

// Queries

static struct pending_query *ask(struct engine *engine, const char *video, enum fake_kind kind, void *arg) {
    struct fake_engine *f = from(engine);
    assert(!strcmp(video, FAKE_VIDEO));
    assert(f->waiting_count < QUERIES_MAX);
    f->asked++;
    struct pending_query *q = &f->waiting[f->waiting_count++];
    *q = (struct pending_query){.shown.kind = kind, .arg = arg};
    return q;
}

static void head(struct engine *engine, const char *video, struct position known, engine_head_cb *cb,
                 void *arg) {
    struct pending_query *q = ask(engine, video, FAKE_HEAD, arg);
    q->shown.known = known;
    q->on_head = cb;
}

static void range(struct engine *engine, const char *video, struct position after, size_t limit,
                  engine_range_cb *cb, void *arg) {
    struct pending_query *q = ask(engine, video, FAKE_RANGE, arg);
    q->shown.after = after;
    q->shown.limit = limit;
    q->on_range = cb;
}

static void range_before(struct engine *engine, const char *video, struct position before, size_t limit,
                         engine_range_cb *cb, void *arg) {
    struct pending_query *q = ask(engine, video, FAKE_BEFORE, arg);
    q->shown.before = before;
    q->shown.limit = limit;
    q->on_range = cb;
}

static void fix_range(const struct fake_engine *f, struct pending_query *q) {
    bool is_before = q->shown.kind == FAKE_BEFORE;
    struct position last = q->shown.before;
    size_t first = 0, end = f->logged;
    while (!is_before && first < end && position_compare(f->log[first].at, q->shown.after) <= 0) first++;
    while (is_before && end && position_is_set(last) && position_compare(f->log[end - 1].at, last) >= 0)
        end--;
    size_t count = end - first;
    q->range.more = count > q->shown.limit;
    q->range.count = q->range.more ? q->shown.limit : count;
    if (is_before) first = end - q->range.count;
    struct engine_entry *copies = mem_alloc((q->range.count + 1) * sizeof *copies);
    for (size_t i = 0; i < q->range.count; i++) copies[i] = copy_entry(&f->log[first + i]);
    q->range.entries = copies;
    q->range.head = f->head;
}

static void fix_head(struct fake_engine *f, struct pending_query *q) {
    struct position known = q->shown.known, was = f->head;
    if (position_compare(known, was) > 0) {
        uint64_t epoch = known.epoch > f->epoch ? known.epoch : f->epoch;
        struct engine_entry loss = tombstone_at(epoch + 1, 1);
        loss.prev = pos(was.epoch, known.epoch == was.epoch ? was.seq : 0);
        q->head.before = was;
        fake_append(f, loss);
    }
    q->head.at = f->head;
    q->head.over = f->over;
}

static void fix(struct fake_engine *f, struct pending_query *q) {
    if (q->fixed) return;
    q->fixed = true;
    if (q->shown.kind == FAKE_HEAD)
        fix_head(f, q);
    else
        fix_range(f, q);
}

static void give(struct pending_query *q, enum engine_status status) {
    bool ok = status == ENGINE_OK;
    if (q->shown.kind == FAKE_HEAD)
        q->on_head(q->arg, status, ok ? &q->head : NULL);
    else
        q->on_range(q->arg, status, ok ? &q->range : NULL);
    for (size_t i = 0; i < q->range.count; i++) free_entry(&q->range.entries[i]);
    free((struct engine_entry *)q->range.entries);
}

void fake_fail(struct fake_engine *f, unsigned index, enum engine_status status) {
    assert(index < f->waiting_count);
    struct pending_query q = f->waiting[index];
    f->waiting_count--;
    memmove(&f->waiting[index], &f->waiting[index + 1], (f->waiting_count - index) * sizeof q);
    if (status == ENGINE_OK) fix(f, &q);
    give(&q, status);
}

void fake_answer(struct fake_engine *f, unsigned index) {
    fake_fail(f, index, ENGINE_OK);
}

unsigned fake_answer_all(struct fake_engine *f, unsigned most) {
    unsigned given = 0;
    for (; f->waiting_count && given < most; given++) fake_answer(f, 0);
    return given;
}

void fake_take_effect(struct fake_engine *f) {
    for (unsigned i = 0; i < f->waiting_count; i++) fix(f, &f->waiting[i]);
}

unsigned fake_waiting(const struct fake_engine *f) {
    return f->waiting_count;
}

struct fake_query fake_query(const struct fake_engine *f, unsigned index) {
    assert(index < f->waiting_count);
    return f->waiting[index].shown;
}

unsigned fake_asked(const struct fake_engine *f) {
    return f->asked;
}

// The log

void fake_log(struct fake_engine *f, struct engine_entry e) {
    assert(f->logged < LOG_MAX);
    f->log[f->logged++] = e;
    f->head = e.at;
    if (e.at.epoch > f->epoch) f->epoch = e.at.epoch;
}

void fake_set_over(struct fake_engine *f, bool over) {
    f->over = over;
}

struct position fake_head(const struct fake_engine *f) {
    return f->head;
}

size_t fake_logged(const struct fake_engine *f, const struct engine_entry **log) {
    *log = f->log;
    return f->logged;
}

void fake_log_run(struct fake_engine *f, uint64_t epoch, uint64_t first, uint64_t last) {
    for (uint64_t seq = first; seq <= last; seq++) fake_log(f, comment_at(epoch, seq));
}

void fake_publish(struct fake_engine *f, struct engine_entry e) {
    struct engine_subscription *s, *next;
    DL_FOREACH_SAFE(f->subscriptions, s, next) {
        struct engine_entry copy = copy_entry(&e);
        s->subscriber->on_entry(s->arg, &copy);
        free_entry(&copy);
    }
}

void fake_append(struct fake_engine *f, struct engine_entry e) {
    fake_log(f, e);
    fake_publish(f, e);
}

void fake_append_run(struct fake_engine *f, uint64_t epoch, uint64_t first, uint64_t last) {
    for (uint64_t seq = first; seq <= last; seq++) fake_append(f, comment_at(epoch, seq));
}

void fake_set_head(struct fake_engine *f, struct position at) {
    f->head = at;
}

void fake_expire(struct fake_engine *f, struct position last) {
    size_t gone = 0;
    while (gone < f->logged && position_compare(f->log[gone].at, last) <= 0) gone++;
    f->logged -= gone;
    memmove(f->log, f->log + gone, f->logged * sizeof *f->log);
}

void fake_lose(struct fake_engine *f, struct position at) {
    while (f->logged && position_compare(f->log[f->logged - 1].at, at) > 0) f->logged--;
    f->head = at;
}

// Subscriptions

static struct engine_subscription *subscribe(struct engine *engine, const char *video,
                                             const struct engine_subscriber *subscriber, void *arg) {
    struct fake_engine *f = from(engine);
    assert(!strcmp(video, FAKE_VIDEO));
    struct engine_subscription *s = mem_zalloc(sizeof *s);
    s->subscriber = subscriber;
    s->arg = arg;
    DL_APPEND(f->subscriptions, s);
    return s;
}

static void unsubscribe(struct engine *engine, struct engine_subscription *s) {
    DL_DELETE(from(engine)->subscriptions, s);
    free(s);
}

unsigned fake_subscriptions(const struct fake_engine *f) {
    unsigned n = 0;
    const struct engine_subscription *s;
    DL_FOREACH(f->subscriptions, s) n++;
    return n;
}

void fake_notify_subscribed(struct fake_engine *f) {
    struct engine_subscription *s, *next;
    DL_FOREACH_SAFE(f->subscriptions, s, next) s->subscriber->on_subscribed(s->arg);
}

// Life

static bool ready(struct engine *engine, const char **why) {
    *why = "not ready.";
    return !from(engine)->not_ready;
}

static struct engine_stats stats(struct engine *engine) {
    (void)engine;
    return (struct engine_stats){0};
}

void fake_set_ready(struct fake_engine *f, bool is_ready) {
    f->not_ready = !is_ready;
}

static void notify(struct engine *e, const char *topic, const void *body, size_t len) {
    (void)topic;
    free(from(e)->notified);
    from(e)->notified = mem_strndup(body, len);
}

const char *fake_notified(const struct fake_engine *f) {
    return f->notified ? f->notified : "";
}

static const struct engine_ops fake_ops = {.name = "fake",
                                           .subscribe = subscribe,
                                           .unsubscribe = unsubscribe,
                                           .head = head,
                                           .range = range,
                                           .range_before = range_before,
                                           .notify = notify,
                                           .ready = ready,
                                           .stats = stats};

struct fake_engine *fake_engine_new(void) {
    struct fake_engine *f = mem_zalloc(sizeof *f);
    f->engine.ops = &fake_ops;
    return f;
}

struct engine *fake_engine(struct fake_engine *f) {
    return &f->engine;
}

void fake_engine_free(struct fake_engine *f) {
    while (f->waiting_count) fake_fail(f, 0, ENGINE_CLOSED);
    struct engine_subscription *s, *next;
    DL_FOREACH_SAFE(f->subscriptions, s, next) unsubscribe(&f->engine, s);
    free(f->notified);
    free(f);
}

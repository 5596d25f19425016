#include "fanout/fanout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/budget.h"
#include "base/uthash.h"
#include "net/loop.h"
#include "fanout/counters.h"
#include "fanout/frame.h"
#include "fanout/ledger.h"
#include "moments.h"
#include "worker.h"

enum {
    TABLE_RESERVE = 16, // descriptors that a worker needs for itself, and some to spare
    START_AGAIN_MS = 1000,
    RELIEVE_AGAIN_MS = 100,
    NO_WORKER = -1
};

// A video's viewers on one worker. Freed when the worker has retired its channel.
struct partition {
    struct fan_video *video; // NULL: retired, its notifications are ignored
    struct channel *channel; // the worker's thread owns it
    unsigned worker;
    uint32_t viewers;
    union {
        struct partition *next; // of the video
        struct ledger *ledger;  // once it is retired: a reference
    };
    char name[]; // of the video, for the worker's thread
};

struct fan_video {
    struct fanout *fanout;
    struct ledger *ledger;
    const char *name; // borrowed
    void (*on_left)(void *arg);
    void *arg;
    unsigned partition_count : 31;
    bool over : 1; // nothing more is published
    struct partition *partitions;
    struct moments *moments; // NULL: none has been published
};

struct worker_slot {
    struct worker *worker;
    uint32_t viewers;
};

struct fanout {
    struct loop *control;
    struct fanout_config config;
    uint32_t room; // viewers that one worker can hold
    unsigned count;
    int64_t start_again_ms; // not before: the last one could not be started
    int64_t relieve_again_ms, evict_again_ms;
    struct worker_slot slots[FAN_WORKERS_MAX];
};

static size_t partition_bytes(const char *name) {
    return sizeof(struct partition) + strlen(name) + 1 + sizeof(struct channel);
}

// Viewers are counted per partition, to find the smallest; a video's are the sum of its partitions'. Two sums
// would have to visit many videos, and are kept: per worker, as its descriptor table bounds them, and per
// reader.
static void partition_count_viewers(const struct fan_video *v, struct partition *p, int n) {
    p->viewers += (uint32_t)n;
    v->fanout->slots[p->worker].viewers += (uint32_t)n;
    counter_add(&v->ledger->counters->viewers, (unsigned long long)n);
}

static void partition_retire(struct fan_video *v, struct partition *p, enum fan_end end) {
    LL_DELETE(v->partitions, p);
    v->partition_count--;
    partition_count_viewers(v, p, -(int)p->viewers);
    p->video = NULL;
    p->ledger = ledger_ref(v->ledger);
    worker_post(v->fanout->slots[p->worker].worker,
                &(struct worker_command){.verb = WORKER_RETIRE, .end = end, .channel = p->channel});
}

static void on_left(void *arg, void *owner, uint32_t n) {
    (void)arg;
    struct partition *p = owner;
    struct fan_video *v = p->video;
    if (!v) return;
    partition_count_viewers(v, p, -(int)n);
    if (!p->viewers) partition_retire(v, p, FAN_END_CLIENT); // of none
    v->on_left(v->arg);
}

static void on_retired(void *arg, void *owner) {
    (void)arg;
    struct partition *p = owner;
    p->ledger->counters->channels--;
    ledger_unref(p->ledger);
    budget_give_back(partition_bytes(p->name));
    free(p);
}

// On the worker's thread, which outlives neither the partition nor the counters.
static void on_closed(const struct channel *ch, struct fan_report *report) {
    const struct partition *p = ch->owner;
    report->video = p->name;
    const struct fan_counters *c = ch->ledger->counters;
    if (c->on_closed) c->on_closed(c->arg, report);
}

static int fanout_start_worker(struct fanout *f) {
    int error;
    if (f->count == FAN_WORKERS_MAX) return -EAGAIN;
    struct worker_config config = {
        .bounds = f->config.bounds,
        .own_descriptors = f->config.own_descriptors,
        .listener = {.on_left = on_left, .on_retired = on_retired, .arg = f, .on_closed = on_closed},
    };
    struct worker *w = worker_new(f->control, &config, &error);
    if (w) f->slots[f->count++] = (struct worker_slot){.worker = w};
    return error;
}

static uint32_t room_of_a_table(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT32_MAX) return INT32_MAX;
    return limit.rlim_cur > TABLE_RESERVE ? (uint32_t)limit.rlim_cur - TABLE_RESERVE : 1;
}

struct fanout *fanout_new(struct loop *control, const struct fanout_config *config, int *error) {
    struct fanout *f = mem_zalloc(sizeof *f);
    f->control = control;
    f->config = *config;
    f->room = config->own_descriptors ? room_of_a_table() : UINT32_MAX;
    do *error = fanout_start_worker(f);
    while (!*error && f->count < config->workers);
    if (!*error) return f;
    fanout_free(f);
    return NULL;
}

void fanout_free(struct fanout *f) {
    if (!f) return;
    for (unsigned i = 0; i < f->count; i++) worker_stop(f->slots[i].worker);
    loop_drain(f->control); // their last notifications
    for (unsigned i = 0; i < f->count; i++) worker_free(f->slots[i].worker);
    free(f);
}

struct fan_video *fan_video_new(struct fanout *f, struct ledger *ledger, const char *name,
                                void (*left)(void *arg), void *arg) {
    struct fan_video *v = mem_zalloc(sizeof *v);
    v->fanout = f;
    v->ledger = ledger_ref(ledger);
    v->name = name;
    v->on_left = left;
    v->arg = arg;
    return v;
}

struct fan_video *fan_video_beside(const struct fan_video *v) {
    struct fan_video *other = fan_video_new(v->fanout, v->ledger, v->name, v->on_left, v->arg);
    for (uint8_t left = v->moments ? v->moments->known : 0; left; left &= (uint8_t)(left - 1)) {
        uint8_t kind = moments_first(left);
        moments_set(&other->moments, kind, frame_ref(moments_get(v->moments, kind)));
    }
    other->over = v->over;
    return other;
}

void fan_video_free(struct fan_video *v, enum fan_end end) {
    if (!v) return;
    while (v->partitions) partition_retire(v, v->partitions, end);
    moments_free(v->moments);
    ledger_unref(v->ledger);
    free(v);
}

static struct partition *partition_find(const struct fan_video *v, unsigned worker) {
    struct partition *p;
    LL_FOREACH(v->partitions, p) {
        if (p->worker == worker) return p;
    }
    return NULL;
}

// Returns the worker with the fewest viewers that has room and nothing of the video, or NO_WORKER.
static int fan_video_next_worker(const struct fan_video *v) {
    const struct fanout *f = v->fanout;
    int least = NO_WORKER;
    for (unsigned i = 0; i < f->count; i++) {
        if (f->slots[i].viewers >= f->room || partition_find(v, i)) continue;
        if (least == NO_WORKER || f->slots[i].viewers < f->slots[least].viewers) least = (int)i;
    }
    return least;
}

// Starts as many workers as at first, so that the viewers to come have as many cores.
static bool fanout_start_more(struct fanout *f) {
    unsigned had = f->count;
    int64_t now_ms = loop_now_ms(f->control);
    if (!f->config.own_descriptors || now_ms < f->start_again_ms) return false;
    while (f->count < had + f->config.workers && !fanout_start_worker(f)) continue;
    if (f->count == had) f->start_again_ms = now_ms + START_AGAIN_MS;
    return f->count > had;
}

static void partition_post_moment(const struct fan_video *v, const struct partition *p, uint8_t kind) {
    struct worker_command command = {.verb = WORKER_MOMENT,
                                     .moments = kind,
                                     .channel = p->channel,
                                     .frame = frame_ref(moments_get(v->moments, kind))};
    worker_post(v->fanout->slots[p->worker].worker, &command);
}

static struct partition *partition_new(struct fan_video *v, unsigned worker) {
    struct partition *p = mem_zalloc(sizeof *p + strlen(v->name) + 1);
    memcpy(p->name, v->name, strlen(v->name) + 1);
    p->video = v;
    p->worker = worker;
    p->channel = mem_alloc(sizeof *p->channel);
    channel_init(p->channel, worker_env(v->fanout->slots[worker].worker), v->ledger, p);
    budget_take(partition_bytes(p->name));
    v->ledger->counters->channels++;
    LL_PREPEND(v->partitions, p);
    v->partition_count++;
    for (uint8_t left = v->moments ? v->moments->known : 0; left; left &= (uint8_t)(left - 1))
        partition_post_moment(v, p, moments_first(left));
    return p;
}

// Returns the partition with the fewest viewers among those whose worker has room, or NULL.
static struct partition *partition_smallest(const struct fan_video *v) {
    struct partition *p, *least = NULL;
    LL_FOREACH(v->partitions, p) {
        bool room = v->fanout->slots[p->worker].viewers < v->fanout->room;
        if (room && (!least || p->viewers < least->viewers)) least = p;
    }
    return least;
}

// Returns where a viewer is to be added, NULL if nowhere. A connection that lives on a worker stays there:
// its descriptor is in that table already.
static struct partition *partition_choose(struct fan_video *v, int on_worker) {
    struct fanout *f = v->fanout;
    if (on_worker != SINK_ANY_WORKER) {
        struct partition *p = partition_find(v, (unsigned)on_worker);
        return p || (unsigned)on_worker >= f->count ? p : partition_new(v, (unsigned)on_worker);
    }
    struct partition *least = partition_smallest(v);
    bool crowded =
        v->partition_count < f->config.workers && fan_video_viewers(v) >= v->partition_count * FAN_SPREAD;
    if (least && !crowded) return least;
    int worker = fan_video_next_worker(v);
    if (worker == NO_WORKER && !least && fanout_start_more(f)) worker = fan_video_next_worker(v);
    return worker == NO_WORKER ? least : partition_new(v, (unsigned)worker);
}

static void partition_end(const struct fan_video *v, const struct partition *p) {
    worker_post(v->fanout->slots[p->worker].worker,
                &(struct worker_command){.verb = WORKER_END, .channel = p->channel});
}

bool fan_video_add(struct fan_video *v, const struct sink *sink, uint8_t asks, struct pending *pending) {
    struct partition *p = partition_choose(v, sink->worker);
    if (!p) return false;
    if (sink->worker == SINK_ANY_WORKER && sink->ops && sink->ops->placed)
        sink->ops->placed(sink->state, (int)p->worker);
    partition_count_viewers(v, p, 1);
    worker_post(
        v->fanout->slots[p->worker].worker,
        &(struct worker_command){
            .verb = WORKER_ADD, .moments = asks, .channel = p->channel, .sink = *sink, .pending = pending});
    if (v->over) partition_end(v, p);
    return true;
}

void fan_video_end(struct fan_video *v) {
    struct partition *p;
    v->over = true;
    LL_FOREACH(v->partitions, p) partition_end(v, p);
}

void fan_video_begin_again(struct fan_video *v, enum fan_end end) {
    while (v->partitions) partition_retire(v, v->partitions, end);
    v->over = false;
}

static void fan_video_post(const struct fan_video *v, struct worker_command command) {
    struct partition *p;
    LL_FOREACH(v->partitions, p) {
        command.channel = p->channel;
        frame_ref(command.frame);
        worker_post(v->fanout->slots[p->worker].worker, &command);
    }
    frame_unref(command.frame);
}

void fan_video_publish(struct fan_video *v, struct frame *frame) {
    fan_video_post(v, (struct worker_command){.verb = WORKER_PUBLISH, .frame = frame});
}

void fan_video_skip(struct fan_video *v, struct frame *frame, uint32_t user, uint32_t more) {
    fan_video_post(v,
                   (struct worker_command){.verb = WORKER_SKIP, .frame = frame, .user = user, .more = more});
}

void fan_video_publish_moment(struct fan_video *v, uint8_t kind, struct frame *frame) {
    struct partition *p;
    moments_set(&v->moments, kind, frame);
    LL_FOREACH(v->partitions, p) partition_post_moment(v, p, kind);
}

// Of each worker in proportion to what it has. A few are of the first ones, so that is another one each time:
// of some workers, none may leave.
void fan_video_move(struct fan_video *v, unsigned count, uint8_t kind, struct frame *event) {
    struct partition *p;
    uint64_t of = fan_video_viewers(v);
    LL_FOREACH(v->partitions, p) {
        if (!p->viewers) continue;
        uint32_t share = count < of ? (uint32_t)((count * (uint64_t)p->viewers + of - 1) / of) : p->viewers;
        of -= p->viewers;
        count = share < count ? count - share : 0;
        if (!share) continue;
        worker_post(v->fanout->slots[p->worker].worker,
                    &(struct worker_command){.verb = WORKER_MOVE,
                                             .moments = kind,
                                             .channel = p->channel,
                                             .frame = event ? frame_ref(event) : NULL,
                                             .more = share});
    }
    if ((p = v->partitions)) {
        LL_DELETE(v->partitions, p);
        LL_APPEND(v->partitions, p);
    }
    frame_unref(event);
}

void fanout_set_bounds(struct fanout *f, const struct fan_bounds *bounds) {
    f->config.bounds = *bounds;
    for (unsigned i = 0; i < f->count; i++) {
        struct fan_bounds *copy = mem_alloc(sizeof *copy);
        *copy = *bounds;
        worker_post(f->slots[i].worker, &(struct worker_command){.verb = WORKER_BOUNDS, .bounds = copy});
    }
}

void fanout_set_retry(struct fanout *f, uint32_t crowd_ms) {
    for (unsigned i = 0; i < f->count; i++)
        worker_post(f->slots[i].worker, &(struct worker_command){.verb = WORKER_RETRY, .more = crowd_ms});
}

// Unless that has been done a moment ago.
static void fanout_post_to_all(struct fanout *f, enum worker_verb verb, int64_t *again_ms) {
    int64_t now_ms = loop_now_ms(f->control);
    if (now_ms < *again_ms) return;
    *again_ms = now_ms + RELIEVE_AGAIN_MS;
    for (unsigned i = 0; i < f->count; i++)
        worker_post(f->slots[i].worker, &(struct worker_command){.verb = verb});
}

void fanout_relieve(struct fanout *f) {
    fanout_post_to_all(f, WORKER_RELIEVE, &f->relieve_again_ms);
}

void fanout_evict(struct fanout *f) {
    fanout_post_to_all(f, WORKER_EVICT, &f->evict_again_ms);
}

struct loop_lag fanout_lag(const struct fanout *f) {
    struct loop_lag sum = {0};
    for (unsigned i = 0; i < f->count; i++) {
        struct loop_lag lag = loop_lag(worker_env(f->slots[i].worker)->loop);
        sum.turns += lag.turns;
        sum.busy_us += lag.busy_us;
        if (lag.longest_us > sum.longest_us) sum.longest_us = lag.longest_us;
        for (unsigned step = 0; step < LOOP_LAG_STEPS; step++) sum.within[step] += lag.within[step];
    }
    return sum;
}

unsigned fanout_workers(const struct fanout *f) {
    return f->count;
}

bool fanout_shares_descriptors(const struct fanout *f) {
    return !f->config.own_descriptors;
}

unsigned fanout_viewers(const struct fanout *f) {
    unsigned sum = 0;
    for (unsigned i = 0; i < f->count; i++) sum += f->slots[i].viewers;
    return sum;
}

unsigned fan_video_viewers(const struct fan_video *v) {
    unsigned sum = 0;
    struct partition *p;
    LL_FOREACH(v->partitions, p) sum += p->viewers;
    return sum;
}

#include "fanout/fanout.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/budget.h"
#include "base/uthash.h"
#include "net/loop.h"
#include "fanout/counters.h"
#include "moments.h"
#include "worker.h"

enum {
    TABLE_RESERVE = 16, // descriptors that a worker needs for itself, and some to spare
    START_AGAIN_MS = 1000,
    RELIEVE_AGAIN_MS = 100,
    NO_WORKER = -1
};

// A video's share on one worker. It lives until the worker's last word about its channel.
struct share {
    struct fan_video *video; // NULL: retired, what the worker says of it is nobody's business
    struct channel *channel; // the worker's thread owns it
    unsigned worker;
    uint32_t viewers;
    struct share *next; // of the video
};

struct fan_video {
    struct fanout *fanout;
    struct fan_counters *counters;
    void (*on_left)(void *arg);
    void *arg;
    unsigned share_count : 31;
    bool over : 1; // nothing more is published
    struct share *shares;
    struct moments *moments; // NULL: none has been published
};

struct crew_member {
    struct worker *worker;
    uint32_t viewers;
};

struct fanout {
    struct loop *control;
    struct fanout_config config;
    uint32_t room; // viewers that one worker can hold
    unsigned count;
    int64_t start_again_ms; // not before: the last one could not be started
    int64_t relieve_again_ms;
    struct crew_member crew[FAN_WORKERS_MAX];
};

// Viewers are counted per share, to find the smallest one, and the sum of a video's shares is the video's.
// Two sums would have to visit many videos, and are kept: per worker, as its descriptor table bounds them,
// and per reader.
static void count_viewers(const struct fan_video *v, struct share *s, int n) {
    s->viewers += (uint32_t)n;
    v->fanout->crew[s->worker].viewers += (uint32_t)n;
    counter_add(&v->counters->viewers, (unsigned long long)n);
}

static void retire(struct fan_video *v, struct share *s) {
    LL_DELETE(v->shares, s);
    v->share_count--;
    count_viewers(v, s, -(int)s->viewers);
    s->video = NULL;
    worker_post(v->fanout->crew[s->worker].worker,
                &(struct worker_command){.verb = WORKER_RETIRE, .channel = s->channel});
}

static void on_left(void *arg, void *owner, uint32_t n) {
    (void)arg;
    struct share *s = owner;
    struct fan_video *v = s->video;
    if (!v) return;
    count_viewers(v, s, -(int)n);
    if (!s->viewers) retire(v, s);
    v->on_left(v->arg);
}

static void on_retired(void *arg, void *owner) {
    (void)arg;
    free(owner);
    budget_give_back(sizeof(struct share) + sizeof(struct channel));
}

static int start_worker(struct fanout *f) {
    int error;
    if (f->count == FAN_WORKERS_MAX) return -EAGAIN;
    struct worker_config config = {
        .bounds = f->config.bounds,
        .own_descriptors = f->config.own_descriptors,
        .listener = {.on_left = on_left, .on_retired = on_retired, .arg = f},
    };
    struct worker *w = worker_new(f->control, &config, &error);
    if (w) f->crew[f->count++] = (struct crew_member){.worker = w};
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
    do *error = start_worker(f);
    while (!*error && f->count < config->workers);
    if (!*error) return f;
    fanout_free(f);
    return NULL;
}

void fanout_free(struct fanout *f) {
    if (!f) return;
    for (unsigned i = 0; i < f->count; i++) worker_stop(f->crew[i].worker);
    loop_drain(f->control); // what they said last
    for (unsigned i = 0; i < f->count; i++) worker_free(f->crew[i].worker);
    free(f);
}

struct fan_video *fan_video_new(struct fanout *f, struct fan_counters *counters, void (*left)(void *arg),
                                void *arg) {
    struct fan_video *v = mem_zalloc(sizeof *v);
    v->fanout = f;
    v->counters = counters;
    v->on_left = left;
    v->arg = arg;
    return v;
}

void fan_video_free(struct fan_video *v) {
    if (!v) return;
    while (v->shares) retire(v, v->shares);
    moments_free(v->moments);
    free(v);
}

static struct share *find_share(const struct fan_video *v, unsigned worker) {
    struct share *s;
    LL_FOREACH(v->shares, s) {
        if (s->worker == worker) return s;
    }
    return NULL;
}

// Returns the worker with the fewest viewers that has room and nothing of the video, or NO_WORKER.
static int next_worker(const struct fan_video *v) {
    const struct fanout *f = v->fanout;
    int least = NO_WORKER;
    for (unsigned i = 0; i < f->count; i++) {
        if (f->crew[i].viewers >= f->room || find_share(v, i)) continue;
        if (least == NO_WORKER || f->crew[i].viewers < f->crew[least].viewers) least = (int)i;
    }
    return least;
}

// As many as there were at first, so that the viewers to come have as many cores.
static bool start_more(struct fanout *f) {
    unsigned had = f->count;
    int64_t now_ms = loop_now_ms(f->control);
    if (!f->config.own_descriptors || now_ms < f->start_again_ms) return false;
    while (f->count < had + f->config.workers && !start_worker(f)) continue;
    if (f->count == had) f->start_again_ms = now_ms + START_AGAIN_MS;
    return f->count > had;
}

static void give_moment(const struct fan_video *v, const struct share *s, uint8_t kind) {
    struct worker_command command = {.verb = WORKER_MOMENT,
                                     .moments = kind,
                                     .channel = s->channel,
                                     .frame = frame_ref(moments_get(v->moments, kind))};
    worker_post(v->fanout->crew[s->worker].worker, &command);
}

static struct share *share_new(struct fan_video *v, unsigned worker) {
    struct share *s = mem_zalloc(sizeof *s);
    s->video = v;
    s->worker = worker;
    s->channel = mem_alloc(sizeof *s->channel);
    channel_init(s->channel, worker_env(v->fanout->crew[worker].worker), v->counters, s);
    budget_take(sizeof *s + sizeof *s->channel);
    LL_PREPEND(v->shares, s);
    v->share_count++;
    for (uint8_t left = v->moments ? v->moments->known : 0; left; left &= (uint8_t)(left - 1))
        give_moment(v, s, moments_first(left));
    return s;
}

// The share with the fewest viewers, of those whose worker has room.
static struct share *smallest_share(const struct fan_video *v) {
    struct share *s, *least = NULL;
    LL_FOREACH(v->shares, s) {
        bool room = v->fanout->crew[s->worker].viewers < v->fanout->room;
        if (room && (!least || s->viewers < least->viewers)) least = s;
    }
    return least;
}

static struct share *choose_share(struct fan_video *v) {
    struct fanout *f = v->fanout;
    struct share *least = smallest_share(v);
    bool crowded = v->share_count < f->config.workers && fan_video_viewers(v) >= v->share_count * FAN_SPREAD;
    if (least && !crowded) return least;
    int worker = next_worker(v);
    if (worker == NO_WORKER && !least && start_more(f)) worker = next_worker(v);
    return worker == NO_WORKER ? least : share_new(v, (unsigned)worker);
}

// The worker that a connection lives on has room for it, as it has the connection's descriptor already.
static struct share *share_on(struct fan_video *v, unsigned worker) {
    struct share *s = find_share(v, worker);
    if (s) return s;
    return worker < v->fanout->count ? share_new(v, worker) : NULL;
}

static void end_share(const struct fan_video *v, const struct share *s) {
    worker_post(v->fanout->crew[s->worker].worker,
                &(struct worker_command){.verb = WORKER_END, .channel = s->channel});
}

bool fan_video_add(struct fan_video *v, const struct sink *sink, uint8_t asks, struct pending *pending) {
    struct share *s = sink->worker == SINK_ANY_WORKER ? choose_share(v) : share_on(v, (unsigned)sink->worker);
    if (!s) return false;
    count_viewers(v, s, 1);
    worker_post(
        v->fanout->crew[s->worker].worker,
        &(struct worker_command){
            .verb = WORKER_ADD, .moments = asks, .channel = s->channel, .sink = *sink, .pending = pending});
    if (v->over) end_share(v, s);
    return true;
}

void fan_video_end(struct fan_video *v) {
    struct share *s;
    v->over = true;
    LL_FOREACH(v->shares, s) end_share(v, s);
}

void fan_video_publish(struct fan_video *v, struct frame *frame) {
    struct share *s;
    LL_FOREACH(v->shares, s) {
        worker_post(v->fanout->crew[s->worker].worker, &(struct worker_command){.verb = WORKER_PUBLISH,
                                                                                .channel = s->channel,
                                                                                .frame = frame_ref(frame)});
    }
    frame_unref(frame);
}

void fan_video_publish_moment(struct fan_video *v, uint8_t kind, struct frame *frame) {
    struct share *s;
    moments_set(&v->moments, kind, frame);
    LL_FOREACH(v->shares, s) give_moment(v, s, kind);
}

void fanout_relieve(struct fanout *f) {
    int64_t now_ms = loop_now_ms(f->control);
    if (now_ms < f->relieve_again_ms) return;
    f->relieve_again_ms = now_ms + RELIEVE_AGAIN_MS;
    for (unsigned i = 0; i < f->count; i++)
        worker_post(f->crew[i].worker, &(struct worker_command){.verb = WORKER_RELIEVE});
}

unsigned fan_video_viewers(const struct fan_video *v) {
    unsigned sum = 0;
    struct share *s;
    LL_FOREACH(v->shares, s) sum += s->viewers;
    return sum;
}

#include "reader/fanout.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/map.h"
#include "net/loop.h"
#include "reader/worker.h"

// A video's share on one worker.
struct share {
    unsigned worker;
    uint32_t viewers;
    struct channel *channel; // the worker's thread owns it; NULL without viewers
    uint64_t serial;         // its
};

struct fan_video {
    struct fanout *fanout;
    struct fan_counters *counters;
    void (*on_left)(void *arg, unsigned n);
    void *arg;
    unsigned home;
    unsigned viewers;
    unsigned share_count;
    struct share *shares; // one per worker that ever had viewers of it
};

// Which video a channel is of: what a worker says of it may come after the video has gone.
struct channel_row {
    uint64_t serial;
    struct fan_video *video;
    UT_hash_handle hh;
};

struct fanout {
    struct loop *control;
    struct fanout_config config;
    unsigned count;
    struct worker **workers;
    struct channel_row *rows;
    uint64_t serials; // given to channels
};

static struct share *share_with(struct fan_video *v, uint64_t serial) {
    for (unsigned i = 0; i < v->share_count; i++)
        if (v->shares[i].channel && v->shares[i].serial == serial) return &v->shares[i];
    return NULL;
}

static void forget_channel(struct fanout *f, uint64_t serial) {
    struct channel_row *row;
    HASH_FIND(hh, f->rows, &serial, sizeof serial, row);
    if (!row) return;
    HASH_DEL(f->rows, row);
    free(row);
}

static void retire(struct fan_video *v, struct share *s) {
    forget_channel(v->fanout, s->serial);
    worker_give(v->fanout->workers[s->worker], WORKER_RETIRE, s->channel, NULL, -1, NULL);
    s->channel = NULL;
    s->viewers = 0;
}

static void on_left(void *arg, uint64_t serial, uint32_t n) {
    struct fanout *f = arg;
    struct channel_row *row;
    HASH_FIND(hh, f->rows, &serial, sizeof serial, row);
    if (!row) return;
    struct fan_video *v = row->video;
    struct share *s = share_with(v, serial);
    s->viewers -= n;
    v->viewers -= n;
    if (!s->viewers) retire(v, s);
    v->on_left(v->arg, n);
}

struct fanout *fanout_new(struct loop *control, const struct fanout_config *config, int *error) {
    struct fanout *f = mem_zalloc(sizeof *f);
    f->control = control;
    f->config = *config;
    f->workers = mem_zalloc(config->workers * sizeof(struct worker *));
    for (; f->count < config->workers; f->count++) {
        f->workers[f->count] = worker_new(control, on_left, f, error);
        if (!f->workers[f->count]) {
            fanout_free(f);
            return NULL;
        }
    }
    *error = 0;
    return f;
}

void fanout_free(struct fanout *f) {
    if (!f) return;
    struct channel_row *row, *next;
    HASH_ITER(hh, f->rows, row, next) {
        HASH_DEL(f->rows, row);
        free(row);
    }
    for (unsigned i = 0; i < f->count; i++) worker_stop(f->workers[i]);
    loop_drain(f->control); // what they said last; there is no row left, so nobody hears it
    for (unsigned i = 0; i < f->count; i++) worker_free(f->workers[i]);
    free(f->workers);
    free(f);
}

struct fan_video *fan_video_new(struct fanout *f, const char *video, struct fan_counters *counters,
                                void (*left)(void *arg, unsigned n), void *arg) {
    struct fan_video *v = mem_zalloc(sizeof *v);
    v->fanout = f;
    v->counters = counters;
    v->on_left = left;
    v->arg = arg;
    v->home = (unsigned)(hash_bytes(video, strlen(video)) % f->count);
    return v;
}

void fan_video_free(struct fan_video *v) {
    if (!v) return;
    for (unsigned i = 0; i < v->share_count; i++)
        if (v->shares[i].channel) retire(v, &v->shares[i]);
    free(v->shares);
    free(v);
}

static struct share *share_on(struct fan_video *v, unsigned worker) {
    for (unsigned i = 0; i < v->share_count; i++)
        if (v->shares[i].worker == worker) return &v->shares[i];
    v->shares = mem_realloc(v->shares, (v->share_count + 1) * sizeof *v->shares);
    struct share *s = &v->shares[v->share_count++];
    *s = (struct share){.worker = worker};
    return s;
}

static struct share *choose_share(struct fan_video *v) {
    if (v->viewers < FAN_SPREAD) return share_on(v, v->home);
    for (unsigned w = 0; w < v->fanout->count; w++) share_on(v, w);
    struct share *least = &v->shares[0];
    for (unsigned i = 1; i < v->share_count; i++)
        if (v->shares[i].viewers < least->viewers) least = &v->shares[i];
    return least;
}

static void open_channel(struct fan_video *v, struct share *s) {
    struct fanout *f = v->fanout;
    s->channel = mem_alloc(sizeof *s->channel);
    channel_init(s->channel, worker_loop(f->workers[s->worker]), v->counters, &f->config.bounds);
    struct channel_row *row = mem_zalloc(sizeof *row);
    row->serial = s->serial = s->channel->serial = ++f->serials;
    row->video = v;
    HASH_ADD(hh, f->rows, serial, sizeof row->serial, row);
}

void fan_video_add(struct fan_video *v, int fd, struct pending *pending) {
    struct share *s = choose_share(v);
    if (!s->channel) open_channel(v, s);
    s->viewers++;
    v->viewers++;
    worker_give(v->fanout->workers[s->worker], WORKER_ADD, s->channel, NULL, fd, pending);
}

void fan_video_publish(struct fan_video *v, struct frame *frame) {
    for (unsigned i = 0; i < v->share_count; i++) {
        struct share *s = &v->shares[i];
        if (s->channel)
            worker_give(v->fanout->workers[s->worker], WORKER_PUBLISH, s->channel, frame_ref(frame), -1,
                        NULL);
    }
    frame_unref(frame);
}

unsigned fan_video_viewers(const struct fan_video *v) {
    return v->viewers;
}

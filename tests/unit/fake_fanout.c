#include "fake_fanout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/uthash.h"
#include "frame_list.h"
#include "fanout/counters.h"
#include "fanout/ledger.h"
#include "fanout/fanout.h"
#include "fanout/pending.h"
#include "net/loop.h"
#include "net/sink.h"

struct fake_viewer {
    int number;
    struct fan_video *video;
    uint8_t asks;
    uint32_t user;
    struct frame_list given;
    struct fake_viewer *prev, *next;
};

struct fan_video {
    struct ledger *ledger;
    void (*on_left)(void *arg);
    void *arg;
    unsigned viewers;
    bool over;
    struct frame *moment; // of one kind
    uint8_t moment_kind;
};

static struct fake_viewer *all_viewers;
static unsigned videos;

static struct fake_viewer *find(int number) {
    struct fake_viewer *v;
    DL_FOREACH(all_viewers, v) {
        if (v->number == number) return v;
    }
    return NULL;
}

static void viewer_free(struct fake_viewer *v) {
    DL_DELETE(all_viewers, v);
    v->video->viewers--;
    counter_add(&v->video->ledger->counters->viewers, -1ULL);
    frame_list_release(&v->given);
    free(v);
}

struct fan_video *fan_video_new(struct fanout *f, struct ledger *ledger, const char *name,
                                void (*left)(void *arg), void *arg) {
    (void)f;
    (void)name;
    struct fan_video *v = mem_zalloc(sizeof *v);
    v->ledger = ledger_ref(ledger);
    v->on_left = left;
    v->arg = arg;
    videos++;
    return v;
}

void fan_video_free(struct fan_video *video, enum fan_end end) {
    (void)end;
    struct fake_viewer *v, *next;
    if (!video) return;
    DL_FOREACH_SAFE(all_viewers, v, next) {
        if (v->video == video) viewer_free(v);
    }
    frame_unref(video->moment);
    ledger_unref(video->ledger);
    free(video);
    videos--;
}

bool fan_video_add(struct fan_video *video, const struct sink *sink, uint8_t asks, struct pending *pending) {
    int number = sink->fd;
    assert(!find(number));
    struct fake_viewer *v = mem_zalloc(sizeof *v);
    v->number = number;
    v->video = video;
    v->asks = asks;
    v->user = sink->user;
    for (uint32_t i = 0; i < pending_left(pending); i++)
        frame_list_take(&v->given, frame_ref(pending_at(pending, i)));
    pending_free(pending);
    if (asks & video->moment_kind) frame_list_take(&v->given, frame_ref(video->moment));
    DL_APPEND(all_viewers, v);
    video->viewers++;
    counter_add(&video->ledger->counters->viewers, 1);
    return true;
}

void fan_video_end(struct fan_video *video) {
    video->over = true;
}

void fan_video_begin_again(struct fan_video *video, enum fan_end end) {
    (void)end;
    struct fake_viewer *v, *next;
    DL_FOREACH_SAFE(all_viewers, v, next) {
        if (v->video == video) viewer_free(v);
    }
    video->over = false;
}

void fan_video_publish(struct fan_video *video, struct frame *frame) {
    struct fake_viewer *v;
    assert(!video->over);
    DL_FOREACH(all_viewers, v) {
        if (v->video == video) frame_list_take(&v->given, frame_ref(frame));
    }
    frame_unref(frame);
}

struct fan_video *fan_video_beside(const struct fan_video *of) {
    struct fan_video *other = fan_video_new(NULL, of->ledger, NULL, of->on_left, of->arg);
    other->over = of->over;
    return other;
}

void fan_video_skip(struct fan_video *video, struct frame *frame, uint32_t user, uint32_t more) {
    struct fake_viewer *v;
    DL_FOREACH(all_viewers, v) {
        if (user && v->video == video && v->user == user)
            frame_list_take(&v->given, more ? frame_with_more(frame, more) : frame_ref(frame));
    }
    frame_unref(frame);
}

void fan_video_move(struct fan_video *video, unsigned count, uint8_t kind, struct frame *event) {
    struct fake_viewer *v, *next;
    (void)kind;
    DL_FOREACH_SAFE(all_viewers, v, next) {
        if (v->video != video || !count) continue;
        count--;
        viewer_free(v);
        video->on_left(video->arg);
    }
    frame_unref(event);
}

void fanout_set_retry(struct fanout *f, uint32_t crowd_ms) {
    (void)f;
    (void)crowd_ms;
}

unsigned fanout_workers(const struct fanout *f) {
    (void)f;
    return 1;
}

void fan_video_publish_moment(struct fan_video *video, uint8_t kind, struct frame *frame) {
    struct fake_viewer *v;
    frame_unref(video->moment);
    video->moment = frame;
    video->moment_kind = kind;
    DL_FOREACH(all_viewers, v) {
        if (v->video == video && v->asks & kind) frame_list_take(&v->given, frame_ref(frame));
    }
}

unsigned fan_video_viewers(const struct fan_video *video) {
    return video->viewers;
}

const char *fake_fanout_text(int number) {
    struct fake_viewer *v = find(number);
    return v ? frames_text(v->given.frames, v->given.count) : "no such viewer";
}

bool fake_fanout_is_over(int number) {
    return find(number)->video->over;
}

bool fake_fanout_has(int number) {
    return find(number) != NULL;
}

void fake_fanout_leave(int number) {
    struct fake_viewer *v = find(number);
    assert(v);
    struct fan_video *video = v->video;
    viewer_free(v);
    video->on_left(video->arg);
}

static unsigned relieved;

void fanout_relieve(struct fanout *f) {
    (void)f;
    relieved++;
}

void fanout_evict(struct fanout *f) {
    (void)f;
}

bool fanout_shares_descriptors(const struct fanout *f) {
    (void)f;
    return false;
}

unsigned fanout_viewers(const struct fanout *f) {
    (void)f;
    return 0;
}

struct loop_lag fanout_lag(const struct fanout *f) {
    (void)f;
    return (struct loop_lag){0};
}

unsigned fake_fanout_relieved(void) {
    return relieved;
}

unsigned fake_fanout_videos(void) {
    return videos;
}

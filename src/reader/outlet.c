#include "outlet.h"

#include <string.h>

#include "base/hash.h"
#include "fanout/fanout.h"
#include "fanout/frame.h"

void outlet_open(struct outlet *o, struct fanout *fanout, struct ledger *ledger, const char *video,
                 void (*on_left)(void *arg), void *arg) {
    *o = (struct outlet){.viewers = fan_video_new(fanout, ledger, video, on_left, arg)};
}

void outlet_close(struct outlet *o, enum fan_end end) {
    fan_video_free(o->viewers, end);
    fan_video_free(o->whole, end);
}

unsigned outlet_viewers(const struct outlet *o) {
    return fan_video_viewers(o->viewers) + (o->whole ? fan_video_viewers(o->whole) : 0);
}

uint32_t outlet_user(const char *user, size_t len) {
    uint32_t hash = (uint32_t)hash_bytes(user, len);
    return hash ? hash : 1;
}

bool outlet_add(struct outlet *o, const struct sink *sink, uint8_t asks, bool whole,
                struct pending *pending) {
    if (whole && !o->whole) o->whole = fan_video_beside(o->viewers);
    return fan_video_add(whole ? o->whole : o->viewers, sink, asks, pending);
}

static uint32_t author_of(const struct frame *f) {
    static const char name[] = "\"userid\":\"";
    size_t len;
    const char *member = frame_find_member(f, name, &len);
    return member ? outlet_user(member + sizeof name - 1, len - sizeof name) : 0;
}

void outlet_end(struct outlet *o) {
    o->over = true;
    fan_video_end(o->viewers);
    if (o->whole) fan_video_end(o->whole);
}

void outlet_begin_again(struct outlet *o, enum fan_end end) {
    o->over = false;
    fan_video_begin_again(o->viewers, end);
    if (o->whole) fan_video_begin_again(o->whole, end);
}

void outlet_publish(struct outlet *o, struct frame *f, enum sample_fate fate, uint32_t more) {
    if (o->over) {
        frame_unref(f);
        return;
    }
    if (o->whole) fan_video_publish(o->whole, frame_ref(f));
    if (fate == SAMPLE_LEFT_OUT) {
        fan_video_skip(o->viewers, f, author_of(f), more);
    } else if (more) {
        fan_video_publish(o->viewers, frame_with_more(f, more));
        frame_unref(f);
    } else {
        fan_video_publish(o->viewers, f);
    }
}

void outlet_tell_author(struct outlet *o, struct frame *f) {
    uint32_t author = author_of(f);
    f->is_private = true;
    if (!o->over && o->whole) fan_video_skip(o->whole, frame_ref(f), author, 0);
    if (!o->over) fan_video_skip(o->viewers, frame_ref(f), author, 0);
    frame_unref(f);
}

// Of both lists in proportion; where that is less than one of the second, every other time.
void outlet_move(struct outlet *o, unsigned count, uint8_t kind, struct frame *f) {
    unsigned second = o->whole ? fan_video_viewers(o->whole) : 0,
             all = fan_video_viewers(o->viewers) + second;
    unsigned share = count < all ? (unsigned)((uint64_t)count * second / all) : second;
    o->whole_first = !o->whole_first;
    if (o->whole_first && share < second && share < count) share++;
    if (share) fan_video_move(o->whole, share, kind, f ? frame_ref(f) : NULL);
    fan_video_move(o->viewers, count > share ? count - share : 0, kind, f);
}

void outlet_moment(struct outlet *o, uint8_t kind, struct frame *f) {
    if (o->whole) fan_video_publish_moment(o->whole, kind, frame_ref(f));
    fan_video_publish_moment(o->viewers, kind, f);
}

#include "fanout/removal.h"

#include <string.h>

#include "fanout/frame.h"
#include "fanout/replay.h"
#include "fanout/ring.h"

struct removal removal_of(const struct frame *f) {
    static const char target[] = "\"target\":\"", user[] = "\"userid\":\"";
    struct removal r = {.before = f->at};
    size_t len;
    if (f->removes == REMOVES_OF_USER) {
        r.member = frame_find_member(f, user, &r.member_len);
        return r;
    }
    const char *at = frame_find_member(f, target, &len);
    if (!at || !position_parse(at + sizeof target - 1, len - sizeof target, &r.target))
        r.target = (struct position){0};
    return r;
}

bool removal_takes(const struct removal *r, const struct frame *f) {
    if (!position_is_set(f->at) || position_compare(f->at, r->before) >= 0) return false;
    if (position_is_set(r->target)) return position_compare(f->at, r->target) == 0 && frame_is_plain(f);
    return r->member && frame_is_plain(f) && memmem(f->bytes + f->head, f->len, r->member, r->member_len);
}

static struct frame *removal_replace(struct frame *f) {
    struct frame *taken = frame_of_taken(f);
    frame_unref(f);
    return taken;
}

bool removal_from_ring(const struct removal *r, struct ring *ring, uint64_t from, uint64_t to) {
    bool any = false;
    for (uint64_t n = from; n < to; n++) {
        struct frame *f = ring_at(ring, n);
        if (!removal_takes(r, f)) continue;
        ring_replace(ring, n, frame_of_taken(f));
        any = true;
    }
    return any;
}

void removal_from_frames(const struct removal *r, struct frame **frames, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (removal_takes(r, frames[i])) frames[i] = removal_replace(frames[i]);
}

struct replay *removal_from_replay(const struct removal *r, const struct replay *replay) {
    uint32_t i = 0;
    while (i < replay->count && !removal_takes(r, replay->frames[i])) i++;
    if (i == replay->count) return NULL;
    struct replay *copy = replay_new(replay->count);
    for (uint32_t n = 0; n < replay->count; n++) {
        struct frame *f = replay->frames[n];
        replay_add(copy, n >= i && removal_takes(r, f) ? frame_of_taken(f) : frame_ref(f));
    }
    return copy;
}

#include "remove.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/uthash.h"
#include "channel_core.h"
#include "fanout/frame.h"
#include "fanout/pending.h"
#include "fanout/removal.h"
#include "fanout/replay.h"
#include "viewer.h"
#include "viewer_state.h"

// A replay that viewers share, and what stands for it.
struct replaced {
    const struct replay *of;
    struct replay *by; // NULL: nothing in it is removed
    struct replaced *next;
};

static struct replay *replaced_find(struct replaced **all, const struct removal *r,
                                    const struct replay *replay) {
    struct replaced *found;
    LL_FOREACH(*all, found) {
        if (found->of == replay) return found->by;
    }
    found = mem_alloc(sizeof *found);
    *found = (struct replaced){.of = replay, .by = removal_from_replay(r, replay)};
    LL_PREPEND(*all, found);
    return found->by;
}

// Returns the list with another replay. Frames that are begun, the first `begun`, stay as they are.
static struct pending *pending_change_replay(struct pending *p, uint32_t begun, struct replay *by) {
    uint32_t own = p->count - p->next;
    if (begun <= own) {
        replay_unref(p->replay);
        p->replay = replay_ref(by);
        return p;
    }
    struct pending *changed = pending_new(begun);
    for (uint32_t i = 0; i < begun; i++) changed = pending_add(changed, frame_ref(pending_at(p, i)));
    pending_add_replay(changed, replay_ref(by), p->replay_next + begun - own);
    pending_free(p);
    return changed;
}

static void viewer_remove_pending(struct viewer *v, const struct removal *r, struct replaced **replays) {
    struct pending *p = v->pending;
    uint32_t begun = viewer_frames_begun(v), first = p->next + begun;
    if (first < p->count) removal_from_frames(r, p->frames + first, p->count - first);
    struct replay *by = p->replay ? replaced_find(replays, r, p->replay) : NULL;
    if (by) v->pending = pending_change_replay(p, begun, by);
}

static void channel_remove_pending(struct channel *ch, const struct removal *r) {
    struct replaced *replays = NULL, *found, *next;
    for (uint32_t i = ch->viewers.ready; i < ch->viewers.count; i++) {
        struct viewer *v = ch->viewers.at[i];
        if (v->pending) viewer_remove_pending(v, r, &replays);
    }
    LL_FOREACH_SAFE(replays, found, next) {
        replay_unref(found->by);
        free(found);
    }
}

static bool channel_holds(const struct channel *ch, const struct removal *r, uint64_t from, uint64_t to) {
    for (uint64_t n = from; n < to; n++)
        if (removal_takes(r, ring_at(&ch->ring, n))) return true;
    return false;
}

// Viewers may have begun to receive what is replaced in the ring.
static void channel_remove_ring(struct channel *ch, const struct removal *r, uint64_t from, uint64_t to) {
    if (!channel_holds(ch, r, from, to)) return;
    for (uint32_t i = ch->viewers.ready; i < ch->viewers.behind; i++) viewer_keep_begun(ch->viewers.at[i]);
    removal_from_ring(r, &ch->ring, from, to);
}

void channel_remove(struct channel *ch, struct frame *by) {
    struct removal r = removal_of(by);
    struct flush *f = ch->flush;
    uint64_t from = f ? f->from : ch->ring.next, to = f ? f->to : ch->ring.next;
    channel_remove_pending(ch, &r);
    channel_remove_ring(ch, &r, ch->ring.first, from);
    channel_remove_ring(ch, &r, to, ch->ring.next);
    if (!f || !channel_holds(ch, &r, from, to)) return;
    if (!f->then_remove) f->then_remove = pending_new(1);
    f->then_remove = pending_add(f->then_remove, frame_ref(by));
}

// What viewers know of a room at the end, if they asked for it.
#include <inttypes.h>

#include "checker_inner.h"

enum {
    ROOM_US = 6000000,  // so long a reader may not have heard of a change
    PINNED_US = 3000000 // so long before a viewer gets an entry it may have been asked for
};

static void judge_states(struct judge *g, int64_t end_us, size_t who) {
    const struct watcher *w = &g->watchers[who];
    for (unsigned state = STATE_BAN + 1; state < STATES; state++) {
        unsigned value = w->room & 1u << state ? STATE_ON : STATE_OFF;
        if (!(moderation_values(&g->moderation, (enum room_state)state, w->video, 0, end_us - ROOM_US,
                                end_us) &
              value))
            judge_find(g, end_us, "room", "w%zu: state %u of v%" PRIu32 " is not %s", who, state, w->video,
                       value == STATE_ON ? "on" : "off");
    }
}

// The last entry of the log, as far as viewers got it, that says what is pinned.
static const struct known *newest_pin(const struct judge *g, uint32_t video, struct position *target) {
    const struct moderation *m = &g->moderation;
    const struct known *found = NULL;
    for (size_t i = 0; i < m->entry_count; i++) {
        const struct known *e = &m->entries[i];
        if (e->video != video || e->number != DEED_PIN) continue;
        if (found && position_compare(e->at, found->at) < 0) continue;
        found = e;
        *target = m->targets[i];
    }
    return found;
}

// Whether a moderator asked for it, and no viewer need have got the entry; or it may be done late.
static bool may_be_pinned_since(const struct judge *g, uint32_t video, struct position target,
                                int64_t since_us) {
    for (size_t i = 0; i < g->moderation.count; i++) {
        const struct deed *d = &g->moderation.deeds[i];
        bool is_late = d->sent_us >= since_us || d->unsure;
        if (d->kind == DEED_PIN && d->video == video && is_late && !position_compare(d->target, target))
            return true;
    }
    return false;
}

// What the log has last is pinned, unless it was deleted.
static void judge_pinned(struct judge *g, int64_t end_us, size_t who) {
    const struct watcher *w = &g->watchers[who];
    struct position target = {0};
    const struct known *pin = newest_pin(g, w->video, &target);
    int64_t since_us = pin ? pin->first_us - PINNED_US : 0;
    const struct known *k = position_is_set(w->pinned) ? known_find(&g->known, w->video, w->pinned) : NULL;
    if (moderation_may_be_lost(&g->moderation, w->video, since_us, end_us)) return;
    if (k && moderation_has_removed(&g->moderation, w->video, w->pinned, k->writer, k->acked_us,
                                    end_us - ROOM_US, end_us))
        judge_find(g, end_us, "room", "w%zu: %s is pinned in v%" PRIu32 ", and was deleted", who,
                   text_of(w->pinned), w->video);
    if (!position_compare(w->pinned, target) || may_be_pinned_since(g, w->video, w->pinned, since_us)) return;
    const struct known *was = known_find(&g->known, w->video, target);
    if (!position_is_set(w->pinned) &&
        moderation_may_have_removed(&g->moderation, w->video, target, was ? was->writer : 0, end_us))
        return;
    judge_find(g, end_us, "room", "w%zu: %s is pinned in v%" PRIu32 ", and %s in the log", who,
               position_is_set(w->pinned) ? text_of(w->pinned) : "nothing", w->video,
               position_is_set(target) ? text_of(target) : "nothing");
}

void judge_room(struct judge *g, int64_t end_us, size_t who) {
    const struct watcher *w = &g->watchers[who];
    if (!w->wants_room || !w->streaming || w->pace != PACE_FAST || end_us - w->stream_us < ROOM_US) return;
    if (w->room_us < 0) {
        judge_find(g, end_us, "room", "w%zu has not heard of that of v%" PRIu32, who, w->video);
        return;
    }
    judge_states(g, end_us, who);
    judge_pinned(g, end_us, who);
}

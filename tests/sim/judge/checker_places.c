// Where viewers are served: by the reader that the store names, or by one of the set (DESIGN, "Placement").
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "checker_inner.h"

enum {
    FRESH_US = 2000000,   // so long a reader may go by what it was told before
    LOOK_US = 200000,     // the journal's own delay
    EVENING_US = 3000000, // so long viewers go on leaving a reader that is no member any more
    EVENING_SLACK = 4,
    GONE_US = 15000000, // so long viewers may take to leave a reader
    FULL_US = 3000000,  // so long a reader may count those who have left it
    FULL_PERCENT = 80   // a reader that has nearly as many viewers as it may have may seem full
};

static uint32_t reader_number(const char *instance) {
    static const char before[] = "reader-";
    size_t len = sizeof before - 1;
    return strncmp(instance, before, len) != 0 ? 0 : (uint32_t)strtoul(instance + len, NULL, 10);
}

static bool has_member(uint32_t members, uint32_t reader) {
    while (members && members % 10 != reader) members /= 10;
    return members && reader;
}

// Whether the store named this reader for the video, alone or in a set, at any moment between the two times.
static bool is_named(const struct judge *g, uint32_t video, uint32_t reader, int64_t from_us, int64_t to_us) {
    bool named = false;
    for (size_t i = 0; i < g->place_count && g->places[i]->at_us <= to_us; i++) {
        const struct journal_event *e = g->places[i];
        if (e->video != video) continue;
        bool names = e->place == reader || has_member(e->number, reader);
        named = e->at_us < from_us ? names : named || names; // what came before counts if nothing else came
    }
    return named;
}

// Whether the store named its reader when a viewer's stream began.
static bool is_at_its_place(const struct judge *g, const struct watcher *w) {
    return is_named(g, w->video, reader_number(w->instance), w->asked_us - FRESH_US, w->stream_us + LOOK_US);
}

// Whether the store had a set with this reader in force at any moment between the two times.
static bool was_member(const struct judge *g, uint32_t video, uint32_t reader, int64_t from_us,
                       int64_t to_us) {
    bool member = false;
    for (size_t i = 0; i < g->place_count && g->places[i]->at_us <= to_us; i++) {
        const struct journal_event *e = g->places[i];
        if (e->video != video) continue;
        bool is = has_member(e->number, reader);
        member = e->at_us < from_us ? is : member || is;
    }
    return member;
}

// Whether a reader has about as many viewers of a video as the others of its set, or more. While it moves
// those that it has too many, others leave by themselves.
static bool has_its_share(const struct judge *g, const struct watcher *w) {
    size_t own = 0, all = 0, readers = 0;
    bool counted[READERS_MAX + 1] = {false};
    for (size_t i = 0; i < g->watcher_count; i++) {
        const struct watcher *other = &g->watchers[i];
        uint32_t reader = other->streaming && other->video == w->video ? reader_number(other->instance) : 0;
        if (!reader || reader > READERS_MAX) continue;
        all++;
        own += !strcmp(other->instance, w->instance);
        readers += !counted[reader];
        counted[reader] = true;
    }
    return 3 * readers * (own + EVENING_SLACK) >= 2 * all;
}

// Whether an operator has lately ordered viewers of a video, or all of its reader, to leave.
static bool is_ordered(const struct judge *g, const struct watcher *w, int64_t at_us) {
    uint32_t reader = reader_number(w->instance);
    for (size_t i = g->order_count; i-- > 0 && at_us - g->orders[i]->at_us <= GONE_US;) {
        const struct journal_event *e = g->orders[i];
        if (!strcmp(e->word, "move") && e->video == w->video) return true;
        if (!strcmp(e->word, "drain") && e->number == reader) return true;
    }
    return false;
}

bool may_be_moved(const struct judge *g, const struct watcher *w, int64_t at_us) {
    return is_ordered(g, w, at_us) ||
           (was_member(g, w->video, reader_number(w->instance), at_us - EVENING_US, at_us) &&
            has_its_share(g, w));
}

static bool is_nearly_full(const struct judge *g) {
    size_t counts[READERS_MAX + 1] = {0};
    for (size_t i = 0; g->most && i < g->watcher_count; i++) {
        uint32_t reader = g->watchers[i].streaming ? reader_number(g->watchers[i].instance) : 0;
        if (reader && reader <= READERS_MAX && ++counts[reader] * 100 >= g->most * FULL_PERCENT) return true;
    }
    return false;
}

// A stream stays where it is when its video goes to another reader: only those count that began since the
// faults were over. Where a reader is full, another one takes its viewers.
static bool is_placed(const struct judge *g, const struct watcher *w) {
    return w->streaming && w->follows && is_settled(g, w->stream_us);
}

static void judge_place_of(struct judge *g, int64_t end_us, size_t who) {
    const struct watcher *w = &g->watchers[who];
    uint32_t reader = reader_number(w->instance);
    if (!is_placed(g, w) || !reader || w->began_full) return;
    if (!is_at_its_place(g, w))
        judge_find(g, end_us, "misplaced", "w%zu of v%" PRIu32 " is at %s, which has not got it", who,
                   w->video, w->instance);
}

static void judge_owners(struct judge *g, int64_t end_us) {
    for (size_t i = 0; i < g->watcher_count; i++) {
        const struct watcher *a = &g->watchers[i], *b = a + 1;
        if (!is_placed(g, a)) continue;
        while (b < g->watchers + g->watcher_count && !(is_placed(g, b) && b->video == a->video)) b++;
        if (b < g->watchers + g->watcher_count && strcmp(a->instance, b->instance) != 0)
            judge_find(g, end_us, "two-owners", "v%" PRIu32 ": w%zu is at %s, w%zu at %s", a->video, i,
                       a->instance, (size_t)(b - g->watchers), b->instance);
    }
}

// The mapping names the first reader of a set that is in force.
static void judge_hint(struct judge *g, int64_t end_us, uint32_t video) {
    const struct journal_event *last = NULL;
    for (size_t i = 0; i < g->place_count; i++)
        if (g->places[i]->video == video) last = g->places[i];
    uint32_t first = last ? last->number : 0;
    while (first >= 10) first /= 10;
    if (first && first != last->place)
        judge_find(g, end_us, "hint", "v%" PRIu32 " has the set %" PRIu32 ", and its mapping names %" PRIu32,
                   video, last->number, last->place);
}

static const struct journal_event *last_order(const struct judge *g, int64_t at_us, uint32_t reader) {
    for (size_t i = g->order_count; i-- > 0;) {
        const struct journal_event *e = g->orders[i];
        bool drains = !strcmp(e->word, "drain") || !strcmp(e->word, "stay");
        if (drains && e->number == reader && e->at_us <= at_us) return e;
    }
    return NULL;
}

// Whether an order was given when the faults were over, and viewers have had time to leave since.
static bool is_to_be_done(const struct judge *g, const struct journal_event *e, int64_t end_us) {
    return g->calm_us >= 0 && e->at_us >= g->calm_us && end_us - e->at_us >= GONE_US &&
           is_settled(g, end_us - GONE_US);
}

// A reader that was told to drain, and has long been seen to, has no viewers; but for those that do not read.
// One that was told during the faults may have been started again since.
static void judge_drained(struct judge *g, int64_t end_us, size_t who) {
    const struct watcher *w = &g->watchers[who];
    const struct journal_event *e = w->streaming ? last_order(g, end_us, reader_number(w->instance)) : NULL;
    bool drains = e && e->kind == JOURNAL_OBEYED && !strcmp(e->word, "drain") && e->count == 200;
    if (drains && w->pace != PACE_STALLED && is_to_be_done(g, e, end_us))
        judge_find(g, end_us, "kept", "w%zu is at %s, which drains", who, w->instance);
}

// So has one from which a video was moved, of that video, unless it has got it back since. One that had it
// before, alone or in a set, may have some that stayed.
static void judge_moved(struct judge *g, int64_t end_us, size_t who) {
    const struct watcher *w = &g->watchers[who];
    uint32_t reader = reader_number(w->instance);
    if (!w->streaming || !w->follows || w->pace == PACE_STALLED || !reader) return;
    for (size_t i = 0; i < g->order_count; i++) {
        const struct journal_event *e = g->orders[i];
        bool moved = e->kind == JOURNAL_OBEYED && !strcmp(e->word, "move") && e->count == 200;
        if (!moved || e->video != w->video || w->stream_us > e->at_us) continue;
        if (!is_named(g, w->video, reader, e->at_us - LOOK_US, e->at_us)) continue;
        if (is_to_be_done(g, e, end_us) && !is_named(g, w->video, reader, e->at_us + LOOK_US, end_us))
            judge_find(g, end_us, "kept", "w%zu of v%" PRIu32 " is at %s, from which that was moved", who,
                       w->video, w->instance);
    }
}

void take_order(struct judge *g, const struct journal_event *e) {
    static const uint64_t right[] = {0, 200, 404, 409, 503};
    bool is_right = e->kind == JOURNAL_ORDER;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) is_right |= e->count == right[i];
    if (!is_right)
        judge_find(g, e->at_us, "refused", "%s of v%" PRIu32 " and reader %" PRIu32 ": %" PRIu64, e->word,
                   e->video, e->number, e->count);
    g->orders[g->order_count++] = e;
}

void take_placed(struct judge *g, const struct journal_event *e) {
    g->places[g->place_count++] = e;
}

bool note_full(struct judge *g, int64_t at_us) {
    if (is_nearly_full(g)) g->full_us = at_us;
    return g->full_us && at_us - g->full_us <= FULL_US;
}

void judge_places_end(struct judge *g, int64_t end_us) {
    if (!g->most && !g->place_count) judge_owners(g, end_us);
    for (size_t i = 0; i < g->watcher_count; i++) judge_drained(g, end_us, i);
    if (!g->place_count) return;
    for (size_t i = 0; i < g->watcher_count; i++) {
        judge_place_of(g, end_us, i);
        judge_moved(g, end_us, i);
    }
    for (uint32_t video = 1; video < g->video_count; video++) judge_hint(g, end_us, video);
}

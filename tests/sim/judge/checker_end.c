// What each viewer and each writer has at the end.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checker_inner.h"

// The gap over a comment: the first one after it was there, else one that came before.
static const struct range *watcher_gap_over(const struct watcher *w, const struct known *k) {
    const struct range *found = NULL;
    for (size_t i = 0; i < w->gap_count; i++) {
        const struct range *gap = &w->gaps[i];
        if (position_compare(gap->from, k->at) > 0 || position_compare(k->at, gap->to) > 0) continue;
        if (gap->at_us >= k->first_us) return gap;
        if (!found) found = gap;
    }
    return found;
}

// Whether the log may have had an entry by then, which was seen only later.
static bool may_be_in_by(struct judge *g, const struct known *it, int64_t at_us) {
    if (it->writer == KNOWN_ENTRY) return it->first_us - at_us <= INT64_C(1000000) * JUDGE_BACK_S;
    const struct post *p = post_find(g, it->writer, it->number);
    return p && p->at_us <= at_us;
}

// Whether the log may have dropped a comment by then, because so many numbers came after it: of comments, and
// of tombstones, which viewers are not shown.
static bool may_have_expired(struct judge *g, size_t i, const struct range *gap) {
    int64_t at_us = gap->at_us;
    const struct known *k = &g->known.all[i];
    uint64_t later = 0, epoch = k->at.epoch, seq = k->at.seq;
    for (size_t n = i + 1; n < g->known.count && g->known.all[n].video == k->video; n++) {
        const struct known *it = &g->known.all[n];
        bool is_later = it->first_us > at_us && position_compare(it->at, gap->newest) > 0;
        if (is_later && !may_be_in_by(g, it, at_us)) continue;
        if (it->at.epoch != epoch) seq = 0;
        epoch = it->at.epoch;
        later += it->at.seq - seq;
        seq = it->at.seq;
    }
    for (size_t n = 0; n < g->tombstone_count; n++) {
        const struct known *it = &g->tombstones[n];
        bool is_last = it->video == k->video && it->at.epoch > k->at.epoch && it->first_us <= at_us;
        struct position next = {it->at.epoch, it->at.seq + 1};
        later += is_last && !known_find(&g->known, it->video, next); // else it has been counted
    }
    return g->kept && later >= g->kept;
}

bool ends_between(const struct judge *g, const char *name, int64_t from_us, int64_t to_us) {
    static const char *const ends[] = {"kill_", "power_", "terminate_", "memory_"};
    for (size_t i = 0; i < g->fault_count && g->faults[i]->at_us <= to_us; i++) {
        const struct journal_event *e = g->faults[i];
        if (e->at_us + INT64_C(1000000) * JUDGE_DRAIN_S < from_us) continue;
        for (size_t n = 0; n < sizeof ends / sizeof *ends; n++) {
            size_t len = strlen(ends[n]);
            if (strncmp(e->word, ends[n], len) != 0) continue;
            if (e->at_us < from_us && strcmp(ends[n], "terminate_") != 0) continue;
            if (!strcmp(e->word + len, name) || !strcmp(e->word + len, "up")) return true;
        }
    }
    return false;
}

// Whether it shows that the process which it came from knew of a comment or of a later one of its epoch, and
// which: the comment API that has answered, the reader that has sent it to a viewer. *since_us: a moment
// after which that process ran. What a viewer sees, the beginning of its stream too, may have been in flight
// when its reader ended; but it has answered what the viewer asked.
static bool shows_knowledge(const struct judge *g, const struct journal_event *e, const struct known *k,
                            char name[JOURNAL_WORD], int64_t *since_us) {
    bool follows = e->at.epoch == k->at.epoch && e->at.seq >= k->at.seq;
    if (!follows || (e->kind != JOURNAL_STORED && e->kind != JOURNAL_COMMENT)) return false;
    const struct known *it = known_find(&g->known, k->video, e->at);
    if (e->kind == JOURNAL_STORED) {
        if (!it || it->writer != e->who || it->number != e->number) return false;
        snprintf(name, JOURNAL_WORD, "comment-%" PRIu32, e->place + 1);
        *since_us = e->at_us < k->lost_us ? e->at_us : k->lost_us;
        return true;
    }
    if (g->watchers[e->who].video != k->video) return false;
    const struct source *from = &g->sources[e - g->j->events];
    snprintf(name, JOURNAL_WORD, "%s", from->reader);
    *since_us = from->since_us;
    return true;
}

static bool knowers_have_ended(const struct judge *g, const struct known *k) {
    char name[JOURNAL_WORD];
    int64_t announced_us = k->lost_us + INT64_C(1000000) * JUDGE_UNTOLD_S;
    for (size_t i = 0; i < g->j->count; i++) {
        const struct journal_event *e = &g->j->events[i];
        if (e->at_us > announced_us) break;
        int64_t since_us;
        if (!shows_knowledge(g, e, k, name, &since_us)) continue;
        if (!ends_between(g, name, since_us, announced_us)) return false;
    }
    return true;
}

// Whether each process that knew of a lost comment has ended before it can have announced the loss. Looked up
// once for all viewers.
static bool all_have_ended(const struct judge *g, const struct known *k) {
    enum told *told = &g->told[k - g->known.all];
    if (*told == TOLD_UNKNOWN) *told = knowers_have_ended(g, k) ? TOLD_NO : TOLD_YES;
    return *told == TOLD_NO;
}

// Whether it has seen, beyond a comment that it misses, another one that is lost: of two servers that took
// writes side by side its reader was at the one that was given up, and knew nothing of the other.
static bool was_at_the_other(const struct judge *g, const struct watcher *w, size_t i) {
    const struct known *k = &g->known.all[i];
    if (!is_since_split(g, k)) return false;
    for (size_t n = i + 1; n < g->known.count && g->known.all[n].video == k->video; n++)
        if (w->has[n] && g->known.all[n].lost_us >= 0) return true;
    return false;
}

// Whether the store had lost something of a comment's video just before it was appended: readers may not have
// come back to the store by then.
static bool is_appended_after_loss(const struct judge *g, const struct known *k) {
    for (size_t i = 0; i < g->loss_count; i++) {
        int64_t since_us = k->first_us - g->losses[i]->at_us;
        if (g->losses[i]->video == k->video && since_us >= 0 && since_us <= INT64_C(1000000) * JUDGE_BACK_S)
            return true;
    }
    return false;
}

// Whether a viewer was above a comment, and has come back, or its reader had to, and got a gap: where clocks
// have gone back, one may be appended in a lower epoch than one that was lost. What the viewer had of that it
// cannot tell.
static bool came_from_above(const struct judge *g, const struct watcher *w, const struct known *k) {
    for (size_t i = 0; i < w->gap_count; i++) {
        const struct range *gap = &w->gaps[i];
        if (gap->reason != 2) continue;
        if (gap->stream_us > k->first_us && position_compare(gap->asked, k->at) > 0) return true;
        if (gap->at_us > k->first_us && position_compare(gap->before, k->at) > 0 &&
            is_appended_after_loss(g, k))
            return true;
    }
    return false;
}

// Whether a viewer has come back after a loss, above it, for so much that the announcement had expired, too.
static bool announcement_has_expired(const struct watcher *w, const struct known *k) {
    for (size_t i = 0; i < w->gap_count; i++) {
        const struct range *gap = &w->gaps[i];
        bool is_above = position_compare(gap->from, k->at) > 0;
        if (gap->reason == 0 && is_above && k->lost_us >= 0 && gap->at_us >= k->lost_us) return true;
    }
    return false;
}

static void judge_missed(struct judge *g, uint32_t who, const struct watcher *w, size_t i) {
    const struct known *k = &g->known.all[i];
    const struct range *gap = watcher_gap_over(w, k);
    bool was_lost_before = k->lost_us >= 0 && k->lost_us <= w->began_us;
    // The store learns of a loss from a process that knows more: perhaps after a viewer has left, or never,
    // if all such processes have ended. One that reads nothing gets no gap, and one that was at each of two
    // servers learns only that it has gone back.
    bool goes = w->left || w->pace == PACE_STALLED || announcement_has_expired(w, k),
         was_at_both = w->went_back && is_since_split(g, k);
    bool may_be_announced = was_at_both || (k->lost_us >= 0 ? goes || all_have_ended(g, k)
                                                            : w->left && was_at_the_other(g, w, i));
    if (!gap && !w->misses && !may_be_announced && (k->lost_us < 0 || (k->acked_us >= 0 && !was_lost_before)))
        judge_find(g, k->first_us, "silent-loss", "w%" PRIu32 " misses %s of v%" PRIu32 "%s", who,
                   text_of(k->at), w->video, k->lost_us < 0 ? "" : ", which the store lost");
    // What one server took is passed over in the epoch that begins when they are one again.
    bool was_there = gap && (gap->at_us >= k->first_us || !w->left);
    if (was_there && moderation_may_have_removed(&g->moderation, k->video, k->at, k->writer, gap->at_us))
        return;
    if (was_there && gap->reason != 1 && !is_since_split(g, k) && !came_from_above(g, w, k) &&
        k->lost_us < 0 && !may_have_expired(g, i, gap))
        judge_find(g, gap->at_us, "needless-gap", "w%" PRIu32 " does not get %s of v%" PRIu32 " (%s)", who,
                   text_of(k->at), w->video, gap_reasons[gap->reason]);
}

// A gap that says that the store has lost something, although it has not.
static void judge_gaps(struct judge *g, uint32_t who, const struct watcher *w) {
    for (size_t i = 0; i < w->gap_count; i++) {
        const struct range *gap = &w->gaps[i];
        bool found = gap->reason != 2;
        for (size_t n = 0; n < g->loss_count && !found; n++)
            found = g->losses[n]->video == w->video && g->losses[n]->at_us <= gap->at_us;
        if (!found)
            judge_find(g, gap->at_us, "needless-gap", "w%" PRIu32 ": v%" PRIu32 " has lost nothing", who,
                       w->video);
    }
}

static void judge_watcher(struct judge *g, uint32_t who, const struct watcher *w) {
    if (w->began_us < 0) return;
    struct position reach = w->at;
    for (size_t i = known_after(&g->known, w->video, w->start); i < g->known.count; i++) {
        const struct known *k = &g->known.all[i];
        if (k->video != w->video || position_compare(k->at, reach) > 0) break;
        // Where clocks have gone back, one may be appended below what it had seen, just before or after it
        // has left.
        bool is_below = k->at.epoch < w->at.epoch;
        int64_t in_time_us = w->left_us - (is_below ? JUDGE_BELOW_MS * INT64_C(1000) : 0);
        bool is_due = !w->left || k->first_us < in_time_us;
        if (!w->has[i] && is_due) judge_missed(g, who, w, i);
    }
    judge_gaps(g, who, w);
}

// What is in the log at the end and comes last.
static const struct known *judge_newest(const struct judge *g, uint32_t video) {
    size_t i = known_after(&g->known, video, (struct position){UINT64_MAX, UINT64_MAX});
    while (i-- > 0 && g->known.all[i].video == video)
        if (g->known.all[i].lost_us < 0) return &g->known.all[i];
    return NULL;
}

static void judge_reach(struct judge *g, int64_t end_us, uint32_t who, const struct watcher *w) {
    const struct known *newest = judge_newest(g, w->video);
    if (w->left || w->pace == PACE_STALLED) return;
    if (!w->streaming)
        judge_find(g, end_us, "behind", "w%" PRIu32 " of v%" PRIu32 " has no stream", who, w->video);
    else if (newest && position_compare(w->at, newest->at) < 0)
        judge_find(g, end_us, "behind", "w%" PRIu32 " of v%" PRIu32 " is at %s, not %s", who, w->video,
                   text_of(w->at), text_of(newest->at));
}

// The store's own count, which is lost with what it counts. What one of two servers took, and was given up,
// may be there again.
static void judge_total(struct judge *g, const struct journal_event *e) {
    size_t unknown = 0, least = g->v->comments - g->v->lost;
    for (size_t i = 0; i < g->post_count; i++) unknown += !position_is_set(g->posts[i].at);
    size_t most = (g->split_us < 0 ? least : g->v->comments) + unknown;
    least -= judge_forgotten(g, e->at_us);
    if (e->count >= least && e->count <= most) return;
    judge_find(g, e->at_us, "totals",
               "%" PRIu64 " in the statistics, %zu known, %zu of those lost, %zu of unknown outcome",
               e->count, g->v->comments, g->v->lost, unknown);
}

static bool has_ledger(const struct judge *g, uint32_t video) {
    const struct known *newest = judge_newest(g, video);
    if (!newest || newest->first_us < g->calm_us) return false;
    for (size_t i = 0; i < g->watcher_count; i++)
        if (g->watchers[i].streaming && g->watchers[i].video == video) return true;
    return false;
}

// Each question has an answer. There need not be a ledger of a video that no viewer gets comments of.
static void judge_counts(struct judge *g) {
    for (size_t i = 0; i < g->j->count; i++) {
        const struct journal_event *asked = &g->j->events[i];
        if (asked->kind != JOURNAL_COUNT) continue;
        bool found = false;
        for (size_t n = i + 1; n < g->j->count && !found; n++) {
            const struct journal_event *e = &g->j->events[n];
            found = asked->video ? e->kind == JOURNAL_LEDGER && e->video == asked->video
                                 : e->kind == JOURNAL_TOTAL;
        }
        g->v->counted += found;
        if (!found && (!asked->video || has_ledger(g, asked->video)))
            judge_find(g, asked->at_us, "uncounted", "%s%.0" PRIu32, asked->video ? "the ledger of v" : "all",
                       asked->video);
    }
}

void judge_end(struct judge *g, const struct journal_event *end) {
    for (size_t i = 0; i < g->watcher_count; i++)
        if (g->watchers[i].joined) judge_watcher(g, (uint32_t)i, &g->watchers[i]);
    for (size_t i = 0; i < g->j->count; i++)
        if (g->j->events[i].kind == JOURNAL_TOTAL) judge_total(g, &g->j->events[i]);
    judge_moderated(g);
    if (!end || g->calm_us < 0 || end->at_us - g->calm_us < JUDGE_CALM_S * INT64_C(1000000)) return;
    for (size_t i = 0; i < g->watcher_count; i++)
        if (g->watchers[i].joined) judge_reach(g, end->at_us, (uint32_t)i, &g->watchers[i]);
    for (size_t i = 0; i < g->j->count; i++) {
        const struct journal_event *e = &g->j->events[i];
        if (e->kind == JOURNAL_LEDGER && (!e->flag || e->number))
            judge_find(g, e->at_us, "ledger", "v%" PRIu32 ": %" PRIu32 " pairs are missing, or on their way",
                       e->video, e->number);
    }
    judge_counts(g);
    judge_places_end(g, end->at_us);
    judge_moderated_end(g, end->at_us);
    for (uint32_t place = 0; place < PLACES; place++)
        if (g->tried[place] && !g->accepted[place]) judge_find(g, end->at_us, "deaf", "p%" PRIu32, place);
    for (size_t i = 0; i < g->post_count; i++) {
        const struct post *p = &g->posts[i];
        if (p->keyed && !p->answered && p->at_us <= g->calm_us)
            judge_find(g, end->at_us, "unsettled", "comment %" PRIu32 " of w%" PRIu32, p->number, p->writer);
    }
}

// The rules that come from what moderators did (docs/moderation.md).
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checker_inner.h"
#include "texts.h"

enum {
    RETRACTION_US = 3000000, // so long a moderator's request may last
    BEGIN_AGAIN_US = 1000000 // so long a start is on its way to the viewers of a reader that nothing disturbs
};

// What a writer may be answered

static const struct {
    const char *code;
    enum room_state state;
    unsigned values; // that refuse
    bool is_before_shadow;
} refusals[] = {{"video_ended", STATE_OVER, STATE_ON, true},
                {"banned", STATE_BAN, BAN_FULL | BAN_TIMEOUT, true},
                {"frozen", STATE_FROZEN, STATE_ON, true},
                {"too_long", STATE_SIZE, STATE_ON, true},
                {"slow_mode", STATE_SLOW, STATE_ON, true}};
enum { REFUSALS = sizeof refusals / sizeof *refusals };

static unsigned values_of(const struct judge *g, const struct post *p, enum room_state state, int64_t from_us,
                          int64_t to_us) {
    return moderation_values(&g->moderation, state, p->video, state == STATE_BAN ? p->writer : 0, from_us,
                             to_us);
}

// Whether a state concerns a comment in every case, if it is on.
static bool concerns(struct judge *g, const struct post *p, enum room_state state, int64_t at_us) {
    if (state == STATE_SIZE)
        return text_length(p->writer, p->number) > moderation_most(&g->moderation, DEED_SIZE, p->video);
    if (state != STATE_SLOW) return true;
    const struct post *before = p->number > 2 ? post_find(g, p->writer, p->number - 2) : NULL;
    int64_t least_us = (int64_t)moderation_least(&g->moderation, DEED_SLOW, p->video) * 1000;
    if (!before || !before->stored || at_us - before->at_us >= least_us) return false;
    // The store of one process finds out at its start that the clock has been set back.
    int64_t from_us = ends_between(g, "up", before->at_us, at_us) ? 0 : before->at_us;
    return !moderation_is_stepped(&g->moderation, from_us, at_us) &&
           values_of(g, p, STATE_SLOW, before->at_us, at_us) == STATE_ON;
}

static void find_accepted(struct judge *g, const struct journal_event *e, const char *what) {
    judge_find(g, e->at_us, "not-refused", "comment %" PRIu32 " of w%" PRIu32 " is accepted: %s", e->number,
               e->who, what);
}

// A comment that waited is appended when it is allowed: only a ban and the end of the video count then.
static void judge_allowed(struct judge *g, const struct journal_event *e, const struct post *p) {
    const struct deed *d =
        moderation_find(&g->moderation, DEED_ALLOW, p->video, p->writer, p->number, e->at_us);
    if (!d) find_accepted(g, e, "nobody has allowed it");
    int64_t from_us = d ? d->sent_us : e->at_us;
    if (values_of(g, p, STATE_OVER, from_us, e->at_us) == STATE_ON) find_accepted(g, e, "video_ended");
    if (!(values_of(g, p, STATE_BAN, from_us, e->at_us) & (BAN_NONE | BAN_SHADOW)))
        find_accepted(g, e, "banned");
}

void judge_answer(struct judge *g, const struct journal_event *e, const struct post *p) {
    bool waits = e->kind == JOURNAL_WAITS, hidden = e->kind == JOURNAL_HIDDEN;
    if (e->kind == JOURNAL_ALLOWED) {
        judge_allowed(g, e, p);
        return;
    }
    for (size_t i = 0; i < REFUSALS; i++) {
        unsigned values = values_of(g, p, refusals[i].state, p->at_us, e->at_us);
        if (!(values & ~refusals[i].values) && concerns(g, p, refusals[i].state, e->at_us))
            find_accepted(g, e, refusals[i].code);
    }
    unsigned ban = values_of(g, p, STATE_BAN, p->at_us, e->at_us),
             hold = values_of(g, p, STATE_HOLD, p->at_us, e->at_us);
    if (hidden ? !(ban & BAN_SHADOW) : ban == BAN_SHADOW)
        find_accepted(g, e, hidden ? "as if its writer were shadowed" : "its writer is shadowed");
    if (waits ? !(hold & STATE_ON) : hold == STATE_ON && !hidden)
        find_accepted(g, e, waits ? "it waits for nothing" : "it does not wait");
}

bool may_be_refused(const struct judge *g, const struct journal_event *e, const struct post *p) {
    for (size_t i = 0; i < REFUSALS; i++) {
        if (strcmp(e->word, refusals[i].code) != 0) continue;
        if (refusals[i].state == STATE_SIZE &&
            text_length(p->writer, p->number) <= moderation_least(&g->moderation, DEED_SIZE, p->video))
            return false;
        return values_of(g, p, refusals[i].state, p->at_us, e->at_us) & refusals[i].values;
    }
    return false;
}

// What viewers get

// A reader that has the retraction gives nobody the text with what was missed.
static void judge_replayed(struct judge *g, const struct watcher *w, const struct journal_event *e,
                           const struct known *k) {
    struct position by = moderation_removal(&g->moderation, k, w->newest);
    if (position_compare(e->at, w->newest) > 0 || !position_is_set(by)) return;
    const struct known *entry = known_find(&g->known, w->video, by);
    if (entry && moderation_may_be_lost(&g->moderation, w->video, entry->first_us - RETRACTION_US, e->at_us))
        return;
    judge_find(g, e->at_us, "retracted", "w%" PRIu32 " resumes up to %s with %s, which %s took back", e->who,
               text_of(w->newest), text_of(e->at), text_of(by));
}

// Numbers tell the order: behind the end there is no comment before a start, whatever was asked when.
static void judge_behind_end(struct judge *g, const struct watcher *w, const struct journal_event *e) {
    int64_t end_us = moderation_last(&g->moderation, DEED_END, w->video, e->at_us);
    if (w->at_end && !moderation_may_be_lost(&g->moderation, w->video, end_us, e->at_us))
        judge_find(g, e->at_us, "not-refused", "w%" PRIu32 " gets %s after the end", e->who, text_of(e->at));
}

void judge_shown(struct judge *g, const struct watcher *w, const struct journal_event *e,
                 const struct known *k) {
    judge_replayed(g, w, e, k);
    judge_behind_end(g, w, e);
}

void judge_explained(struct judge *g, const struct journal_event *e) {
    uint32_t video = g->watchers[e->who].video;
    const struct known *k = known_find(&g->known, video, e->at);
    if (e->kind == JOURNAL_ENTRY && !moderation_explains(&g->moderation, e))
        judge_find(g, e->at_us, "stranger", "w%" PRIu32 " got %s %s, for which nobody asked", e->who, e->word,
                   text_of(e->at));
    if (e->kind == JOURNAL_PASSED &&
        !moderation_may_have_removed(&g->moderation, video, e->at, k ? k->writer : 0, e->at_us))
        judge_find(g, e->at_us, "hole", "w%" PRIu32 " got %s without a text, which nobody deleted", e->who,
                   text_of(e->at));
}

void take_more(struct judge *g, struct watcher *w, const struct journal_event *e) {
    w->more = e->count;
    if (w->wants_all || moderation_last(&g->moderation, DEED_RATE, w->video, e->at_us) < 0)
        judge_find(g, e->at_us, "sampled", "w%" PRIu32 " does not get %" PRIu64 " of v%" PRIu32 "%s", e->who,
                   e->count, w->video, w->wants_all ? ", although it wants all" : "");
}

void take_reacted(struct judge *g, struct watcher *w, const struct journal_event *e) {
    uint64_t sent = g->reacts[w->video];
    w->reacted += e->count;
    if (w->reacted > sent)
        judge_find(g, e->at_us, "reactions",
                   "w%" PRIu32 " is told of %" PRIu64 " on v%" PRIu32 ", not %" PRIu64, e->who, w->reacted,
                   w->video, sent);
}

// The end of a video

bool may_be_over(const struct judge *g, const struct watcher *w, int64_t from_us, int64_t to_us) {
    return moderation_values(&g->moderation, STATE_OVER, w->video, 0, from_us, to_us) & STATE_ON;
}

// Who has not got the end when a start follows is cut, and comes back (fanout.h: fan_video_begin_again()).
bool is_begun_again(const struct judge *g, const struct watcher *w, int64_t at_us) {
    int64_t begun_us = moderation_last(&g->moderation, DEED_START, w->video, at_us);
    return begun_us >= 0 && at_us - begun_us <= BEGIN_AGAIN_US;
}

// Returns the end that a viewer may have been told of: the one at which it asked, or the first one after
// that.
static int64_t end_told(const struct judge *g, const struct watcher *w, int64_t by_us) {
    int64_t end_us = moderation_last(&g->moderation, DEED_END, w->video, w->asked_us);
    if (end_us >= 0 && may_be_over(g, w, w->asked_us, w->asked_us)) return end_us;
    for (size_t i = 0; i < g->moderation.count; i++) {
        const struct deed *d = &g->moderation.deeds[i];
        if (d->kind == DEED_END && d->video == w->video && d->sent_us > w->asked_us && d->sent_us <= by_us)
            return d->sent_us;
    }
    return end_us;
}

// Nobody is told that a video is over who has not got what was accepted before. Of two servers side by side,
// one knows nothing of what the other has.
void judge_over(struct judge *g, const struct watcher *w, const struct journal_event *e) {
    int64_t end_us = end_told(g, w, e->at_us);
    for (size_t i = known_after(&g->known, w->video, w->at); w->streams && i < g->known.count; i++) {
        const struct known *k = &g->known.all[i];
        if (k->video != w->video) return;
        if (k->acked_us < 0 || k->acked_us > end_us || k->lost_us >= 0 || w->has[i] || is_since_split(g, k))
            continue;
        if (!moderation_may_have_removed(&g->moderation, k->video, k->at, k->writer, e->at_us))
            judge_find(g, e->at_us, "ended", "w%" PRIu32 " at %s is told that it is over, without %s", e->who,
                       text_of(w->at), text_of(k->at));
    }
}

// What moderators are answered

void take_done(struct judge *g, const struct journal_event *e) {
    const struct deed *d = moderation_of_answer(&g->moderation, e);
    g->v->deeds++;
    bool is_fine = !strcmp(e->word, "done") || !strcmp(e->word, "gone");
    if (!is_fine && d && !strcmp(e->word, "denied")) {
        unsigned over = moderation_values(&g->moderation, STATE_OVER, d->video, 0, d->sent_us, e->at_us),
                 ban =
                     moderation_values(&g->moderation, STATE_BAN, d->video, d->writer, d->sent_us, e->at_us);
        is_fine = (over & STATE_ON) || (ban & ~(unsigned)BAN_NONE);
    }
    if (!is_fine) judge_find(g, e->at_us, "refused", "moderator w%" PRIu32 ": %s", e->who, e->word);
}

void take_listed(struct judge *g, size_t i) {
    const struct journal_event *e = &g->j->events[i], *look = e;
    while (look->kind != JOURNAL_LOOK || look->who != e->who) {
        if (look-- == g->j->events) return;
    }
    const struct known *k = known_find(&g->known, look->video, look->at);
    const struct deed *d = moderation_has_removed(&g->moderation, look->video, look->at, look->number,
                                                  k ? k->acked_us : -1, look->at_us, e->at_us);
    if (e->flag && d)
        judge_find(g, e->at_us, "retracted",
                   "v%" PRIu32 " lists %s, which was deleted before %" PRId64 ".%03" PRId64 " s", look->video,
                   text_of(look->at), d->acked_us / 1000000, d->acked_us / 1000 % 1000);
}

// The end of the journal

// What was never to be shown, or waited for a decision that nobody made. Of a comment that was sent more than
// once, an earlier attempt may have been carried out later.
static void judge_secret(struct judge *g, const struct known *k) {
    const struct post *p = post_find(g, k->writer, k->number);
    if (k->lost_us >= 0 || !p || p->attempts != 1 || is_since_split(g, k)) return;
    if (p->hidden)
        judge_find(g, k->first_us, "shown", "%s of v%" PRIu32 ", whose writer w%" PRIu32 " is shadowed",
                   text_of(k->at), k->video, k->writer);
    if (p->waits && !moderation_find(&g->moderation, DEED_ALLOW, k->video, k->writer, k->number, k->first_us))
        judge_find(g, k->first_us, "shown", "%s of v%" PRIu32 " by w%" PRIu32 ", which nobody has allowed",
                   text_of(k->at), k->video, k->writer);
}

// After the number of a purge there is no comment of its user until the ban is lifted or replaced.
static void judge_purged(struct judge *g, const struct known *k) {
    const struct moderation *m = &g->moderation;
    for (size_t i = 0; i < m->entry_count && k->lost_us < 0; i++) {
        const struct known *entry = &m->entries[i];
        if (entry->number != DEED_PURGE || entry->video != k->video || entry->writer != k->writer) continue;
        const struct deed *d = moderation_find(m, DEED_PURGE, k->video, k->writer, 0, entry->first_us);
        if (!d || d->unsure || position_compare(k->at, entry->at) <= 0) continue;
        bool is_banned =
            moderation_values(m, STATE_BAN, k->video, k->writer, entry->first_us, k->first_us) == BAN_FULL;
        if (is_banned && !moderation_may_be_lost(m, k->video, d->sent_us, k->first_us))
            judge_find(g, k->first_us, "not-refused",
                       "%s of v%" PRIu32 " by w%" PRIu32 ", who is banned since %s", text_of(k->at), k->video,
                       k->writer, text_of(entry->at));
    }
}

void judge_moderated(struct judge *g) {
    for (size_t i = 0; i < g->known.count && g->moderation.count; i++) {
        const struct known *k = &g->known.all[i];
        if (k->writer == KNOWN_ENTRY) continue;
        judge_secret(g, k);
        judge_purged(g, k);
    }
}

size_t judge_forgotten(const struct judge *g, int64_t at_us) {
    size_t count = 0;
    for (size_t i = 0; i < g->known.count && g->moderation.count; i++) {
        const struct known *k = &g->known.all[i];
        if (k->writer == KNOWN_ENTRY || k->lost_us >= 0) continue;
        count += moderation_may_have_removed(&g->moderation, k->video, k->at, k->writer, at_us) &&
                 moderation_may_be_lost(&g->moderation, k->video, k->first_us, at_us);
    }
    return count;
}

// Who has the text, and has been there since, has been told.
static void judge_told(struct judge *g, int64_t end_us, const struct deed *d) {
    const struct known *k = known_find(&g->known, d->video, d->target);
    if (d->kind != DEED_RETRACT || d->acked_us < 0 || d->gone || !k ||
        moderation_is_told(&g->moderation, k) ||
        moderation_may_be_lost(&g->moderation, d->video, d->sent_us, end_us))
        return;
    for (size_t i = 0; i < g->watcher_count; i++) {
        const struct watcher *w = &g->watchers[i];
        bool was_there =
            w->streaming && w->video == d->video && w->pace == PACE_FAST && w->began_us < d->sent_us;
        if (!was_there || !w->has[k - g->known.all]) continue;
        if (w->gap_count && w->gaps[w->gap_count - 1].at_us >= d->sent_us) continue;
        judge_find(g, end_us, "retracted", "w%zu has %s of v%" PRIu32 ", and is not told that it was deleted",
                   i, text_of(d->target), d->video);
    }
}

// Moderators look at all that waits until the end.
static void judge_waiting(struct judge *g, int64_t end_us, const struct post *p) {
    if (!p->waits || p->attempts != 1 || moderation_may_be_lost(&g->moderation, p->video, p->at_us, end_us) ||
        moderation_is_stepped(&g->moderation, p->at_us, end_us)) // then its five minutes may be over
        return;
    if (moderation_find(&g->moderation, DEED_ALLOW, p->video, p->writer, p->number, end_us) ||
        moderation_find(&g->moderation, DEED_DENY, p->video, p->writer, p->number, end_us))
        return;
    judge_find(g, end_us, "undecided", "comment %" PRIu32 " of w%" PRIu32 " waits, and is not listed",
               p->number, p->writer);
}

void judge_moderated_end(struct judge *g, int64_t end_us) {
    for (size_t i = 0; i < g->moderation.count; i++) judge_told(g, end_us, &g->moderation.deeds[i]);
    for (size_t i = 0; i < g->watcher_count; i++)
        if (g->watchers[i].joined) judge_room(g, end_us, i);
    for (size_t i = 0; i < g->post_count; i++) judge_waiting(g, end_us, &g->posts[i]);
}

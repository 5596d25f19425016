// The journal is read three times: known_collect() finds all comments; judge_walk() follows each viewer and
// each writer through the events; judge_end() looks at what each of them has at the end.
#include "checker.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "known.h"
#include "moderation.h"

static const char *const gap_reasons[] = {"expired", "slow", "epoch"};

struct range {
    struct position from, to, asked; // asked: where the viewer's stream began
    int64_t at_us, stream_us;        // stream_us: when it did
    unsigned reason;                 // of gap_reasons
};

// One viewer.
struct watcher {
    bool joined, left, follows, streaming;
    bool misses; // numbers, as has been found
    uint32_t video;
    enum journal_pace pace;
    struct position start, at, asked; // where its first stream began; what it has seen; what it asked for
    int64_t began_us;                 // its first stream,
    int64_t stream_us;                // its present one
    int64_t left_us;                  // valid if it has
    unsigned redirects, streams;
    char instance[JOURNAL_WORD];
    const char *reader; // the same, in the journal
    bool went_back;     // a gap has told it that the store had
    bool *has;          // by index in the list of known comments of its video
    struct range *gaps;
    size_t gap_count;
    struct position newest; // up to which its stream began with what it missed
    uint64_t more;          // left out before what comes next
    bool over;              // it has got `end`, or that may be what a gap of a loss stands for
    bool at_end;            // it has got `end`, and since then nothing of what may follow a start
    int64_t asked_us;
};

// One comment of a writer.
struct post {
    uint32_t writer, number, video;
    bool keyed, answered;
    int64_t at_us;
    struct position at;
};

enum {
    PLACES = 16,
    RETRACTION_US = 3000000, // so long a moderator's request may last
    BEGIN_AGAIN_US = 1000000 // so long a start is on its way to the viewers of a reader that nothing disturbs
};

// The reader that a comment came from, and when the stream began in which it came.
struct source {
    const char *reader;
    int64_t since_us;
};

struct judge {
    struct verdict *v;
    const struct journal *j;
    struct known_list known;
    struct moderation moderation;
    struct watcher *watchers;
    size_t watcher_count;
    struct post *posts; // by writer and number
    size_t post_count;
    uint64_t kept;   // entries; 0: all
    int64_t calm_us; // -1: not yet
    bool tried[PLACES], accepted[PLACES];
    bool disturbs;    // something has failed that may end streams
    int64_t split_us; // when two servers first took writes, neither knowing of the other's; -1: not yet
    const struct journal_event **losses;
    size_t loss_count;
    enum told { TOLD_UNKNOWN, TOLD_YES, TOLD_NO } * told; // by known comment: see all_have_ended()
    struct source *sources;                               // by event, of a viewer's comment
    struct known *tombstones;
    size_t tombstone_count;
};

__attribute__((format(printf, 4, 5))) static void judge_find(struct judge *g, int64_t at_us, const char *code,
                                                             const char *format, ...) {
    struct verdict *v = g->v;
    va_list args;
    if (v->count++ >= FINDINGS_KEPT) return;
    struct finding *f = &v->findings[v->count - 1];
    f->code = code;
    f->at_us = at_us;
    va_start(args, format);
    vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
}

// For printing a few positions in one expression.
static const char *text_of(struct position p) {
    static __thread char texts[4][POSITION_TEXT_SIZE];
    static __thread unsigned next;
    char *text = texts[next++ % 4];
    position_format(p, text);
    return text;
}

// Comments

static int by_writer(const void *a, const void *b) {
    const struct post *x = a, *y = b;
    if (x->writer != y->writer) return x->writer < y->writer ? -1 : 1;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return x->at_us < y->at_us ? -1 : x->at_us > y->at_us;
}

static bool is_same_post(const struct post *a, const struct post *b) {
    return a->writer == b->writer && a->number == b->number;
}

static void posts_collect(struct judge *g) {
    g->posts = mem_alloc((g->j->count + 1) * sizeof *g->posts);
    for (size_t i = 0; i < g->j->count; i++) {
        const struct journal_event *e = &g->j->events[i];
        if (e->kind == JOURNAL_POST)
            g->posts[g->post_count++] =
                (struct post){e->who, e->number, e->video, e->flag, false, e->at_us, {0}};
    }
    qsort(g->posts, g->post_count, sizeof *g->posts, by_writer);
    size_t kept = 0;
    for (size_t i = 0; i < g->post_count; i++)
        if (!kept || !is_same_post(&g->posts[kept - 1], &g->posts[i])) g->posts[kept++] = g->posts[i];
    g->post_count = kept;
}

static struct post *post_find(struct judge *g, uint32_t writer, uint32_t number) {
    size_t low = 0, high = g->post_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct post *p = &g->posts[middle];
        if (p->writer < writer || (p->writer == writer && p->number < number))
            low = middle + 1;
        else
            high = middle;
    }
    struct post *p = &g->posts[low];
    return low < g->post_count && p->writer == writer && p->number == number ? p : NULL;
}

static void on_conflict(void *arg, const struct known *a, const struct known *b) {
    struct judge *g = arg;
    judge_find(g, b->first_us, "two-texts",
               "v%" PRIu32 " %s is comment %" PRIu32 " of w%" PRIu32 " and comment %" PRIu32 " of w%" PRIu32,
               a->video, text_of(a->at), a->number, a->writer, b->number, b->writer);
}

// Each comment has one number, except that of several all but one may have been lost.
static void judge_known(struct judge *g) {
    for (size_t i = 0; i < g->known.count; i++) {
        const struct known *k = &g->known.all[i];
        if (k->writer == KNOWN_ENTRY) continue;
        struct post *p = post_find(g, k->writer, k->number);
        g->v->comments++;
        if (!p || p->video != k->video) {
            judge_find(g, k->first_us, "stranger",
                       "v%" PRIu32 " %s is comment %" PRIu32 " of w%" PRIu32 ", which was not posted there",
                       k->video, text_of(k->at), k->number, k->writer);
        } else if (k->lost_us < 0 && position_is_set(p->at)) {
            judge_find(g, k->first_us, "stored-twice",
                       "comment %" PRIu32 " of w%" PRIu32 " (%s) is %s and %s", k->number, k->writer,
                       p->keyed ? "keyed" : "once", text_of(p->at), text_of(k->at));
        } else if (k->lost_us < 0) {
            p->at = k->at;
        }
        g->v->acknowledged += k->acked_us >= 0;
        g->v->lost += k->lost_us >= 0;
    }
}

// What moderators have refused writers.
static const struct {
    const char *code;
    enum deed_kind on, off;
    bool of_writer;
} refusals[] = {{"banned", DEED_BAN, DEED_LIFT, true},
                {"frozen", DEED_FREEZE, DEED_THAW, false},
                {"video_ended", DEED_END, DEED_START, false}};
enum { REFUSALS = sizeof refusals / sizeof *refusals };

static void judge_accepted(struct judge *g, const struct journal_event *e, const struct post *p) {
    for (size_t i = 0; i < REFUSALS; i++) {
        uint32_t writer = refusals[i].of_writer ? p->writer : 0;
        if (moderation_surely_on(&g->moderation, refusals[i].on, refusals[i].off, p->video, writer, p->at_us,
                                 e->at_us))
            judge_find(g, e->at_us, "not-refused", "comment %" PRIu32 " of w%" PRIu32 " is accepted: %s",
                       e->number, e->who, refusals[i].code);
    }
}

static bool may_be_refused(struct judge *g, const struct journal_event *e, const struct post *p) {
    for (size_t i = 0; i < REFUSALS; i++) {
        if (strcmp(e->word, refusals[i].code) != 0) continue;
        uint32_t writer = refusals[i].of_writer ? p->writer : 0;
        return !moderation_surely_off(&g->moderation, refusals[i].on, refusals[i].off, p->video, writer,
                                      p->at_us, e->at_us);
    }
    return false;
}

static void take_stored(struct judge *g, const struct journal_event *e) {
    struct post *p = post_find(g, e->who, e->number);
    if (!position_is_set(e->at) || !e->at.seq)
        judge_find(g, e->at_us, "no-number", "comment %" PRIu32 " of w%" PRIu32, e->number, e->who);
    if (p) p->answered = true;
    if (p) judge_accepted(g, e, p);
    if (e->place < PLACES && g->calm_us >= 0) g->accepted[e->place] = true;
}

static void take_post(struct judge *g, const struct journal_event *e) {
    if (e->place < PLACES && g->calm_us >= 0) g->tried[e->place] = true;
}

static void take_refused(struct judge *g, const struct journal_event *e) {
    struct post *p = post_find(g, e->who, e->number);
    if (p) p->answered = true;
    if (p && may_be_refused(g, e, p)) return;
    judge_find(g, e->at_us, "refused", "comment %" PRIu32 " of w%" PRIu32 ": %s", e->number, e->who, e->word);
}

// Viewers

static void take_join(struct judge *g, struct watcher *w, const struct journal_event *e) {
    *w = (struct watcher){.joined = true,
                          .video = e->video,
                          .pace = (enum journal_pace)e->count,
                          .follows = e->flag,
                          .began_us = -1};
    w->has = mem_zalloc(g->known.count + 1);
    g->v->viewers++;
}

static void take_ask(struct judge *g, struct watcher *w, const struct journal_event *e) {
    w->asked = e->at;
    w->asked_us = e->at_us;
    w->redirects = 0;
    if (w->streams && position_compare(e->at, w->at) != 0)
        judge_find(g, e->at_us, "resume", "w%" PRIu32 " asks for %s but has seen %s", e->who, text_of(e->at),
                   text_of(w->at));
}

static void take_redirect(struct judge *g, struct watcher *w, const struct journal_event *e) {
    if (++w->redirects == JUDGE_REDIRECTS + 1)
        judge_find(g, e->at_us, "loop", "w%" PRIu32 " is redirected for the %uth time, to %s", e->who,
                   w->redirects, e->word);
}

static void take_begin(struct judge *g, struct watcher *w, const struct journal_event *e) {
    if (w->began_us < 0) {
        w->began_us = e->at_us;
        w->start = e->at;
    } else if (position_compare(e->at, w->asked) != 0) {
        judge_find(g, e->at_us, "resume", "w%" PRIu32 " asked for %s and begins at %s", e->who,
                   text_of(w->asked), text_of(e->at));
        w->misses = true;
    }
    g->v->reconnects += w->streams > 0;
    g->v->streams++;
    w->streams++;
    w->streaming = true;
    w->stream_us = e->at_us;
    snprintf(w->instance, sizeof w->instance, "%s", e->word);
    w->reader = e->word;
    w->at = e->at;
    w->newest = (struct position){0};
    w->more = 0;
}

static bool is_settled(const struct judge *g, int64_t at_us) {
    return g->calm_us >= 0 && at_us - g->calm_us >= JUDGE_SETTLED_S * INT64_C(1000000);
}

static void judge_delay(struct judge *g, const struct watcher *w, const struct journal_event *e,
                        const struct known *k) {
    int64_t took_us = e->at_us - k->acked_us;
    bool counts = k->acked_us >= 0 && is_settled(g, k->acked_us) && w->stream_us < k->acked_us;
    if (!counts || w->pace != PACE_FAST) return;
    if (took_us > (int64_t)g->v->longest_us) g->v->longest_us = (size_t)took_us;
    if (took_us > JUDGE_DELAY_MS * INT64_C(1000))
        judge_find(g, e->at_us, "delayed", "w%" PRIu32 " got %s %" PRId64 " ms after the answer", e->who,
                   text_of(e->at), took_us / 1000);
}

// Returns whether `next` follows `at` as far as their numbers show, if so many were left out before it.
static bool follows(struct position at, struct position next, uint64_t more) {
    if (next.epoch != at.epoch) at.seq = 0;
    return next.seq > at.seq && next.seq - at.seq - 1 <= more;
}

static void judge_hole(struct judge *g, struct watcher *w, const struct journal_event *e,
                       struct position first) {
    judge_find(g, e->at_us, "hole", "w%" PRIu32 " at %s gets %s%s", e->who, text_of(w->at),
               e->kind == JOURNAL_GAP ? "a gap from " : "", text_of(first));
    w->misses = true;
}

// Whether a comment may have been taken by one of two servers that were in front side by side.
static bool is_since_split(const struct judge *g, const struct known *k) {
    return g->split_us >= 0 && k->first_us >= g->split_us;
}

// Whether the store has lost a comment, and a reader may not have been able to ask it since.
static bool is_lost_lately(const struct known *k, int64_t at_us) {
    return k->lost_us >= 0 && k->lost_us <= at_us && at_us - k->lost_us <= JUDGE_AWAY_S * INT64_C(1000000);
}

// What was left out is not owed.
static void pass_left_out(struct judge *g, struct watcher *w, const struct journal_event *e) {
    struct position first = {e->at.epoch, e->at.seq > w->more ? e->at.seq - w->more - 1 : 0};
    if (position_compare(first, w->at) < 0) first = w->at;
    for (size_t i = known_after(&g->known, w->video, first); w->more && i < g->known.count; i++) {
        const struct known *k = &g->known.all[i];
        if (k->video != w->video || position_compare(k->at, e->at) >= 0) break;
        w->has[i] = true;
        g->v->left_out++;
    }
}

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

// A comment, another entry, or the number of what was deleted.
static void take_number(struct judge *g, struct watcher *w, const struct journal_event *e) {
    const struct known *k = known_find(&g->known, w->video, e->at);
    bool *has = k ? &w->has[k - g->known.all] : NULL;
    if (has && *has && w->went_back && (is_since_split(g, k) || is_lost_lately(k, e->at_us)))
        g->v->repeated++; // by a reader that knew only one of the two, or of no loss
    else if (has && *has)
        judge_find(g, e->at_us, "duplicate", "w%" PRIu32 " got %s again", e->who, text_of(e->at));
    else if (position_compare(e->at, w->at) <= 0)
        judge_find(g, e->at_us, "order", "w%" PRIu32 " got %s after %s", e->who, text_of(e->at),
                   text_of(w->at));
    else if (!follows(w->at, e->at, w->more))
        judge_hole(g, w, e, e->at);
    else if (e->kind == JOURNAL_COMMENT)
        judge_delay(g, w, e, k);
    pass_left_out(g, w, e);
    if (has) *has = true;
    w->more = 0;
    w->at = e->at;
}

static void take_comment(struct judge *g, struct watcher *w, const struct journal_event *e) {
    g->v->deliveries++;
    g->sources[e - g->j->events] = (struct source){.reader = w->reader, .since_us = w->stream_us};
    take_number(g, w, e);
    w->at_end = false;
    judge_replayed(g, w, e, known_find(&g->known, w->video, e->at));
}

static void take_entry(struct judge *g, struct watcher *w, const struct journal_event *e) {
    g->v->entries++;
    if (!moderation_explains(&g->moderation, e))
        judge_find(g, e->at_us, "stranger", "w%" PRIu32 " got %s %s, for which nobody asked", e->who, e->word,
                   text_of(e->at));
    take_number(g, w, e);
    if (!strcmp(e->word, "end")) w->over = w->at_end = true;
    if (!strcmp(e->word, "start")) w->over = w->at_end = false;
}

static void take_passed(struct judge *g, struct watcher *w, const struct journal_event *e) {
    const struct known *k = known_find(&g->known, w->video, e->at);
    if (!moderation_may_have_removed(&g->moderation, w->video, e->at, k ? k->writer : 0, e->at_us))
        judge_find(g, e->at_us, "hole", "w%" PRIu32 " got %s without a text, which nobody deleted", e->who,
                   text_of(e->at));
    take_number(g, w, e);
}

static void take_more(struct judge *g, struct watcher *w, const struct journal_event *e) {
    w->more = e->count;
    if (moderation_last(&g->moderation, DEED_RATE, w->video, e->at_us) < 0)
        judge_find(g, e->at_us, "sampled", "w%" PRIu32 " does not get %" PRIu64 " of v%" PRIu32, e->who,
                   e->count, w->video);
}

static unsigned reason_of(const char *word) {
    unsigned reason = 0;
    while (reason < 3 && strcmp(word, gap_reasons[reason]) != 0) reason++;
    return reason;
}

// The store has lost what came before, and goes on below it.
static bool goes_back(const struct journal_event *e) {
    return position_compare(e->from, e->at) > 0;
}

static void judge_sum(struct judge *g, const struct journal_event *e) {
    bool countable = e->from.epoch == e->at.epoch && !goes_back(e);
    uint64_t missed = countable ? e->at.seq - e->from.seq + 1 : JOURNAL_NULL;
    if (missed != e->count)
        judge_find(g, e->at_us, "needless-gap", "w%" PRIu32 ": %s to %s, but missed is %" PRId64, e->who,
                   text_of(e->from), text_of(e->at), e->count == JOURNAL_NULL ? -1 : (int64_t)e->count);
}

static void judge_place(struct judge *g, struct watcher *w, const struct journal_event *e) {
    if (goes_back(e)) {
        if (strcmp(e->word, "epoch") != 0)
            judge_find(g, e->at_us, "order", "w%" PRIu32 " goes back from %s to %s, reason %s", e->who,
                       text_of(w->at), text_of(e->at), e->word);
    } else if (position_compare(e->at, w->at) <= 0) {
        judge_find(g, e->at_us, "order", "w%" PRIu32 " at %s gets a gap to %s", e->who, text_of(w->at),
                   text_of(e->at));
    } else if (position_compare(e->from, w->at) > 0 && !follows(w->at, e->from, 0)) {
        judge_hole(g, w, e, e->from);
    }
}

// The gap that announces a loss ends at the tombstone.
static void note_tombstone(struct judge *g, const struct watcher *w, const struct journal_event *e) {
    if (e->at.seq != 1) return;
    for (size_t n = 0; n < g->tombstone_count; n++)
        if (g->tombstones[n].video == w->video && !position_compare(g->tombstones[n].at, e->at)) return;
    g->tombstones = mem_realloc(g->tombstones, (g->tombstone_count + 1) * sizeof *g->tombstones);
    g->tombstones[g->tombstone_count++] =
        (struct known){.video = w->video, .at = e->at, .first_us = e->at_us};
}

static void take_gap(struct judge *g, struct watcher *w, const struct journal_event *e) {
    unsigned reason = reason_of(e->word);
    judge_sum(g, e);
    judge_place(g, w, e);
    if (reason == 3) {
        judge_find(g, e->at_us, "needless-gap", "w%" PRIu32 ": reason %s", e->who, e->word);
    } else {
        g->v->gaps[reason]++;
        if (reason == 2) note_tombstone(g, w, e);
        if (reason == 1 && w->pace == PACE_FAST && is_settled(g, e->at_us))
            judge_find(g, e->at_us, "needless-gap", "w%" PRIu32 " reads, but is too slow", e->who);
    }
    w->gaps = mem_realloc(w->gaps, (w->gap_count + 1) * sizeof *w->gaps);
    w->went_back |= goes_back(e);
    w->over |= reason == 2;
    w->at_end = false;
    struct position to = goes_back(e) ? (struct position){e->from.epoch, UINT64_MAX} : e->at;
    w->gaps[w->gap_count++] = (struct range){e->from, to, w->asked, e->at_us, w->stream_us, reason};
    w->at = e->at;
}

// A running stream needs neither the manager nor the statistics.
static bool disturbs_streams(const char *fault) {
    return !strstr(fault, "_manager-") && !strstr(fault, "_statistics");
}

static bool may_be_over(const struct judge *g, const struct watcher *w, int64_t from_us, int64_t to_us) {
    return !moderation_surely_off(&g->moderation, DEED_END, DEED_START, w->video, 0, from_us, to_us);
}

// Nobody is told that a video is over who has not got what was accepted before.
static void judge_over(struct judge *g, const struct watcher *w, const struct journal_event *e) {
    int64_t end_us = moderation_last(&g->moderation, DEED_END, w->video, e->at_us);
    for (size_t i = known_after(&g->known, w->video, w->at); w->streams && i < g->known.count; i++) {
        const struct known *k = &g->known.all[i];
        if (k->video != w->video) return;
        if (k->acked_us < 0 || k->acked_us > end_us || k->lost_us >= 0 || w->has[i]) continue;
        if (!moderation_may_have_removed(&g->moderation, k->video, k->at, k->writer, e->at_us))
            judge_find(g, e->at_us, "ended", "w%" PRIu32 " at %s is told that it is over, without %s", e->who,
                       text_of(w->at), text_of(k->at));
    }
}

static void take_denied(struct judge *g, const struct watcher *w, const struct journal_event *e) {
    if (e->count == 204 && may_be_over(g, w, w->asked_us, e->at_us))
        judge_over(g, w, e);
    else
        judge_find(g, e->at_us, "denied", "w%" PRIu32 ": status %" PRIu64, e->who, e->count);
}

// Who has not got the end when a start follows is cut, and comes back (fanout.h: fan_video_begin_again()).
static bool is_begun_again(const struct judge *g, const struct watcher *w, int64_t at_us) {
    int64_t begun_us = moderation_last(&g->moderation, DEED_START, w->video, at_us);
    return begun_us >= 0 && at_us - begun_us <= BEGIN_AGAIN_US;
}

// A stream ends in order at the `end` of its viewer, who may be so far behind that a start has followed by
// then. It comes back, and misses nothing: that is what hole and silent-loss look at. After 204 it would not.
static void take_cut(struct judge *g, struct watcher *w, const struct journal_event *e) {
    bool undisturbed = g->v->faults && !g->disturbs && g->calm_us < 0, in_order = !strcmp(e->word, "end");
    if (in_order && w->streaming && !w->over && !may_be_over(g, w, w->stream_us, e->at_us))
        judge_find(g, e->at_us, "ended", "w%" PRIu32 " at %s, but the video has not", e->who, text_of(w->at));
    else if (in_order && w->streaming && !w->at_end)
        judge_over(g, w, e);
    if (undisturbed && w->streaming && w->pace == PACE_FAST && !w->over && !in_order &&
        strcmp(e->word, "own") != 0 && !is_begun_again(g, w, e->at_us))
        judge_find(g, e->at_us, "stopped", "w%" PRIu32 " at %s: %s", e->who, w->instance, e->word);
    w->streaming = false;
}

static void take_viewer_event(struct judge *g, const struct journal_event *e) {
    struct watcher *w = &g->watchers[e->who];
    switch (e->kind) {
    case JOURNAL_JOIN: take_join(g, w, e); break;
    case JOURNAL_ASK: take_ask(g, w, e); break;
    case JOURNAL_REDIRECT: take_redirect(g, w, e); break;
    case JOURNAL_BEGIN: take_begin(g, w, e); break;
    case JOURNAL_COMMENT: take_comment(g, w, e); break;
    case JOURNAL_GAP: take_gap(g, w, e); break;
    case JOURNAL_CUT: take_cut(g, w, e); break;
    case JOURNAL_NEWEST: w->newest = e->at; break;
    case JOURNAL_ENTRY: take_entry(g, w, e); break;
    case JOURNAL_PASSED: take_passed(g, w, e); break;
    case JOURNAL_MORE: take_more(g, w, e); break;
    case JOURNAL_DENIED: take_denied(g, w, e); break;
    case JOURNAL_BROKEN: judge_find(g, e->at_us, "malformed", "w%" PRIu32 ": %s", e->who, e->word); break;
    case JOURNAL_LEAVE:
        w->streaming = false;
        w->left = true;
        w->left_us = e->at_us;
        break;
    default: break;
    }
}

// Moderators

static void take_done(struct judge *g, const struct journal_event *e) {
    g->v->deeds++;
    if (strcmp(e->word, "done") != 0 && strcmp(e->word, "gone") != 0)
        judge_find(g, e->at_us, "refused", "moderator w%" PRIu32 ": %s", e->who, e->word);
}

static void take_listed(struct judge *g, size_t i) {
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

static void judge_walk(struct judge *g) {
    for (size_t i = 0; i < g->j->count; i++) {
        const struct journal_event *e = &g->j->events[i];
        switch (e->kind) {
        case JOURNAL_POST: take_post(g, e); break;
        case JOURNAL_STORED: take_stored(g, e); break;
        case JOURNAL_REFUSED: take_refused(g, e); break;
        case JOURNAL_LOST: g->losses[g->loss_count++] = e; break;
        case JOURNAL_KEPT: g->kept = e->count; break;
        case JOURNAL_FAULT:
            g->v->faults++;
            g->disturbs |= disturbs_streams(e->word);
            if (g->split_us < 0 && !strcmp(e->word, "store-split")) g->split_us = e->at_us;
            break;
        case JOURNAL_CALM: g->calm_us = e->at_us; break;
        case JOURNAL_DONE: take_done(g, e); break;
        case JOURNAL_LISTED: take_listed(g, i); break;
        default:
            if (e->kind >= JOURNAL_JOIN && e->kind <= JOURNAL_LEAVE) take_viewer_event(g, e);
            break;
        }
    }
}

// The end

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

// Whether the log may have dropped a comment by then, because so many numbers came after it: of comments, and
// of tombstones, which viewers are not shown.
static bool may_have_expired(const struct judge *g, size_t i, int64_t at_us) {
    const struct known *k = &g->known.all[i];
    uint64_t later = 0, epoch = k->at.epoch, seq = k->at.seq;
    for (size_t n = i + 1; n < g->known.count && g->known.all[n].video == k->video; n++) {
        const struct known *it = &g->known.all[n];
        if (it->first_us > at_us) continue;
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

// Whether a fault ends the process of that name, or the one that has all parts, between the two times.
static bool ends_between(const struct judge *g, const char *name, int64_t from_us, int64_t to_us) {
    static const char *const ends[] = {"kill_", "power_", "terminate_", "memory_"};
    for (size_t i = 0; i < g->j->count; i++) {
        const struct journal_event *e = &g->j->events[i];
        if (e->kind != JOURNAL_FAULT || e->at_us < from_us) continue;
        if (e->at_us > to_us) return false;
        for (size_t n = 0; n < sizeof ends / sizeof *ends; n++) {
            size_t len = strlen(ends[n]);
            if (strncmp(e->word, ends[n], len) != 0) continue;
            if (!strcmp(e->word + len, name) || !strcmp(e->word + len, "up")) return true;
        }
    }
    return false;
}

// Whether it shows that the process which it came from knew of a comment or of a later one of its epoch, and
// which: the comment API that has answered, the reader that has sent it to a viewer. *since_us: a moment at
// which that process ran. What a viewer sees may have been in flight when its reader ended, but not when the
// stream began.
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

// Whether a viewer has come back with a position above a comment, and got a gap: where clocks have gone back,
// one may be appended in a lower epoch than one that was lost. What the viewer had of that it cannot tell.
static bool came_from_above(const struct watcher *w, const struct known *k) {
    for (size_t i = 0; i < w->gap_count; i++) {
        const struct range *gap = &w->gaps[i];
        if (gap->reason == 2 && gap->stream_us > k->first_us && position_compare(gap->asked, k->at) > 0)
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
    if (was_there && gap->reason != 1 && !is_since_split(g, k) && !came_from_above(w, k) && k->lost_us < 0 &&
        !may_have_expired(g, i, gap->at_us))
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
        // Where clocks have gone back, one may be appended below what it had seen, after it has left.
        bool is_due = !w->left || k->first_us < w->left_us;
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

// A stream stays where it is when its video goes to another reader: only those count that began since.
static bool is_placed(const struct judge *g, const struct watcher *w) {
    return w->streaming && w->follows && is_settled(g, w->stream_us);
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

// Comments that were deleted, and may have been lost later: nothing shows that.
static size_t judge_forgotten(const struct judge *g, int64_t at_us) {
    size_t count = 0;
    for (size_t i = 0; i < g->known.count && g->moderation.count; i++) {
        const struct known *k = &g->known.all[i];
        if (k->writer == KNOWN_ENTRY || k->lost_us >= 0) continue;
        count += moderation_may_have_removed(&g->moderation, k->video, k->at, k->writer, at_us) &&
                 moderation_may_be_lost(&g->moderation, k->video, k->first_us, at_us);
    }
    return count;
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

static void judge_end(struct judge *g, const struct journal_event *end) {
    for (size_t i = 0; i < g->watcher_count; i++)
        if (g->watchers[i].joined) judge_watcher(g, (uint32_t)i, &g->watchers[i]);
    for (size_t i = 0; i < g->j->count; i++)
        if (g->j->events[i].kind == JOURNAL_TOTAL) judge_total(g, &g->j->events[i]);
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
    judge_owners(g, end->at_us);
    for (size_t i = 0; i < g->moderation.count; i++) judge_told(g, end->at_us, &g->moderation.deeds[i]);
    for (uint32_t place = 0; place < PLACES; place++)
        if (g->tried[place] && !g->accepted[place]) judge_find(g, end->at_us, "deaf", "p%" PRIu32, place);
    for (size_t i = 0; i < g->post_count; i++) {
        const struct post *p = &g->posts[i];
        if (p->keyed && !p->answered && p->at_us <= g->calm_us)
            judge_find(g, end->at_us, "unsettled", "comment %" PRIu32 " of w%" PRIu32, p->number, p->writer);
    }
}

static void judge_count_watchers(struct judge *g) {
    for (size_t i = 0; i < g->j->count; i++) {
        const struct journal_event *e = &g->j->events[i];
        if (e->kind >= JOURNAL_JOIN && e->kind <= JOURNAL_LEAVE && e->who >= g->watcher_count)
            g->watcher_count = e->who + 1;
    }
    g->watchers = mem_zalloc((g->watcher_count + 1) * sizeof *g->watchers);
}

void judge(struct verdict *v, const struct journal *j) {
    *v = (struct verdict){0};
    struct judge g = {.v = v, .j = j, .calm_us = -1, .split_us = -1};
    const struct journal_event *last = j->count ? &j->events[j->count - 1] : NULL;
    posts_collect(&g);
    moderation_collect(&g.moderation, j);
    known_collect(&g.known, j, on_conflict, &g);
    judge_known(&g);
    judge_count_watchers(&g);
    g.losses = mem_alloc((j->count + 1) * sizeof *g.losses);
    g.sources = mem_zalloc((j->count + 1) * sizeof *g.sources);
    g.told = mem_zalloc((g.known.count + 1) * sizeof *g.told);
    judge_walk(&g);
    judge_end(&g, last && last->kind == JOURNAL_END ? last : NULL);
    for (size_t i = 0; i < g.watcher_count; i++) {
        free(g.watchers[i].has);
        free(g.watchers[i].gaps);
    }
    free(g.watchers);
    free(g.losses);
    free(g.tombstones);
    free(g.sources);
    free(g.told);
    free(g.posts);
    known_release(&g.known);
    moderation_release(&g.moderation);
}

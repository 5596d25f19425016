// The journal is read three times: known_collect() finds all comments; judge_walk() follows each viewer and
// each writer through the events; judge_end() (checker_end.c) looks at what each of them has at the end.
#include "checker_inner.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *const gap_reasons[3] = {"expired", "slow", "epoch"};

void judge_find(struct judge *g, int64_t at_us, const char *code, const char *format, ...) {
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

const char *text_of(struct position p) {
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
            g->posts[g->post_count++] = (struct post){.writer = e->who,
                                                      .number = e->number,
                                                      .video = e->video,
                                                      .keyed = e->flag,
                                                      .at_us = e->at_us};
    }
    qsort(g->posts, g->post_count, sizeof *g->posts, by_writer);
    size_t kept = 0;
    for (size_t i = 0; i < g->post_count; i++)
        if (!kept || !is_same_post(&g->posts[kept - 1], &g->posts[i])) g->posts[kept++] = g->posts[i];
    g->post_count = kept;
}

struct post *post_find(struct judge *g, uint32_t writer, uint32_t number) {
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

static void take_stored(struct judge *g, const struct journal_event *e) {
    struct post *p = post_find(g, e->who, e->number);
    if (!position_is_set(e->at) || !e->at.seq)
        judge_find(g, e->at_us, "no-number", "comment %" PRIu32 " of w%" PRIu32, e->number, e->who);
    if (p) p->answered = true;
    if (p) judge_answer(g, e, p);
    if (p && e->kind == JOURNAL_STORED) {
        p->stored = true;
        p->answered_us = e->at_us;
    }
    if (e->place < PLACES && g->calm_us >= 0) g->accepted[e->place] = true;
}

// It waits, or its writer is not to notice.
static void take_other_answer(struct judge *g, const struct journal_event *e) {
    struct post *p = post_find(g, e->who, e->number);
    if (e->place < PLACES && g->calm_us >= 0) g->accepted[e->place] = true;
    if (!p) return;
    p->answered = true;
    p->waits |= e->kind == JOURNAL_WAITS;
    p->hidden |= e->kind == JOURNAL_HIDDEN;
    judge_answer(g, e, p);
}

static void take_post(struct judge *g, const struct journal_event *e) {
    struct post *p = post_find(g, e->who, e->number);
    if (p) p->attempts++;
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
                          .is_browser = !strcmp(e->word, "eventsource"),
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
    w->room_us = -1;
    if (strcmp(w->instance, e->word) != 0) w->reacted = 0; // another reader may be told later
    snprintf(w->instance, sizeof w->instance, "%s", e->word);
    w->reader = e->word;
    w->began_full = note_full(g, e->at_us);
    w->at = e->at;
    w->newest = (struct position){0};
    w->more = 0;
}

bool is_settled(const struct judge *g, int64_t at_us) {
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

bool is_since_split(const struct judge *g, const struct known *k) {
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
    g->sources[e - g->j->events] = (struct source){.reader = w->reader, .since_us = w->asked_us};
    judge_shown(g, w, e, known_find(&g->known, w->video, e->at));
    take_number(g, w, e);
    w->at_end = false;
}

static void take_entry(struct judge *g, struct watcher *w, const struct journal_event *e) {
    g->v->entries++;
    judge_explained(g, e);
    take_number(g, w, e);
    if (!strcmp(e->word, "end")) w->over = w->at_end = true;
    if (!strcmp(e->word, "start")) w->over = w->at_end = false;
}

static void take_passed(struct judge *g, struct watcher *w, const struct journal_event *e) {
    judge_explained(g, e);
    take_number(g, w, e);
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
    w->gaps[w->gap_count++] =
        (struct range){e->from, to, w->asked, w->at, w->newest, e->at_us, w->stream_us, reason};
    w->at = e->at;
}

// A running stream needs neither the manager nor the statistics.
static bool disturbs_streams(const char *fault) {
    return !strstr(fault, "_manager-") && !strstr(fault, "_statistics");
}

static void take_denied(struct judge *g, const struct watcher *w, const struct journal_event *e) {
    if (e->count == 204 && may_be_over(g, w, w->asked_us, e->at_us))
        judge_over(g, w, e);
    else if (e->count != 503 || !g->most || w->is_browser) // else its reader is full
        judge_find(g, e->at_us, "denied", "w%" PRIu32 ": status %" PRIu64, e->who, e->count);
}

// A stream ends in order at the `end` of its viewer, who may be so far behind that a start has followed by
// then. It comes back, and misses nothing: that is what hole and silent-loss look at. After 204 it would not.
static void take_cut(struct judge *g, struct watcher *w, const struct journal_event *e) {
    if (w->streaming) note_full(g, e->at_us);
    if (w->streaming) w->cut_us = e->at_us;
    bool undisturbed = g->v->faults && !g->disturbs && g->calm_us < 0, in_order = !strcmp(e->word, "end");
    if (in_order && w->streaming && !w->over && !may_be_over(g, w, w->asked_us, e->at_us))
        judge_find(g, e->at_us, "ended", "w%" PRIu32 " at %s, but the video has not", e->who, text_of(w->at));
    else if (in_order && w->streaming && !w->at_end)
        judge_over(g, w, e);
    if (undisturbed && w->streaming && w->pace == PACE_FAST && !w->over && !in_order &&
        strcmp(e->word, "own") != 0 && !is_begun_again(g, w, e->at_us) && !may_be_moved(g, w, e->at_us))
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
    case JOURNAL_REACTED: take_reacted(g, w, e); break;
    case JOURNAL_WANTS:
        w->wants_all |= !strcmp(e->word, "all");
        w->wants_room |= !strcmp(e->word, "room");
        break;
    case JOURNAL_ROOM:
        w->room = e->number;
        w->pinned = e->at;
        w->room_us = e->at_us;
        break;
    case JOURNAL_DENIED: take_denied(g, w, e); break;
    case JOURNAL_BROKEN: judge_find(g, e->at_us, "malformed", "w%" PRIu32 ": %s", e->who, e->word); break;
    case JOURNAL_LEAVE:
        w->left_us = w->streaming ? e->at_us : w->cut_us;
        w->streaming = false;
        w->left = true;
        break;
    default: break;
    }
}

static void judge_walk(struct judge *g) {
    for (size_t i = 0; i < g->j->count; i++) {
        const struct journal_event *e = &g->j->events[i];
        switch (e->kind) {
        case JOURNAL_POST: take_post(g, e); break;
        case JOURNAL_STORED:
        case JOURNAL_ALLOWED: take_stored(g, e); break;
        case JOURNAL_WAITS:
        case JOURNAL_HIDDEN: take_other_answer(g, e); break;
        case JOURNAL_REFUSED: take_refused(g, e); break;
        case JOURNAL_LOST: g->losses[g->loss_count++] = e; break;
        case JOURNAL_KEPT: g->kept = e->count; break;
        case JOURNAL_MOST: g->most = e->count; break;
        case JOURNAL_PLACED: take_placed(g, e); break;
        case JOURNAL_ORDER:
        case JOURNAL_OBEYED: take_order(g, e); break;
        case JOURNAL_FAULT:
            g->v->faults++;
            g->faults[g->fault_count++] = e;
            g->disturbs |= disturbs_streams(e->word);
            if (g->split_us < 0 && !strcmp(e->word, "store-split")) g->split_us = e->at_us;
            break;
        case JOURNAL_CALM: g->calm_us = e->at_us; break;
        case JOURNAL_REACT: g->reacts[e->video]++; break;
        case JOURNAL_DONE: take_done(g, e); break;
        case JOURNAL_LISTED: take_listed(g, i); break;
        default:
            if (e->kind >= JOURNAL_JOIN && e->kind <= JOURNAL_LEAVE) take_viewer_event(g, e);
            break;
        }
    }
}

static void judge_count_watchers(struct judge *g) {
    for (size_t i = 0; i < g->j->count; i++) {
        const struct journal_event *e = &g->j->events[i];
        if (e->kind >= JOURNAL_JOIN && e->kind <= JOURNAL_LEAVE && e->who >= g->watcher_count)
            g->watcher_count = e->who + 1;
        if (e->video >= g->video_count) g->video_count = e->video + 1;
    }
    g->watchers = mem_zalloc((g->watcher_count + 1) * sizeof *g->watchers);
    g->reacts = mem_zalloc((g->video_count + 1) * sizeof *g->reacts);
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
    g.faults = mem_alloc((j->count + 1) * sizeof *g.faults);
    g.places = mem_alloc((j->count + 1) * sizeof *g.places);
    g.orders = mem_alloc((j->count + 1) * sizeof *g.orders);
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
    free(g.faults);
    free(g.places);
    free(g.orders);
    free(g.reacts);
    free(g.tombstones);
    free(g.sources);
    free(g.told);
    free(g.posts);
    known_release(&g.known);
    moderation_release(&g.moderation);
}

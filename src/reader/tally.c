#include "tally.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/buf.h"
#include "base/container_of.h"
#include "base/name_table.h"
#include "base/uthash.h"
#include "engine/engine.h"
#include "tally_text.h"

enum { FIND_AGAIN_MS = 1000, FINDING_MAX = 1000 };

// What another reader has reported about a video that we own.
struct part {
    struct count *count;
    struct peer *peer;
    uint64_t viewers;
    uint64_t told; // the total that was sent back
    bool is_told;
    int64_t heard_ms;
    struct part *prev, *next;           // of the video
    struct part *peer_prev, *peer_next; // of the peer
};

struct count {
    struct name_entry entry; // of tally.videos
    uint64_t here;
    bool wanted; // a viewer here has asked
    enum { OWNED, UNPLACED, ELSEWHERE } place;
    // Owned:
    struct part *parts;
    uint64_t parts_viewers;
    // Unplaced and elsewhere:
    struct count *place_prev, *place_next; // of tally.unplaced, or of the owner
    int64_t placed_ms;                     // unplaced: when its owner was last asked for
    struct peer *owner;
    uint64_t sent;
    bool is_sent;
    int64_t sent_ms;
    uint64_t total; // the owner's
    bool total_known;
    int64_t total_ms; // when it was heard; if it is not known: since when
    // Publishing:
    enum { AT_REST, DUE, COOLING } queue; // at rest, or in tally.due or tally.cooling
    struct count *prev, *next;
    bool changed; // since it was published
    bool is_published;
    uint64_t published;
    int64_t published_ms;
    char video[];
};

// Another reader: an owner of videos that have viewers here, or one with viewers of our videos, or both.
struct peer {
    uint64_t generation; // of its process; UINT64_MAX: not known yet
    int64_t heard_ms;    // of that generation
    struct count *owns;
    struct part *parts;
    bool due; // something for it has changed
    int64_t sent_ms, walked_ms;
    struct peer *next;
    char url[];
};

struct tally {
    const char *reader_url;
    const struct tally_ops *ops;
    void *arg;
    struct name_table videos;
    struct peer *peers;
    size_t peer_count, parts;
    struct count *unplaced;
    struct count *due;     // to be published with the next sweep
    struct count *cooling; // published less than TALLY_EVERY_MS ago, oldest first
    struct buf text;
};

// Videos

static struct count *count_find(const struct tally *t, const char *video) {
    struct name_entry *e = name_table_find(&t->videos, video);
    return e ? container_of(e, struct count, entry) : NULL;
}

static size_t count_size(const char *video) {
    return sizeof(struct count) + strlen(video) + 1;
}

static struct count *count_find_or_add(struct tally *t, const char *video) {
    struct count *c = count_find(t, video);
    if (c) return c;
    budget_take(count_size(video));
    c = mem_zalloc(count_size(video));
    memcpy(c->video, video, strlen(video) + 1);
    c->entry.name = c->video;
    name_table_add(&t->videos, &c->entry);
    return c;
}

static void count_leave_queue(struct tally *t, struct count *c) {
    if (c->queue == DUE) DL_DELETE(t->due, c);
    if (c->queue == COOLING) DL_DELETE(t->cooling, c);
    c->queue = AT_REST;
}

static void count_leave_place(struct tally *t, struct count *c) {
    if (c->place == UNPLACED) DL_DELETE2(t->unplaced, c, place_prev, place_next);
    if (c->place == ELSEWHERE) DL_DELETE2(c->owner->owns, c, place_prev, place_next);
    c->place = OWNED;
    c->owner = NULL;
}

// A zero must reach the owner before the entry goes.
static void count_free_if_unused(struct tally *t, struct count *c) {
    bool owes = c->place == ELSEWHERE && c->is_sent && c->sent;
    if (c->wanted || c->parts || owes || (c->place != OWNED && c->here)) return;
    count_leave_queue(t, c);
    count_leave_place(t, c);
    name_table_remove(&t->videos, &c->entry);
    budget_give_back(count_size(c->video));
    free(c);
}

// Returns whether the total is known, or has been missing for too long. The owner's may be a moment old, but
// there are at least as many viewers as here.
static bool count_total(const struct count *c, int64_t now_ms, uint64_t *total) {
    *total = c->here;
    if (c->place == OWNED)
        *total += c->parts_viewers;
    else if (c->total_known)
        *total = c->total > c->here ? c->total : c->here;
    else
        return now_ms - c->total_ms >= TALLY_ALONE_MS;
    return true;
}

static void count_changed(struct tally *t, struct count *c) {
    struct part *p;
    c->changed = true;
    DL_FOREACH(c->parts, p) p->peer->due = true;
    if (c->owner) c->owner->due = true;
    if (!c->wanted || c->queue != AT_REST) return;
    DL_APPEND(t->due, c);
    c->queue = DUE;
}

static void count_set_here(struct tally *t, struct count *c, uint64_t viewers) {
    if (c->here == viewers) return;
    c->here = viewers;
    count_changed(t, c);
    if (viewers) return;
    c->wanted = c->is_published = false;
    count_leave_queue(t, c);
}

// Publishing

static void count_publish(struct tally *t, struct count *c, uint64_t total, int64_t now_ms) {
    count_leave_queue(t, c);
    c->changed = false;
    if (c->is_published && total == c->published) return;
    c->is_published = true;
    c->published = total;
    c->published_ms = now_ms;
    DL_APPEND(t->cooling, c);
    c->queue = COOLING;
    t->ops->publish(t->arg, c->video, total);
}

static void tally_publish_due(struct tally *t, int64_t now_ms) {
    struct count *c, *next;
    uint64_t total;
    while ((c = t->cooling) && now_ms - c->published_ms >= TALLY_EVERY_MS) {
        count_leave_queue(t, c);
        if (c->changed) count_changed(t, c);
    }
    DL_FOREACH_SAFE(t->due, c, next) {
        if (count_total(c, now_ms, &total)) count_publish(t, c, total, now_ms);
    }
}

// Owners and parts

static void count_forget_total(struct tally *t, struct count *c, int64_t now_ms) {
    c->total_known = false;
    c->total_ms = now_ms;
    count_changed(t, c);
}

static void count_unplace(struct tally *t, struct count *c) {
    count_leave_place(t, c);
    c->place = UNPLACED;
    c->is_sent = false;
    c->placed_ms = INT64_MIN / 2;
    DL_APPEND2(t->unplaced, c, place_prev, place_next);
}

// Returns NULL if there are too many.
static struct peer *peer_find_or_add(struct tally *t, const char *url) {
    struct peer *p;
    LL_FOREACH(t->peers, p) {
        if (!strcmp(p->url, url)) return p;
    }
    if (t->peer_count == TALLY_PEERS) return NULL;
    t->peer_count++;
    p = mem_zalloc(sizeof *p + strlen(url) + 1);
    memcpy(p->url, url, strlen(url) + 1);
    p->generation = UINT64_MAX;
    p->sent_ms = p->walked_ms = INT64_MIN / 2;
    LL_PREPEND(t->peers, p);
    return p;
}

static struct part *part_find_or_add(struct tally *t, struct count *c, struct peer *peer) {
    struct part *p;
    DL_FOREACH(c->parts, p) {
        if (p->peer == peer) return p;
    }
    if (t->parts == TALLY_PARTS) return NULL;
    t->parts++;
    budget_take(sizeof *p);
    p = mem_zalloc(sizeof *p);
    p->count = c;
    p->peer = peer;
    DL_APPEND(c->parts, p);
    DL_APPEND2(peer->parts, p, peer_prev, peer_next);
    return p;
}

// May free the video's entry.
static void part_drop(struct tally *t, struct part *p) {
    struct count *c = p->count;
    c->parts_viewers -= p->viewers;
    DL_DELETE(c->parts, p);
    DL_DELETE2(p->peer->parts, p, peer_prev, peer_next);
    free(p);
    budget_give_back(sizeof *p);
    t->parts--;
    count_changed(t, c);
    count_free_if_unused(t, c);
}

// May free it.
static void count_drop_parts(struct tally *t, struct count *c) {
    for (struct part *p = c->parts, *next; p; p = next) {
        next = p->next;
        part_drop(t, p);
        if (!next) return;
    }
    count_free_if_unused(t, c);
}

static void peer_drop_parts(struct tally *t, struct peer *p) {
    struct part *part, *next;
    DL_FOREACH_SAFE2(p->parts, part, next, peer_next) part_drop(t, part);
}

// Its process has ended: it counts no viewers any more, and its videos may have another owner.
static void peer_end(struct tally *t, struct peer *p) {
    struct count *c, *next;
    peer_drop_parts(t, p);
    DL_FOREACH_SAFE2(p->owns, c, next, place_next) {
        count_unplace(t, c);
        count_free_if_unused(t, c);
    }
    assert(!p->owns && !p->parts);
    p->generation = UINT64_MAX;
}

// Joining and leaving

void tally_join(struct tally *t, const char *video, uint64_t viewers, bool asks, bool elsewhere,
                int64_t now_ms) {
    struct count *c = asks || elsewhere ? count_find_or_add(t, video) : count_find(t, video);
    uint64_t total;
    if (!c) return;
    c->here = viewers;
    c->wanted |= asks;
    if (elsewhere && c->place == OWNED) {
        count_unplace(t, c);
        count_forget_total(t, c, now_ms);
    }
    count_changed(t, c);
    if (c->wanted && !c->is_published && count_total(c, now_ms, &total)) count_publish(t, c, total, now_ms);
}

void tally_count(struct tally *t, const char *video, uint64_t viewers, int64_t now_ms) {
    struct count *c = count_find(t, video);
    (void)now_ms;
    if (!c) return;
    count_set_here(t, c, viewers);
    count_free_if_unused(t, c);
}

void tally_place(struct tally *t, const char *video, const char *owner_url, int64_t now_ms) {
    struct count *c = count_find(t, video);
    bool ours = !owner_url || !strcmp(owner_url, t->reader_url);
    if (!c) return;
    bool same = ours ? c->place == OWNED : c->place == ELSEWHERE && !strcmp(c->owner->url, owner_url);
    if (same) return;
    struct peer *owner = ours ? NULL : peer_find_or_add(t, owner_url);
    if (!ours && !owner) return;
    count_leave_place(t, c);
    c->is_sent = false;
    c->placed_ms = now_ms;
    if (!ours) {
        c->place = ELSEWHERE;
        c->owner = owner;
        DL_APPEND2(c->owner->owns, c, place_prev, place_next);
        if (!c->total_known) c->total_ms = now_ms;
    }
    count_changed(t, c);
    if (ours)
        count_free_if_unused(t, c);
    else
        count_drop_parts(t, c); // they are reported to the new owner
}

// Messages

static void tally_take_part(struct tally *t, struct peer *peer, const struct tally_line *line,
                            int64_t now_ms) {
    struct count *c = line->viewers ? count_find_or_add(t, line->video) : count_find(t, line->video);
    if (!c) return;
    if (c->place == ELSEWHERE && now_ms - c->placed_ms >= TALLY_AGAIN_MS) count_unplace(t, c);
    struct part *p = part_find_or_add(t, c, peer);
    if (!p) {
        count_free_if_unused(t, c);
        return;
    }
    c->parts_viewers += line->viewers - p->viewers;
    p->viewers = line->viewers;
    p->heard_ms = now_ms;
    p->is_told = false;
    count_changed(t, c);
    if (!line->viewers) part_drop(t, p);
}

static void tally_take_total(struct tally *t, const struct peer *peer, const struct tally_line *line,
                             int64_t now_ms) {
    struct count *c = count_find(t, line->video);
    if (!c || c->owner != peer) return;
    bool changed = !c->total_known || c->total != line->viewers;
    c->total = line->viewers;
    c->total_known = true;
    c->total_ms = now_ms;
    if (changed) count_changed(t, c);
}

// Returns the sender, or NULL: a process that has been replaced. A generation that has been silent for long
// was perhaps none.
static struct peer *tally_take_sender(struct tally *t, const struct tally_sender *s, int64_t now_ms) {
    struct peer *p = peer_find_or_add(t, s->reader_url);
    if (!p) return NULL;
    bool known = p->generation != UINT64_MAX;
    if (known && s->generation < p->generation && now_ms - p->heard_ms < TALLY_SILENT_MS) return NULL;
    if (known && s->generation != p->generation) peer_end(t, p);
    p->generation = s->generation;
    p->heard_ms = now_ms;
    return p;
}

void tally_take(struct tally *t, const char *text, size_t len, int64_t now_ms) {
    struct tally_reading r;
    struct tally_sender sender;
    struct tally_line line;
    if (!tally_text_begin(&r, text, len, &sender) || !strcmp(sender.reader_url, t->reader_url)) return;
    struct peer *p = tally_take_sender(t, &sender, now_ms);
    while (p && tally_text_next(&r, &line)) {
        if (line.kind == TALLY_PART)
            tally_take_part(t, p, &line, now_ms);
        else
            tally_take_total(t, p, &line, now_ms);
    }
}

// Sending

struct batch {
    struct tally *tally;
    const struct peer *to;
    uint64_t generation;
    unsigned messages;
};

static void batch_flush(struct batch *b) {
    struct buf *text = &b->tally->text;
    if (text->len) b->tally->ops->send(b->tally->arg, b->to->url, text->data, text->len);
    if (text->len) b->messages++;
    buf_clear(text);
}

// Returns whether there is room for one more line.
static bool batch_has_room(struct batch *b) {
    if (b->tally->text.len + TALLY_LINE_MAX > ENGINE_MESSAGE_MAX) batch_flush(b);
    return b->messages < TALLY_BATCH;
}

static void batch_add(struct batch *b, enum tally_kind kind, const char *video, uint64_t viewers) {
    if (!b->tally->text.len)
        tally_text_add_sender(&b->tally->text, &(struct tally_sender){.reader_url = b->tally->reader_url,
                                                                      .generation = b->generation});
    tally_text_add_line(&b->tally->text, kind, video, viewers);
}

// Reports the viewers here to the owner of their videos. Returns whether all has been sent.
static bool peer_send_parts(struct tally *t, struct peer *p, struct batch *b, int64_t now_ms) {
    struct count *c, *next;
    DL_FOREACH_SAFE2(p->owns, c, next, place_next) {
        bool changed = c->is_sent ? c->sent != c->here : c->here > 0;
        if (changed || (c->here && now_ms - c->sent_ms >= TALLY_AGAIN_MS)) {
            if (!batch_has_room(b)) return false;
            batch_add(b, TALLY_PART, c->video, c->here);
            c->is_sent = true;
            c->sent = c->here;
            c->sent_ms = now_ms;
            DL_DELETE2(c->owner->owns, c, place_prev, place_next); // last in the next batch
            DL_APPEND2(c->owner->owns, c, place_prev, place_next);
        }
        if (c->total_known && now_ms - c->total_ms >= TALLY_SILENT_MS) count_forget_total(t, c, now_ms);
        count_free_if_unused(t, c);
    }
    return true;
}

// Reports totals back.
static bool peer_send_totals(struct tally *t, struct peer *p, struct batch *b, int64_t now_ms) {
    struct part *part, *next;
    uint64_t total;
    DL_FOREACH_SAFE2(p->parts, part, next, peer_next) {
        if (now_ms - part->heard_ms >= TALLY_SILENT_MS) {
            part_drop(t, part);
            continue;
        }
        if (part->count->place != OWNED || !count_total(part->count, now_ms, &total)) continue;
        if (part->is_told && part->told == total) continue;
        if (!batch_has_room(b)) return false;
        batch_add(b, TALLY_TOTAL, part->count->video, total);
        part->is_told = true;
        part->told = total;
        DL_DELETE2(p->parts, part, peer_prev, peer_next);
        DL_APPEND2(p->parts, part, peer_prev, peer_next);
    }
    return true;
}

static void peer_send(struct tally *t, struct peer *p, uint64_t generation, int64_t now_ms) {
    struct batch b = {.tally = t, .to = p, .generation = generation};
    p->walked_ms = now_ms;
    p->due = false;
    bool all = peer_send_parts(t, p, &b, now_ms) && peer_send_totals(t, p, &b, now_ms);
    batch_flush(&b);
    if (b.messages) p->sent_ms = now_ms;
    p->due |= !all;
}

static void tally_sweep_peers(struct tally *t, uint64_t generation, int64_t now_ms) {
    struct peer *p, *next;
    LL_FOREACH_SAFE(t->peers, p, next) {
        if (t->ops->lease_ended(t->arg, p->url, p->generation)) peer_end(t, p);
        int64_t last_ms = p->due ? p->sent_ms : p->walked_ms;
        if (generation && now_ms - last_ms >= TALLY_EVERY_MS) peer_send(t, p, generation, now_ms);
        if (p->owns || p->parts) continue;
        LL_DELETE(t->peers, p);
        t->peer_count--;
        free(p);
    }
}

static void tally_find_owners(struct tally *t, int64_t now_ms) {
    struct count *c, *next;
    unsigned most = FINDING_MAX;
    DL_FOREACH_SAFE2(t->unplaced, c, next, place_next) {
        if (now_ms - c->placed_ms < FIND_AGAIN_MS) continue;
        c->placed_ms = now_ms;
        t->ops->find_owner(t->arg, c->video);
        if (!--most) return;
    }
}

void tally_sweep(struct tally *t, uint64_t generation, int64_t now_ms) {
    tally_sweep_peers(t, generation, now_ms);
    tally_find_owners(t, now_ms);
    tally_publish_due(t, now_ms);
}

// Life

struct tally *tally_new(const char *reader_url, const struct tally_ops *ops, void *arg) {
    struct tally *t = mem_zalloc(sizeof *t);
    t->reader_url = reader_url;
    t->ops = ops;
    t->arg = arg;
    return t;
}

size_t tally_videos(const struct tally *t) {
    return t->videos.count;
}

void tally_free(struct tally *t) {
    struct peer *p, *next;
    if (!t) return;
    LL_FOREACH(t->peers, p) peer_drop_parts(t, p);
    for (struct name_entry *e = name_table_next(&t->videos, NULL), *after; e; e = after) {
        struct count *c = container_of(e, struct count, entry);
        after = name_table_next(&t->videos, e);
        budget_give_back(count_size(c->video));
        free(c);
    }
    name_table_release(&t->videos);
    LL_FOREACH_SAFE(t->peers, p, next) free(p);
    buf_release(&t->text);
    free(t);
}

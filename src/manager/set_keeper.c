#include "set_keeper.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "engine/engine.h"
#include "net/loop.h"
#include "placement/placement.h"
#include "placement/reader_set.h"
#include "placement/readers.h"
#include "service/event_feed.h"

enum {
    LOOK_MS = 250,
    READ_AGAIN_MS = 2000, // a set that is not changed: another manager may have changed it
    FORGET_MS = 60000,    // a video that no reader has mentioned
    VIDEOS_MAX = 10000
};

// What is under way for a video.
enum kept_state { KEPT_AT_REST, KEPT_READING, KEPT_WRITING, KEPT_NAMING };

struct kept_video {
    UT_hash_handle hh;
    struct set_keeper *keeper;
    enum kept_state state;
    unsigned awaited;        // answers, while it is read
    enum engine_status read; // the worst of them
    struct hot_video hot;
    double load;            // of all its readers
    bool mentioned;         // as served by a set
    int64_t mentioned_ms;   // by any reader
    int64_t read_ms;        // when the set and the owner were read; 0: not yet, or they have changed
    struct reader_set *set; // NULL: none was ever written
    char *owner;            // that the mapping names; NULL: there is none
    size_t wanted;
    char video[];
};

struct set_keeper {
    struct loop *loop;
    struct engine *engine;
    struct placement *placement;
    struct hot_times times;
    struct kept_video *videos;
    struct loop_timer look;
    struct event_feed events;
    uint64_t grown, shrunk;
};

static size_t kept_count(const struct kept_video *v) {
    return v->set && v->set->count > 1 ? v->set->count : 1;
}

static void kept_free(struct set_keeper *k, struct kept_video *v) {
    HASH_DEL(k->videos, v);
    reader_set_unref(v->set);
    free(v->owner);
    free(v);
}

// Gathering

static struct kept_video *keeper_video(struct set_keeper *k, const char *video) {
    struct kept_video *v;
    HASH_FIND_STR(k->videos, video, v);
    if (v || HASH_COUNT(k->videos) >= VIDEOS_MAX) return v;
    size_t size = strlen(video) + 1;
    v = mem_zalloc(sizeof *v + size);
    v->keeper = k;
    memcpy(v->video, video, size);
    HASH_ADD_KEYPTR(hh, k->videos, v->video, size - 1, v);
    return v;
}

static void keeper_gather(struct set_keeper *k, int64_t now_ms) {
    const struct readers *r = placement_readers(k->placement);
    struct kept_video *v, *next;
    HASH_ITER(hh, k->videos, v, next) {
        v->load = 0;
        v->mentioned = false;
    }
    for (size_t i = 0; i < r->count; i++) {
        const struct reader_load *l = &r->rows[i].load;
        if (r->rows[i].state != READER_LIVE) continue;
        for (size_t n = 0; n < l->video_count; n++) {
            v = keeper_video(k, l->videos[n].video);
            if (!v) continue;
            v->load += hot_set_share(l, &l->videos[n]);
            v->mentioned |= l->videos[n].in_set;
            v->mentioned_ms = now_ms;
        }
    }
}

// Members

// Only readers that report their load know sets.
static bool may_join(const struct reader_row *row) {
    return row->load.cores > 0;
}

static struct hot_candidate kept_candidate(const struct kept_video *v, const char *reader_url) {
    const struct reader_row *row = readers_find(placement_readers(v->keeper->placement), reader_url);
    const struct reader_load_video *of = row ? reader_load_of(&row->load, v->video) : NULL;
    return (struct hot_candidate){.used = row ? reader_load_used(&row->load, row->viewers) : 1,
                                  .viewers = of ? of->viewers : 0};
}

struct members {
    size_t count;
    const char *urls[READER_SET_MAX];
};

static bool members_have(const struct members *m, const char *url) {
    size_t i = 0;
    while (i < m->count && strcmp(m->urls[i], url) != 0) i++;
    return i < m->count;
}

// Adds the least used reader that is not among them. Returns false if there is none.
static bool members_add_one(struct members *m, const struct kept_video *v) {
    const struct readers *r = placement_readers(v->keeper->placement);
    const char *best = NULL;
    struct hot_candidate two[2];
    for (size_t i = 0; i < r->live_count; i++) {
        const struct reader_row *row = readers_find(r, r->live[i].reader_url);
        if (!row || !may_join(row) || members_have(m, row->reader_url)) continue;
        two[1] = kept_candidate(v, row->reader_url);
        if (best && !hot_set_joins(two, 2)) continue;
        best = row->reader_url;
        two[0] = two[1];
    }
    if (best) m->urls[m->count++] = best;
    return best != NULL;
}

static void members_drop_one(struct members *m, const struct kept_video *v) {
    struct hot_candidate all[READER_SET_MAX];
    for (size_t i = 0; i < m->count; i++) all[i] = kept_candidate(v, m->urls[i]);
    size_t leaves = hot_set_leaves(all, m->count--);
    memmove(&m->urls[leaves], &m->urls[leaves + 1], (m->count - leaves) * sizeof *m->urls);
}

// The present members that are alive, in their order; without a set the owner.
static struct members kept_members(const struct kept_video *v) {
    struct members m = {0};
    const struct placement *p = v->keeper->placement;
    bool has_set = kept_count(v) > 1;
    for (size_t i = 0; has_set && i < v->set->count; i++)
        if (!placement_is_gone(p, v->set->urls[i])) m.urls[m.count++] = v->set->urls[i];
    if (!has_set && v->owner && !placement_is_gone(p, v->owner)) m.urls[m.count++] = v->owner;
    return m;
}

// Writing

static void kept_name_first(struct kept_video *);

static void kept_take(struct kept_video *v, const struct engine_set *set) {
    if (reader_set_take(&v->set, set)) v->hot = (struct hot_video){0};
}

static void tell_changed(struct kept_video *v, size_t before) {
    struct set_keeper *k = v->keeper;
    size_t count = kept_count(v);
    const char *what = count < before ? "gathered" : "spread"; // spread, too, where a member was replaced
    k->grown += count > before;
    k->shrunk += count < before;
    log_info("manager", what, "video=%s readers=%u before=%u load_percent=%u", v->video, (unsigned)count,
             (unsigned)before, (unsigned)(100 * v->load));
    if (event_feed_has_room(&k->events, loop_now_ms(k->loop)))
        event_feed_send(
            &k->events, k->engine,
            json_pack("{s:s, s:s, s:I}", "kind", what, "video", v->video, "readers", (json_int_t)count));
}

static void on_set_written(void *arg, enum engine_status status, const struct engine_set *set) {
    struct kept_video *v = arg;
    size_t before = kept_count(v);
    v->state = KEPT_AT_REST;
    v->read_ms = 0;
    if (status != ENGINE_OK) return; // the next look decides again
    kept_take(v, set);
    if (!set->written) return;
    tell_changed(v, before);
    kept_name_first(v);
}

static void kept_write(struct kept_video *v, const struct members *m) {
    struct set_keeper *k = v->keeper;
    struct buf text = {0};
    reader_set_write(&text, m->urls, m->count);
    v->state = KEPT_WRITING;
    k->engine->ops->set_write(k->engine, v->video, v->set ? v->set->generation : 0, buf_string(&text),
                              on_set_written, v);
    buf_release(&text);
}

static void on_named(void *arg, enum engine_status status, const char *reader_url, bool changed) {
    struct kept_video *v = arg;
    (void)status, (void)reader_url, (void)changed;
    v->state = KEPT_AT_REST;
}

// The mapping is to name the first reader.
static void kept_name_first(struct kept_video *v) {
    struct engine *e = v->keeper->engine;
    const char *first = v->set && v->set->count ? v->set->urls[0] : NULL;
    if (!first || !v->owner || !strcmp(first, v->owner)) return;
    v->state = KEPT_NAMING;
    v->read_ms = 0;
    e->ops->reassign(e, v->video, v->owner, first, on_named, v);
}

// Deciding

static size_t kept_readers_that_may_join(const struct kept_video *v) {
    const struct readers *r = placement_readers(v->keeper->placement);
    size_t count = 0;
    for (size_t i = 0; i < r->live_count; i++) {
        const struct reader_row *row = readers_find(r, r->live[i].reader_url);
        count += row && may_join(row);
    }
    return count < READER_SET_MAX ? count : READER_SET_MAX;
}

// With the set and the owner as they have just been read.
static void kept_decide(struct kept_video *v) {
    struct members m = kept_members(v);
    size_t had = kept_count(v), lost = had - m.count;
    if (!m.count) return; // the next viewer's connect request gives it a reader
    if (v->wanted == had && (had == 1 || !lost)) {
        if (had > 1) kept_name_first(v);
        return;
    }
    while (m.count < v->wanted && members_add_one(&m, v)) continue;
    while (m.count > v->wanted && m.count > 1) members_drop_one(&m, v);
    if (lost || m.count != had) kept_write(v, &m);
}

static void kept_read_part(struct kept_video *v, enum engine_status status) {
    if (status != ENGINE_OK) v->read = status;
    if (--v->awaited) return;
    v->state = KEPT_AT_REST;
    if (v->read != ENGINE_OK) return;
    v->read_ms = loop_now_ms(v->keeper->loop);
    kept_decide(v);
}

static void on_kept_set(void *arg, enum engine_status status, const struct engine_set *set) {
    struct kept_video *v = arg;
    size_t before = kept_count(v);
    if (status == ENGINE_OK) kept_take(v, set);
    if (kept_count(v) != before) v->wanted = kept_count(v); // decided on another set
    kept_read_part(v, status);
}

static void on_kept_owner(void *arg, enum engine_status status, const char *reader_url, bool changed) {
    struct kept_video *v = arg;
    (void)changed;
    if (status == ENGINE_OK || status == ENGINE_NOT_FOUND) {
        free(v->owner);
        v->owner = reader_url ? mem_strdup(reader_url) : NULL;
        status = ENGINE_OK;
    }
    kept_read_part(v, status);
}

static void kept_read(struct kept_video *v) {
    struct engine *e = v->keeper->engine;
    v->state = KEPT_READING;
    v->read = ENGINE_OK;
    v->awaited = 2;
    e->ops->set_read(e, v->video, on_kept_set, v);
    e->ops->lookup(e, v->video, on_kept_owner, v);
}

static bool kept_has_lost(const struct kept_video *v) {
    for (size_t i = 0; kept_count(v) > 1 && i < v->set->count; i++)
        if (placement_is_gone(v->keeper->placement, v->set->urls[i])) return true;
    return false;
}

static void kept_look(struct kept_video *v, int64_t now_ms) {
    size_t count = kept_count(v);
    bool in_set = count > 1 || v->mentioned;
    v->wanted =
        hot_set_size(&v->hot, v->load, count, kept_readers_that_may_join(v), &v->keeper->times, now_ms);
    if (v->wanted != count || kept_has_lost(v) || (in_set && now_ms - v->read_ms >= READ_AGAIN_MS))
        kept_read(v);
}

static void on_look_due(struct loop_timer *t) {
    struct set_keeper *k = container_of(t, struct set_keeper, look);
    int64_t now_ms = loop_now_ms(k->loop);
    struct kept_video *v, *next;
    keeper_gather(k, now_ms);
    HASH_ITER(hh, k->videos, v, next) {
        if (v->state != KEPT_AT_REST) continue;
        if (now_ms - v->mentioned_ms > FORGET_MS && kept_count(v) == 1)
            kept_free(k, v);
        else
            kept_look(v, now_ms);
    }
    loop_timer_start(k->loop, t, LOOK_MS);
}

// Life

struct set_keeper *set_keeper_new(struct loop *loop, struct engine *engine, struct placement *placement,
                                  const struct hot_times *times) {
    struct set_keeper *k = mem_zalloc(sizeof *k);
    *k = (struct set_keeper){.loop = loop, .engine = engine, .placement = placement, .times = *times};
    k->look.on_due = on_look_due;
    loop_timer_start(loop, &k->look, LOOK_MS);
    return k;
}

void set_keeper_free(struct set_keeper *k) {
    if (!k) return;
    loop_timer_stop(k->loop, &k->look);
    while (k->videos) kept_free(k, k->videos);
    free(k);
}

struct set_figures set_keeper_figures(const struct set_keeper *k) {
    struct set_figures f = {.grown = k->grown, .shrunk = k->shrunk};
    for (const struct kept_video *v = k->videos; v; v = v->hh.next) {
        f.sets += kept_count(v) > 1;
        if (kept_count(v) > 1) f.readers += v->set->count;
    }
    return f;
}

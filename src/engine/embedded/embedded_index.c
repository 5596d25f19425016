#include "embedded_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "embedded_store.h"

enum { SMALLEST = 4 };

static void index_reserve(struct store *s, struct entry_index *t, size_t more) {
    if (t->count + more <= t->room) return;
    size_t room = t->room ? t->room : SMALLEST;
    while (room < t->count + more) room *= 2;
    t->rows = mem_realloc(t->rows, room * sizeof *t->rows);
    s->index_rows += room - t->room;
    t->room = (uint32_t)room;
}

void index_drop(struct entry_index *t, size_t count) {
    t->count -= (uint32_t)count;
    if (count && t->count) memmove(t->rows, t->rows + count, t->count * sizeof *t->rows);
}

// What a step backwards has to know of an entry.
struct step {
    int64_t before;
    struct position at;
    bool expired, kept;
};

static bool index_read_step(struct store *s, const struct video *v, int64_t n, struct step *step) {
    sqlite3_stmt *q = store_use(s, SQL_ENTRY_STEP);
    sqlite3_bind_int64(q, 1, n);
    if (!store_row(s, q)) {
        store_skip_damage(s); // nothing older can be found
        return false;
    }
    step->before = sqlite3_column_int64(q, 0);
    step->expired = store_expired(s, sqlite3_column_int64(q, 1));
    step->at.epoch = (uint64_t)sqlite3_column_int64(q, 2);
    step->at.seq = (uint64_t)sqlite3_column_int64(q, 3);
    step->kept = store_keeps(s, sqlite3_column_int64(q, 1), v->logged - sqlite3_column_int64(q, 4),
                             v->bytes - sqlite3_column_int64(q, 5));
    store_end(q);
    if (step->before < n && step->before >= 0) return true;
    store_found_damage(s, "log entries form a loop");
    store_skip_damage(s);
    return false;
}

static void index_prepend_reversed(struct store *s, struct entry_index *t,
                                   const struct entry_index *newest_first) {
    size_t more = newest_first->count;
    index_reserve(s, t, more);
    if (t->count) memmove(t->rows + more, t->rows, t->count * sizeof *t->rows);
    for (size_t i = 0; i < more; i++) t->rows[i] = newest_first->rows[more - 1 - i];
    t->count += (uint32_t)more;
}

// Goes back from the oldest that is known until there are `enough`, or to the last one behind `after` that is
// kept.
static void index_extend(struct store *s, struct video *v, size_t enough, struct position after) {
    struct entry_index *t = &v->index;
    struct entry_index found = {0};
    struct step step;
    int64_t n = v->newest;
    if (t->count) n = index_read_step(s, v, t->rows[0], &step) ? step.before : 0;
    while (n && t->count + found.count < enough && index_read_step(s, v, n, &step)) {
        if (step.expired || !step.kept || position_compare(step.at, after) <= 0) break;
        index_reserve(s, &found, 1);
        found.rows[found.count++] = n;
        n = step.before;
    }
    index_prepend_reversed(s, t, &found);
    s->index_rows -= found.room;
    free(found.rows);
}

// Finds the first entry from `from` on that is after `after`. One that is deleted was an old one.
static size_t index_search(struct store *s, const struct video *v, size_t from, struct position after) {
    const struct entry_index *t = &v->index;
    size_t to = t->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        struct step step;
        if (index_read_step(s, v, t->rows[middle], &step) && position_compare(step.at, after) > 0)
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

// Finds the first entry from `from` on that is kept. The newest `log_entries` are, and need not be looked at.
static size_t index_find_kept(struct store *s, const struct video *v, size_t from) {
    const struct entry_index *t = &v->index;
    if (t->count - from <= s->config.limits.log_entries) return from;
    size_t to = t->count - (size_t)s->config.limits.log_entries;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        struct step step;
        if (index_read_step(s, v, t->rows[middle], &step) && step.kept)
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

void index_add(struct store *s, struct video *v, int64_t n) {
    struct entry_index *t = &v->index;
    if (t->count >= SMALLEST && t->count / 2 >= s->config.limits.log_entries && t->count / 2 >= t->kept) {
        index_drop(t, index_find_kept(s, v, 0));
        t->kept = t->count;
    }
    index_reserve(s, t, 1);
    t->rows[t->count++] = n;
}

// Within an epoch numbers have no holes, so the number of entries after `after` can be computed.
size_t index_reach(struct store *s, struct video *v, struct position after) {
    struct entry_index *t = &v->index;
    uint64_t enough = SIZE_MAX;
    bool same_epoch = after.epoch == v->at.epoch;
    if (same_epoch) enough = v->at.seq - after.seq;
    if (t->count < enough) index_extend(s, v, (size_t)enough, after);
    size_t first = t->count > enough ? t->count - (size_t)enough : 0;
    first = index_find_kept(s, v, first);
    return same_epoch ? first : index_search(s, v, first, after);
}

// Returns the position just before another: no entry lies between.
static struct position index_before(struct position p) {
    return p.seq ? (struct position){p.epoch, p.seq - 1} : (struct position){p.epoch - 1, UINT64_MAX};
}

size_t index_reach_before(struct store *s, struct video *v, struct position before, size_t count,
                          size_t *end) {
    struct entry_index *t = &v->index;
    size_t newer = 0;
    if (position_is_set(before) && position_compare(before, v->at) <= 0) {
        size_t from = index_reach(s, v, index_before(before));
        newer = t->count - from;
    }
    if (t->count < newer + count) index_extend(s, v, newer + count, (struct position){0});
    *end = t->count - newer;
    size_t first = index_find_kept(s, v, *end > count ? *end - count : 0);
    return first < *end ? first : *end;
}

#include "set_choice.h"

#include <string.h>

#include "base/hash.h"
#include "placement/hot_set.h"
#include "placement/reader_set.h"
#include "placement/readers.h"

static struct hot_candidate set_candidate(struct reader_set *set, size_t i, const struct readers *r,
                                          const char *video) {
    const struct reader_row *row = readers_find(r, set->urls[i]);
    if (!row) return (struct hot_candidate){.used = 1};
    if (set->stamps[i] != row->stamp) set->sent[i] = 0;
    set->stamps[i] = row->stamp;
    const struct reader_load_video *v = reader_load_of(&row->load, video);
    return (struct hot_candidate){.used = reader_load_used(&row->load, row->viewers + set->sent[i]),
                                  .viewers = (v ? v->viewers : 0) + set->sent[i]};
}

// The members that are alive, each with its place in the set.
struct alive {
    size_t count, place[READER_SET_MAX];
    struct hot_candidate members[READER_SET_MAX];
};

static void set_list_alive(struct alive *a, struct reader_set *set, const struct readers *r,
                           const char *video, int64_t now_ms) {
    a->count = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (readers_has_gone(r, set->urls[i], now_ms)) continue;
        a->members[a->count] = set_candidate(set, i, r, video);
        a->place[a->count++] = i;
    }
}

const char *set_first_alive(const struct reader_set *set, const struct readers *r, int64_t now_ms) {
    for (size_t i = 0; set->count > 1 && i < set->count; i++)
        if (!readers_has_gone(r, set->urls[i], now_ms)) return set->urls[i];
    return NULL;
}

const char *set_choose(struct reader_set *set, const struct readers *r, const char *video, int64_t now_ms) {
    struct alive a;
    set_list_alive(&a, set, r, video, now_ms);
    if (!a.count) return NULL;
    size_t chosen = a.place[hot_set_choose(a.members, a.count, hash_random())];
    set->sent[chosen]++;
    return set->urls[chosen];
}

uint64_t set_moves(struct reader_set *set, const struct readers *r, const char *video, const char *own,
                   uint64_t viewers, struct hot_crowd *crowd, int64_t now_ms) {
    struct alive a = {0};
    size_t place = reader_set_find(set, own), i = 0;
    if (set) set_list_alive(&a, set, r, video, now_ms);
    while (i < a.count && a.place[i] != place) i++;
    if (i == a.count) a = (struct alive){.count = 1}, i = 0; // it is alone
    a.members[i].viewers = viewers;
    hot_crowd_count(crowd, a.members, a.count, now_ms);
    return hot_set_moves(a.members, a.count, i, crowd);
}

bool set_sends_on(struct reader_set *set, const struct readers *r, const char *video, const char *own,
                  uint64_t viewers, const char *other) {
    size_t from = reader_set_find(set, own), to = reader_set_find(set, other);
    if (from == set->count || to == set->count || from == to) return false;
    struct hot_candidate here = set_candidate(set, from, r, video), there = set_candidate(set, to, r, video);
    here.viewers = viewers;
    return hot_set_sends_on(&here, &there);
}

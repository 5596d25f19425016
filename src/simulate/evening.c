#include "simulate/evening.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "placement/hot_set.h"
#include "placement/reader_load.h"
#include "placement/reader_set.h"
#include "placement/rebalance.h"
#include "simulate/audience.h"
#include "simulate/costs.h"
#include "simulate/placing.h"

enum { MINUTES_MOST = 24 * 60, ROUNDS_MOST = 20 };

struct evening_state {
    const struct placing *placing;
    const struct evening_fleet *fleet;
    struct prng prng;
    struct rebalance_reader *readers; // with their viewers
    double *cores;                    // that they need
    uint32_t *owner;                  // of each video; of one with a set IN_SET
};
#define IN_SET UINT32_MAX

static double video_cores(const struct evening_state *s, uint64_t all, uint64_t viewers) {
    uint64_t total = s->placing->audience->total;
    double rate = total ? s->fleet->comments * (double)all / (double)total : 0;
    return cost_sending(viewers, rate) + cost_heartbeats(viewers);
}

static struct reader_load load_of(const struct evening_state *s, double cores) {
    return (struct reader_load){.cores = (uint64_t)(s->fleet->cores * 1000),
                                .used = (uint64_t)(cores * 1000),
                                .most = s->fleet->max_viewers};
}

static double used_by(const struct evening_state *s, size_t reader) {
    struct reader_load l = load_of(s, s->cores[reader]);
    return reader_load_used(&l, s->readers[reader].viewers);
}

static void give(struct evening_state *s, size_t reader, uint64_t all, uint64_t viewers, int sign) {
    s->readers[reader].viewers += sign > 0 ? viewers : -viewers;
    s->cores[reader] += sign * video_cores(s, all, viewers);
}

static struct evening_step evening_look(const struct evening_state *s) {
    size_t count = s->placing->readers;
    uint64_t most = 0, all = 0;
    struct evening_step step = {0};
    for (size_t i = 0; i < count; i++) {
        all += s->readers[i].viewers;
        if (s->readers[i].viewers > most) most = s->readers[i].viewers;
        if (s->cores[i] > step.hottest) step.hottest = s->cores[i];
    }
    step.most_of_mean = all ? (double)most * (double)count / (double)all : 0;
    return step;
}

// Sets

struct evening_set {
    size_t count, readers[READER_SET_MAX];
    struct hot_candidate members[READER_SET_MAX];
    uint64_t all; // viewers of the video
};

static void set_add(struct evening_state *s, struct evening_set *set, size_t reader, uint64_t viewers) {
    set->readers[set->count] = reader;
    set->members[set->count++] = (struct hot_candidate){used_by(s, reader), viewers};
}

static bool set_has(const struct evening_set *set, size_t reader) {
    size_t i = 0;
    while (i < set->count && set->readers[i] != reader) i++;
    return i < set->count;
}

static void set_add_least_used(struct evening_state *s, struct evening_set *set) {
    size_t count = 0, *numbers = mem_alloc(s->placing->readers * sizeof *numbers);
    struct hot_candidate *may_join = mem_alloc(s->placing->readers * sizeof *may_join);
    for (size_t i = 0; i < s->placing->readers; i++) {
        if (set_has(set, i)) continue;
        numbers[count] = i;
        may_join[count++] = (struct hot_candidate){.used = used_by(s, i)};
    }
    set_add(s, set, numbers[hot_set_joins(may_join, count)], 0);
    free(may_join);
    free(numbers);
}

static void set_pass(struct evening_state *s, struct evening_set *set, size_t member, int sign) {
    size_t reader = set->readers[member];
    give(s, reader, set->all, 1, sign);
    set->members[member].viewers += sign > 0 ? 1 : -(uint64_t)1;
    set->members[member].used = used_by(s, reader);
}

// Returns how many viewers have come to another reader.
static uint64_t set_even_out(struct evening_state *s, struct evening_set *set) {
    uint64_t moved = 0, surplus = 1;
    for (int round = 0; surplus && round < ROUNDS_MOST; round++) {
        surplus = 0;
        for (size_t own = 0; own < set->count; own++) {
            uint64_t leave = hot_set_surplus(set->members, set->count, own);
            surplus += leave;
            for (; leave; leave--) {
                set_pass(s, set, own, -1);
                size_t to = hot_set_choose(set->members, set->count, prng_below(&s->prng, UINT64_MAX));
                set_pass(s, set, to, 1);
                moved += to != own;
            }
        }
    }
    return moved;
}

static size_t wanted_readers(const struct evening_state *s, uint64_t viewers) {
    static const struct hot_times at_once = {0};
    struct reader_load load = load_of(s, 0);
    struct reader_load_video v = {.viewers = viewers,
                                  .load = (uint64_t)(video_cores(s, viewers, viewers) * 1000)};
    struct hot_video hot = {0};
    size_t most = s->placing->readers < READER_SET_MAX ? s->placing->readers : READER_SET_MAX;
    return hot_set_size(&hot, hot_set_share(&load, &v), 1, most, &at_once, 1);
}

static void evening_make_sets(struct evening *e, struct evening_state *s) {
    const struct audience *a = s->placing->audience;
    uint64_t moved = 0;
    for (size_t i = 0; i < a->videos; i++) { // the most popular first
        uint32_t video = a->ranking[i];
        size_t wanted = wanted_readers(s, a->viewers[video]);
        if (wanted < 2) break;
        struct evening_set set = {.all = a->viewers[video]};
        set_add(s, &set, s->owner[video], set.all);
        while (set.count < wanted) set_add_least_used(s, &set);
        moved += set_even_out(s, &set);
        s->owner[video] = IN_SET;
        e->sets++;
        if (set.count > e->largest_set) e->largest_set = set.count;
        if (i) continue;
        memset(e->celebrity, 0, e->readers * sizeof *e->celebrity);
        for (size_t k = 0; k < set.count; k++)
            e->celebrity[set.readers[k]] = video_cores(s, set.all, set.members[k].viewers);
    }
    e->with_sets = evening_look(s);
    e->with_sets.viewers = moved;
}

// Rebalancing

typedef char video_name[32];

// Those that may leave a reader.
static size_t movable(const struct evening_state *s, const video_name *names, struct rebalance_video *list) {
    const struct audience *a = s->placing->audience;
    size_t count = 0, readers = s->placing->readers;
    bool *has_many = mem_alloc(readers * sizeof *has_many);
    for (size_t i = 0; i < readers; i++) has_many[i] = rebalance_surplus(s->readers, readers, i) > 0;
    for (size_t i = 0; i < a->videos; i++)
        if (s->owner[i] != IN_SET && has_many[s->owner[i]])
            list[count++] = (struct rebalance_video){names[i], s->owner[i], a->viewers[i]};
    free(has_many);
    return count;
}

static void evening_move(struct evening *e, struct evening_state *s, const struct rebalance_move *move,
                         const video_name *names) {
    uint64_t viewers = move->video->viewers;
    size_t video = (size_t)((const video_name *)move->video->video - names);
    give(s, move->video->reader, viewers, viewers, -1);
    give(s, move->to, viewers, viewers, 1);
    s->owner[video] = (uint32_t)move->to;
    if (video == s->placing->audience->ranking[0]) {
        e->celebrity[move->to] = e->celebrity[move->video->reader];
        e->celebrity[move->video->reader] = 0;
    }
    e->rebalanced.videos++;
    e->rebalanced.viewers += viewers;
}

static void evening_rebalance(struct evening *e, struct evening_state *s) {
    const struct audience *a = s->placing->audience;
    uint64_t budget = a->total * REBALANCE_PER_CENT_A_MINUTE / 100;
    video_name *names = mem_alloc(a->videos * sizeof *names);
    struct rebalance_video *videos = mem_alloc(a->videos * sizeof *videos);
    struct rebalance_move *moves = mem_alloc(a->videos * sizeof *moves);
    for (size_t i = 0; i < a->videos; i++) snprintf(names[i], sizeof names[i], "video%zu", i + 1);
    for (; e->minutes < MINUTES_MOST; e->minutes++) {
        size_t count = movable(s, (const video_name *)names, videos);
        size_t planned = rebalance_plan(s->readers, s->placing->readers, videos, count, budget, moves);
        if (!planned) break;
        for (size_t i = 0; i < planned; i++) evening_move(e, s, &moves[i], (const video_name *)names);
    }
    struct evening_step step = evening_look(s);
    e->rebalanced.most_of_mean = step.most_of_mean;
    e->rebalanced.hottest = step.hottest;
    free(moves);
    free(videos);
    free(names);
}

void evening_init(struct evening *e, const struct placing *p, const struct evening_fleet *fleet) {
    const struct audience *a = p->audience;
    struct evening_state s = {.placing = p,
                              .fleet = fleet,
                              .prng = {fleet->seed},
                              .readers = mem_zalloc(p->readers * sizeof *s.readers),
                              .cores = mem_zalloc(p->readers * sizeof *s.cores),
                              .owner = mem_alloc(a->videos * sizeof *s.owner)};
    *e = (struct evening){.readers = p->readers,
                          .largest_set = 1,
                          .before = mem_alloc(p->readers * sizeof *e->before),
                          .celebrity = mem_zalloc(p->readers * sizeof *e->celebrity)};
    for (size_t i = 0; i < p->readers; i++) s.readers[i].url = p->urls[i];
    memcpy(s.owner, p->reader, a->videos * sizeof *s.owner);
    for (size_t i = 0; i < a->videos; i++) give(&s, s.owner[i], a->viewers[i], a->viewers[i], 1);
    uint32_t star = a->ranking[0];
    e->celebrity[s.owner[star]] = video_cores(&s, a->viewers[star], a->viewers[star]);
    memcpy(e->before, s.cores, p->readers * sizeof *e->before);
    e->placed = evening_look(&s);
    evening_make_sets(e, &s);
    evening_rebalance(e, &s);
    e->after = s.cores;
    free(s.readers);
    free(s.owner);
}

void evening_release(struct evening *e) {
    free(e->before);
    free(e->after);
    free(e->celebrity);
}

// Managers that give hot videos more readers and take them back, on an embedded engine, whose clock the test
// moves.
#include "embedded_world.h"
#include "run_loop.h"

#include "manager/set_keeper.h"
#include "placement/placement.h"
#include "placement/reader_set.h"
#include "placement/readers.h"

#include <math.h>

enum { STEP_MS = 500, READERS = 4, MOST = 1000 };

static const char *const urls[READERS] = {"http://127.0.0.1:4001", "http://127.0.0.1:4002",
                                          "http://127.0.0.1:4003", "http://127.0.0.1:4004"};
static const struct hot_times times = {.grow_ms = 3000, .shrink_ms = 10000};

// The readers: how many of MOST viewers each has of v, and of other videos.
static uint64_t viewers[READERS], others[READERS];
static bool dead[READERS], says_in_set;

static void renew_all(struct world *w) {
    for (int i = 0; i < READERS; i++) {
        char load[256];
        if (dead[i]) continue;
        snprintf(
            load, sizeof load,
            "{\"most\":%d,\"cores\":1000,\"used\":0,\"videos\":[{\"video\":\"v\",\"viewers\":%llu,\"load\":0%s}]}",
            MOST, (unsigned long long)viewers[i], says_in_set ? ",\"set\":true" : "");
        world_renew(w,
                    &(struct engine_lease){.reader_url = urls[i],
                                           .instance_id = "reader",
                                           .generation = 1,
                                           .viewers = viewers[i] + others[i],
                                           .load = load},
                    READERS_LEASE_MS);
    }
}

static void pass(struct world *w, int64_t ms) {
    for (; ms > 0; ms -= STEP_MS) {
        renew_all(w);
        run_later(w->loop, STEP_MS);
        for (int i = 0; i < 4; i++) world_leases(w); // answered behind what the manager asks, and asks then
    }
}

struct system {
    struct world *world;
    struct placement *placement;
    struct set_keeper *managers[2];
};

static struct system start_with(void **state, size_t managers, const struct hot_times *t) {
    struct system s = {.world = *state};
    struct world *w = s.world;
    memset(viewers, 0, sizeof viewers);
    memset(others, 0, sizeof others);
    memset(dead, 0, sizeof dead);
    says_in_set = false;
    renew_all(w);
    s.placement = placement_new(w->loop, w->engine, &(struct placement_config){.sets = true});
    placement_start(s.placement);
    for (size_t i = 0; i < managers; i++) s.managers[i] = set_keeper_new(w->loop, w->engine, s.placement, t);
    world_assign(w, "v", urls[0]);
    return s;
}

static struct system start(void **state, size_t managers) {
    return start_with(state, managers, &times);
}

static void end(struct system *s) {
    world_close(s->world);
    for (int i = 0; i < 2; i++) set_keeper_free(s->managers[i]);
    placement_free(s->placement);
    run_turns(s->world->loop, 1);
}

static void assert_set(struct system *s, uint64_t generation, const char *text) {
    struct world_set set = world_read_set(s->world, "v");
    assert_string_equal(set.text, text);
    assert_int_equal(set.generation, generation);
}

#define FIRST  "http://127.0.0.1:4001"
#define SECOND "http://127.0.0.1:4002"
#define THIRD  "http://127.0.0.1:4003"

// 450 of 1,000 viewers count as 0.675 of a reader, 750 as 1.125.
static void test_a_hot_video_is_spread_over_as_many_readers_as_it_fills(void **state) {
    struct system s = start(state, 1);
    viewers[0] = 390;
    pass(s.world, 20000);
    assert_set(&s, 0, "");
    viewers[0] = 750;
    others[1] = 100;
    others[3] = 50;
    pass(s.world, 2500);
    assert_set(&s, 0, "");
    pass(s.world, 1500);
    assert_set(&s, 1, "http://127.0.0.1:4001 http://127.0.0.1:4003 http://127.0.0.1:4004");
    assert_string_equal(world_lookup(s.world, "v").reader, urls[0]);
    assert_int_equal(set_keeper_figures(s.managers[0]).sets, 1);
    assert_int_equal(set_keeper_figures(s.managers[0]).readers, 3);
    pass(s.world, 60000); // spread or not, it is as hot as it was
    assert_int_equal(world_read_set(s.world, "v").generation, 1);
    end(&s);
}

static void test_two_managers_make_one_set(void **state) {
    struct system s = start(state, 2);
    viewers[0] = 450;
    pass(s.world, 20000);
    assert_set(&s, 1, FIRST " " SECOND);
    struct set_figures a = set_keeper_figures(s.managers[0]), b = set_keeper_figures(s.managers[1]);
    assert_int_equal(a.grown + b.grown, 1);
    end(&s);
}

static void test_a_video_that_cools_down_loses_one_reader_after_the_other(void **state) {
    struct system s = start(state, 1);
    viewers[0] = 800;
    pass(s.world, 5000);
    assert_int_equal(world_read_set(s.world, "v").generation, 1);
    viewers[0] = 30, viewers[1] = 10, viewers[2] = 20;
    pass(s.world, 9000);
    assert_set(&s, 1, FIRST " " SECOND " " THIRD);
    pass(s.world, 2000);
    assert_set(&s, 2, FIRST " " THIRD); // the one with the fewest viewers left, not the first
    pass(s.world, 9000);
    assert_set(&s, 2, FIRST " " THIRD);
    pass(s.world, 2000);
    assert_set(&s, 3, FIRST);
    assert_int_equal(set_keeper_figures(s.managers[0]).sets, 0);
    assert_int_equal(set_keeper_figures(s.managers[0]).shrunk, 2);
    viewers[0] = 450;
    pass(s.world, 5000);
    assert_int_equal(world_read_set(s.world, "v").generation, 4);
    end(&s);
}

static void test_a_member_that_dies_is_replaced(void **state) {
    struct system s = start(state, 1);
    viewers[0] = 450;
    pass(s.world, 5000);
    assert_set(&s, 1, FIRST " " SECOND);
    dead[1] = true;
    pass(s.world, 5000);
    assert_set(&s, 2, FIRST " " THIRD);
    end(&s);
}

// The mapping, by which an earlier version finds the video, names the next one.
static void test_when_the_first_member_dies_the_next_is_named(void **state) {
    struct system s = start(state, 1);
    viewers[0] = 450;
    pass(s.world, 5000);
    dead[0] = true;
    viewers[1] = 450;
    pass(s.world, 5000);
    assert_set(&s, 2, SECOND " " THIRD);
    assert_string_equal(world_lookup(s.world, "v").reader, urls[1]);
    end(&s);
}

// A manager of an earlier version has reassigned the video to a reader that is not in the set.
static void test_the_set_is_the_truth_and_the_mapping_is_corrected(void **state) {
    struct system s = start(state, 1);
    viewers[0] = 450;
    pass(s.world, 5000);
    assert_true(world_reassign(s.world, "v", urls[0], urls[3]).changed);
    pass(s.world, 4000);
    assert_set(&s, 1, FIRST " " SECOND);
    assert_string_equal(world_lookup(s.world, "v").reader, urls[0]);
    end(&s);
}

// It learns of the set from what readers say.
static void test_a_manager_that_starts_goes_on_with_a_set(void **state) {
    struct system s = start(state, 1);
    world_write_set(s.world, "v", 0, FIRST " " THIRD);
    viewers[0] = 10;
    says_in_set = true;
    pass(s.world, 2000);
    assert_int_equal(set_keeper_figures(s.managers[0]).sets, 1);
    pass(s.world, 11000);
    assert_set(&s, 2, FIRST);
    end(&s);
}

static void test_a_video_that_no_reader_was_given_gets_no_set(void **state) {
    struct system s = start(state, 1);
    world_release(s.world, "v", urls[0]);
    viewers[0] = 900;
    pass(s.world, 10000);
    assert_set(&s, 0, "");
    end(&s);
}

// By what the leases of the others say.
static void test_a_member_moves_what_arrivals_do_not_make_up_for(void **state) {
    struct system s = start(state, 0);
    struct hot_crowd crowd = {0};
    viewers[0] = 700;
    pass(s.world, 1000);
    assert_int_equal(placement_set_moves(s.placement, NULL, "v", urls[0], 700, &crowd), 0);
    viewers[1] = 60, viewers[2] = 40;
    pass(s.world, 1000);
    struct reader_set *set = reader_set_read(&(struct engine_set){1, FIRST " " SECOND " " THIRD});
    assert_int_equal(placement_set_moves(s.placement, set, "v", urls[0], 700, &crowd), 0);
    assert_int_equal(crowd.all, 800);
    pass(s.world, 1000);
    assert_int_equal(placement_set_moves(s.placement, set, "v", urls[0], 700, &crowd), 700 - 800 / 3);
    crowd = (struct hot_crowd){0};
    assert_int_equal(placement_set_moves(s.placement, set, "v", urls[1], 60, &crowd), 0);
    assert_int_equal(placement_set_moves(s.placement, set, "v", urls[3], 900, &crowd), 0); // is no member
    assert_int_equal(crowd.all, 900);
    reader_set_unref(set);
    end(&s);
}

// Ten minutes of viewers that swing by 30 % around the mark, with the usual times: the set grows once, and
// stays.
static void test_a_load_that_swings_around_the_mark_does_not_flap(void **state) {
    static const struct hot_times usual = {.grow_ms = HOT_GROW_MS, .shrink_ms = HOT_SHRINK_MS};
    enum { MARK = MOST * 4 / 10, MINUTES_10 = 600000 };
    struct system s = start_with(state, 2, &usual);
    for (int64_t period_ms = 6000; period_ms <= MINUTES_10; period_ms *= 10) {
        for (int64_t ms = 0; ms < MINUTES_10; ms += STEP_MS) {
            uint64_t all = (uint64_t)(MARK * (1 + 0.3 * sin(6.283185 * (double)ms / (double)period_ms)));
            uint64_t generation = world_read_set(s.world, "v").generation;
            viewers[1] = generation ? all / 2 : 0;
            viewers[0] = all - viewers[1];
            pass(s.world, STEP_MS);
        }
        assert_set(&s, 1, FIRST " " SECOND);
    }
    struct set_figures a = set_keeper_figures(s.managers[0]), b = set_keeper_figures(s.managers[1]);
    assert_int_equal(a.grown + b.grown, 1);
    assert_int_equal(a.shrunk + b.shrunk, 0);
    end(&s);
}

int main(void) {
#define OPEN(name) cmocka_unit_test_setup_teardown(name, world_make_open, world_free)
    const struct CMUnitTest tests[] = {
        OPEN(test_a_hot_video_is_spread_over_as_many_readers_as_it_fills),
        OPEN(test_two_managers_make_one_set),
        OPEN(test_a_video_that_cools_down_loses_one_reader_after_the_other),
        OPEN(test_a_member_that_dies_is_replaced),
        OPEN(test_when_the_first_member_dies_the_next_is_named),
        OPEN(test_the_set_is_the_truth_and_the_mapping_is_corrected),
        OPEN(test_a_manager_that_starts_goes_on_with_a_set),
        OPEN(test_a_video_that_no_reader_was_given_gets_no_set),
        OPEN(test_a_member_moves_what_arrivals_do_not_make_up_for),
        OPEN(test_a_load_that_swings_around_the_mark_does_not_flap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// When a set of readers grows and shrinks, and who gets the next viewer. The clock is the test's.
#include "placement/hot_set.h"

#include "base/buf.h"
#include "base/prng.h"
#include "engine/engine.h"
#include "placement/reader_load.h"
#include "placement/reader_set.h"
#include "unit.h"

#include <math.h>

enum { STEP_MS = 500, MOST = 10, MINUTE_MS = 60000 };

static const struct hot_times usual = {.grow_ms = HOT_GROW_MS, .shrink_ms = HOT_SHRINK_MS};

static size_t size_after(struct hot_video *v, double load, size_t count, int64_t *now_ms, int64_t ms) {
    size_t size = count;
    for (int64_t end_ms = *now_ms + ms; *now_ms <= end_ms && size == count; *now_ms += STEP_MS)
        size = hot_set_size(v, load, count, MOST, &usual, *now_ms);
    return size;
}

static void test_it_grows_above_the_mark_after_a_second(void **state) {
    (void)state;
    struct hot_video v = {0};
    int64_t now_ms = 1000;
    assert_int_equal(size_after(&v, HOT_GROW, 1, &now_ms, MINUTE_MS), 1);
    int64_t since_ms = now_ms;
    assert_int_equal(size_after(&v, 0.61, 1, &now_ms, 2 * HOT_GROW_MS), 2);
    assert_int_equal(now_ms - STEP_MS - since_ms, HOT_GROW_MS);
}

static void test_a_moment_below_the_mark_begins_the_second_again(void **state) {
    (void)state;
    struct hot_video v = {0};
    int64_t now_ms = 1000;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(size_after(&v, 0.9, 1, &now_ms, HOT_GROW_MS - STEP_MS), 1);
        assert_int_equal(size_after(&v, 0.5, 1, &now_ms, 0), 1);
    }
}

static void test_it_grows_to_as_many_as_are_filled(void **state) {
    (void)state;
    static const struct {
        double load;
        size_t count, size;
    } cases[] = {{0.61, 1, 2}, {0.89, 1, 2}, {0.91, 1, 3},  {1.8, 1, 4},     {1.81, 1, 5},
                 {1.21, 2, 3}, {2.7, 2, 6},  {99, 1, MOST}, {99, MOST, MOST}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hot_video v = {0};
        int64_t now_ms = 1000;
        assert_int_equal(size_after(&v, cases[i].load, cases[i].count, &now_ms, HOT_GROW_MS), cases[i].size);
    }
}

static void test_it_shrinks_by_one_reader_after_five_minutes(void **state) {
    (void)state;
    struct hot_video v = {0};
    int64_t now_ms = 1000;
    assert_int_equal(size_after(&v, 0.2, 3, &now_ms, HOT_SHRINK_MS - STEP_MS), 3);
    assert_int_equal(size_after(&v, 0.2, 3, &now_ms, STEP_MS), 2);
    v = (struct hot_video){0};
    assert_int_equal(size_after(&v, 0.2, 2, &now_ms, HOT_SHRINK_MS), 1);
    v = (struct hot_video){0};
    assert_int_equal(size_after(&v, 0, 1, &now_ms, 3 * HOT_SHRINK_MS), 1);
}

static void test_it_does_not_shrink_to_what_would_be_more_than_filled(void **state) {
    (void)state;
    struct hot_video v = {0};
    int64_t now_ms = 1000;
    assert_int_equal(size_after(&v, 0.46, 2, &now_ms, 3 * HOT_SHRINK_MS), 2); // 0.23 each
    assert_int_equal(size_after(&v, 0.45, 2, &now_ms, HOT_SHRINK_MS), 1);
}

// Fewer readers than it has: those that there are.
static void test_it_does_not_shrink_because_readers_are_few(void **state) {
    (void)state;
    struct hot_video v = {0};
    for (int64_t now_ms = 1000; now_ms < MINUTE_MS; now_ms += STEP_MS)
        assert_int_equal(hot_set_size(&v, 9, 3, 2, &usual, now_ms), 3);
}

// Ten minutes of a load that swings by 30 % around the upper mark, in periods from a second to ten minutes:
// the set grows once, if at all, and never shrinks.
static void test_a_load_that_swings_does_not_flap(void **state) {
    (void)state;
    for (int64_t period_ms = 1000; period_ms <= 10 * MINUTE_MS; period_ms += period_ms / 2 + 500) {
        struct hot_video v = {0};
        size_t count = 1, changes = 0;
        for (int64_t now_ms = 1000; now_ms < 10 * MINUTE_MS + 1000; now_ms += STEP_MS) {
            double swing = 0.3 * sin(6.283185 * (double)now_ms / (double)period_ms);
            size_t size = hot_set_size(&v, HOT_GROW * (1 + swing), count, MOST, &usual, now_ms);
            assert_true(size >= count);
            changes += size != count;
            if (size != count) v = (struct hot_video){0};
            count = size;
        }
        assert_true(changes <= 1);
    }
}

// The same around the mark at which a set of two and of three would grow.
static void test_nor_does_a_set(void **state) {
    (void)state;
    for (size_t first = 2; first <= 3; first++) {
        struct hot_video v = {0};
        size_t count = first, changes = 0;
        for (int64_t now_ms = 1000; now_ms < 60 * MINUTE_MS; now_ms += STEP_MS) {
            double swing = 0.3 * sin(6.283185 * (double)now_ms / (double)(2 * MINUTE_MS));
            size_t size =
                hot_set_size(&v, (double)first * HOT_GROW * (1 + swing), count, MOST, &usual, now_ms);
            assert_true(size >= count);
            changes += size != count;
            if (size != count) v = (struct hot_video){0};
            count = size;
        }
        assert_true(changes <= 1);
    }
}

static void test_a_share_is_of_what_is_scarcer(void **state) {
    (void)state;
    struct reader_load_video video = {.viewers = 400, .load = 300};
    assert_true(fabs(hot_set_share(&(struct reader_load){.cores = 1000, .most = 100000}, &video) - 0.3) <
                1e-9);
    // 40 % of --max-viewers are as much as 60 % of the cores.
    assert_true(fabs(hot_set_share(&(struct reader_load){.cores = 1000, .most = 1000}, &video) - 0.6) < 1e-9);
    assert_true(hot_set_share(&(struct reader_load){0}, &video) == 0);
}

static void test_the_least_used_joins_and_the_first_never_leaves(void **state) {
    (void)state;
    const struct hot_candidate c[] = {{.used = 0.5, .viewers = 1},
                                      {.used = 0.2, .viewers = 30},
                                      {.used = 0.1, .viewers = 20},
                                      {.used = 0.3, .viewers = 25}};
    assert_int_equal(hot_set_joins(c, 4), 2);
    assert_int_equal(hot_set_leaves(c, 4), 2);
    assert_int_equal(hot_set_leaves(c, 2), 1);
}

static size_t times_chosen(const struct hot_candidate *c, size_t count, size_t which, struct prng *prng) {
    size_t times = 0;
    for (int i = 0; i < 9000; i++) times += hot_set_choose(c, count, prng_below(prng, UINT64_MAX)) == which;
    return times;
}

static void test_the_better_of_two_gets_the_viewer(void **state) {
    (void)state;
    struct prng prng = {3};
    struct hot_candidate c[] = {
        {.used = 0.2, .viewers = 30}, {.used = 0.2, .viewers = 20}, {.used = 0.2, .viewers = 10}};
    assert_int_equal(times_chosen(c, 3, 0, &prng), 0);
    assert_in_range(times_chosen(c, 3, 1, &prng), 2700, 3300);
    assert_in_range(times_chosen(c, 3, 2, &prng), 5700, 6300);
    c[2].used = 0.8; // more counts than the fewer viewers, and it is also drawn less often
    assert_true(times_chosen(c, 3, 2, &prng) == 0);
    assert_int_equal(times_chosen(c, 1, 0, &prng), 9000);
    struct hot_candidate full[] = {{.used = 1.2}, {.used = 1.2}};
    assert_in_range(times_chosen(full, 2, 0, &prng), 4200, 4800);
}

// 60,000 viewers come at 2,000 a second, and what is known of others is up to 1.5 s old, but for those that
// were sent meanwhile. One reader had 24,000 when the set began.
static void test_a_crowd_is_spread_evenly(void **state) {
    (void)state;
    enum { READERS = 3, CROWD = 60000, FIRST = 24000, STALE = 3000 };
    for (uint64_t first = 0; first <= FIRST; first += FIRST) {
        struct prng prng = {5 + first};
        uint64_t viewers[READERS] = {first};
        struct hot_candidate known[READERS] = {{0}};
        for (uint64_t i = first; i < CROWD; i++) {
            for (int r = 0; i % STALE == 0 && r < READERS; r++)
                known[r] = (struct hot_candidate){.viewers = viewers[r], .used = (double)viewers[r] / CROWD};
            size_t to = hot_set_choose(known, READERS, prng_below(&prng, UINT64_MAX));
            viewers[to]++;
            known[to].viewers++;
        }
        for (int r = 1; r < READERS; r++) assert_true(viewers[r] <= CROWD / READERS * 115 / 100);
        if (!first) assert_true(viewers[0] <= CROWD / READERS * 115 / 100);
        for (int r = 0; r < READERS; r++) known[r].viewers = viewers[r];
        assert_int_equal(hot_set_surplus(known, READERS, 0), first ? viewers[0] - CROWD / READERS : 0);
    }
}

// A set of three, one of which had `first` viewers when it began, looks once a second.
struct evening_out {
    struct prng prng;
    struct hot_candidate c[3];
    struct hot_crowd crowd;
    int64_t now_ms;
};

// Returns how many the first reader is to move after a second in which `come` have come.
static uint64_t moves_after(struct evening_out *e, int come) {
    for (int i = 0; i < come; i++) e->c[hot_set_choose(e->c, 3, prng_below(&e->prng, UINT64_MAX))].viewers++;
    e->now_ms += 1000;
    hot_crowd_count(&e->crowd, e->c, 3, e->now_ms);
    return hot_set_moves(e->c, 3, 0, &e->crowd);
}

static void test_arrivals_even_a_set_out_and_nobody_is_moved(void **state) {
    (void)state;
    struct evening_out e = {.prng = {7}, .now_ms = 1000};
    for (int s = 0; s < 8; s++) { // before there is a set
        e.c[0].viewers += 2000;
        hot_crowd_count(&e.crowd, e.c, 1, e.now_ms += 1000);
        assert_int_equal(hot_set_moves(e.c, 1, 0, &e.crowd), 0);
    }
    for (int s = 0; s < 22; s++) assert_int_equal(moves_after(&e, 2000), 0);
    for (int s = 0; s < 60; s++) assert_int_equal(moves_after(&e, 0), 0);
    for (int r = 0; r < 3; r++) assert_in_range(e.c[r].viewers, 19000, 21000);
}

static void test_once_arrivals_dry_up_viewers_are_moved(void **state) {
    (void)state;
    struct evening_out e = {.prng = {7}, .c = {{.viewers = 30000}}, .now_ms = 1000};
    assert_int_equal(moves_after(&e, 0), 20000); // none came before
    for (int s = 0; s < 3; s++) moves_after(&e, 2000);
    assert_int_equal(moves_after(&e, 2000), 0);
    int waited = 0;
    while (!moves_after(&e, 10)) assert_in_range(++waited, 1, 5);
    // One that is busy does not wait.
    for (int s = 0; s < 3; s++) moves_after(&e, 2000);
    assert_int_equal(moves_after(&e, 2000), 0);
    e.c[0].used = 0.95;
    assert_true(moves_after(&e, 2000) > 10000);
}

static void test_what_is_about_even_is_left_alone(void **state) {
    (void)state;
    const struct hot_candidate even[] = {{.viewers = 104}, {.viewers = 100}, {.viewers = 96}};
    assert_int_equal(hot_set_surplus(even, 3, 0), 0);
    assert_false(hot_set_sends_on(&even[0], &even[2]));
    const struct hot_candidate uneven[] = {{.viewers = 300}, {.viewers = 0}, {.viewers = 0}};
    assert_int_equal(hot_set_surplus(uneven, 3, 0), 200);
    assert_int_equal(hot_set_surplus(uneven, 3, 1), 0);
    assert_true(hot_set_sends_on(&uneven[0], &uneven[2]));
    assert_false(hot_set_sends_on(&uneven[2], &uneven[0]));
    // Others are busy because they take over what it had.
    const struct hot_candidate moving[] = {{.used = 0.1, .viewers = 2000}, {.used = 0.4, .viewers = 1400}};
    assert_true(hot_set_sends_on(&moving[0], &moving[1]));
    const struct hot_candidate few[] = {{.viewers = 7}, {.viewers = 0}};
    assert_int_equal(hot_set_surplus(few, 2, 0), 0);
    assert_false(hot_set_sends_on(&few[0], &few[1]));
}

static void test_a_set_is_read_as_it_was_written(void **state) {
    (void)state;
    static const char *const urls[] = {"http://a:1", "https://b/path", "http://c"};
    struct buf text = {0};
    reader_set_write(&text, urls, 3);
    struct reader_set *s = reader_set_read(&(struct engine_set){7, buf_string(&text)});
    assert_int_equal(s->generation, 7);
    assert_int_equal(s->count, 3);
    for (size_t i = 0; i < 3; i++) assert_int_equal(reader_set_find(s, urls[i]), i);
    assert_false(reader_set_has(s, "http://a:"));
    reader_set_unref(s);
    buf_release(&text);
    s = reader_set_read(&(struct engine_set){1, " ftp://x  http://a:1 http://a:1 {\"later\"}"});
    assert_int_equal(s->count, 1);
    reader_set_unref(s);
    s = reader_set_read(&(struct engine_set){0, ""});
    assert_int_equal(s->count, 0);
    reader_set_unref(s);
    assert_false(reader_set_has(NULL, urls[0]));
}

static void test_a_load_is_read_as_it_was_written(void **state) {
    (void)state;
    struct reader_load_video videos[] = {{.video = "a", .viewers = 5, .load = 70, .in_set = true},
                                         {.video = "b"}};
    struct reader_load l = {.draining = true,
                            .connects = 9,
                            .most = 8,
                            .cores = 2000,
                            .used = 7,
                            .machine = 6,
                            .videos = videos,
                            .video_count = 2};
    struct buf text = {0};
    reader_load_write(&text, &l);
    struct reader_load found;
    reader_load_read(&found, buf_string(&text));
    assert_true(found.draining && found.connects == 9 && found.most == 8 && found.cores == 2000 &&
                found.used == 7 && found.machine == 6);
    assert_int_equal(found.video_count, 2);
    assert_true(reader_load_of(&found, "a")->in_set && reader_load_of(&found, "a")->load == 70);
    assert_false(reader_load_of(&found, "b")->in_set);
    assert_null(reader_load_of(&found, "c"));
    reader_load_release(&found);
    buf_release(&text);
    static const char *const odd[] = {
        NULL,           "", "[]", "{\"videos\":7}", "{\"videos\":[{\"video\":\"\"},3,{\"video\":{}}]}",
        "{\"most\":-1}"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        reader_load_read(&found, odd[i]);
        assert_true(!found.most && !found.video_count && !found.draining);
        reader_load_release(&found);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_grows_above_the_mark_after_a_second),
        cmocka_unit_test(test_a_moment_below_the_mark_begins_the_second_again),
        cmocka_unit_test(test_it_grows_to_as_many_as_are_filled),
        cmocka_unit_test(test_it_shrinks_by_one_reader_after_five_minutes),
        cmocka_unit_test(test_it_does_not_shrink_to_what_would_be_more_than_filled),
        cmocka_unit_test(test_it_does_not_shrink_because_readers_are_few),
        cmocka_unit_test(test_a_load_that_swings_does_not_flap),
        cmocka_unit_test(test_nor_does_a_set),
        cmocka_unit_test(test_a_share_is_of_what_is_scarcer),
        cmocka_unit_test(test_the_least_used_joins_and_the_first_never_leaves),
        cmocka_unit_test(test_the_better_of_two_gets_the_viewer),
        cmocka_unit_test(test_a_crowd_is_spread_evenly),
        cmocka_unit_test(test_arrivals_even_a_set_out_and_nobody_is_moved),
        cmocka_unit_test(test_once_arrivals_dry_up_viewers_are_moved),
        cmocka_unit_test(test_what_is_about_even_is_left_alone),
        cmocka_unit_test(test_a_set_is_read_as_it_was_written),
        cmocka_unit_test(test_a_load_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

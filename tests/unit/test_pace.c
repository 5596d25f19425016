#include "unit.h"

#include "fanout/pace.h"

enum { MAX_US = 250000, COST_US = 10000 };

static struct pace pace;
static struct pace_mark now; // as the test moves it

static int set_up(void **state) {
    (void)state;
    pace = (struct pace){0};
    now = (struct pace_mark){.clock_us = 5000000, .worked_us = 700000};
    return 0;
}

static void pass(int64_t us) {
    now.clock_us += us;
}

static void work(int64_t us) {
    now.clock_us += us;
    now.worked_us += us;
}

// Flushes `frames` frames at a cost, and returns for how long the channel is to wait afterwards.
static int64_t quiet_after(uint64_t frames, int64_t cost_us) {
    struct pace_mark begun = now;
    work(cost_us);
    pace_end(&pace, frames, begun, now, MAX_US);
    return pace.not_before_us > now.clock_us ? pace.not_before_us - now.clock_us : 0;
}

static void one_comment_at_a_time_is_never_delayed(void **state) {
    (void)state;
    for (int i = 0; i < 10; i++) assert_int_equal(quiet_after(1, COST_US), 0);
}

static void the_first_comment_after_silence_leaves_immediately(void **state) {
    (void)state;
    quiet_after(10, COST_US);
    pass(MAX_US);
    assert_true(pace.not_before_us <= now.clock_us);
}

static void the_more_comments_came_the_longer_it_coalesces(void **state) {
    (void)state;
    for (uint64_t frames = 1; frames <= 6; frames++) {
        pass(10 * MAX_US);
        uint64_t stretch = frames < PACE_STRETCH ? frames : PACE_STRETCH;
        assert_int_equal(quiet_after(frames, COST_US), (int64_t)(stretch - 1) * COST_US);
    }
}

static void no_interval_is_longer_than_allowed(void **state) {
    (void)state;
    assert_int_equal(quiet_after(100, 100000), MAX_US - 100000);
    pass(10 * MAX_US);
    assert_int_equal(quiet_after(100, 2 * MAX_US), 0);
}

static void a_cheap_flush_is_never_waited_for(void **state) {
    (void)state;
    assert_int_equal(quiet_after(100, PACE_CHEAP_US - 1), 0);
    work(50000); // whatever else there is to do
    assert_int_equal(quiet_after(100, PACE_CHEAP_US - 1), 0);
}

// Twenty videos at 2 ms each are as much work as one at 40.
static void work_for_other_channels_counts(void **state) {
    (void)state;
    quiet_after(2, 2000);
    work(38000);
    assert_int_equal(quiet_after(2, 2000), 40000);
}

static void work_of_long_ago_does_not_count(void **state) {
    (void)state;
    quiet_after(2, 2000);
    work(38000);
    pass(MAX_US);
    assert_int_equal(quiet_after(2, 2000), 2000);
}

// Time that the thread did not get, because others need the machine, is no work.
static void waiting_for_a_core_does_not_count_as_work(void **state) {
    (void)state;
    struct pace_mark begun = now;
    work(COST_US);
    pass(3 * COST_US);
    pace_end(&pace, 2, begun, now, MAX_US);
    assert_int_equal(pace.not_before_us - now.clock_us, COST_US);
}

// Comments come at fixed times, for a second; how many flushes there are.
static unsigned flushes_at(int64_t every_us, int64_t cost_us) {
    int64_t begun_us = now.clock_us, taken = 0;
    unsigned flushes = 0;
    while (now.clock_us < begun_us + 1000000) {
        int64_t there = (now.clock_us - begun_us) / every_us + 1;
        if (there > taken && pace.not_before_us <= now.clock_us) {
            quiet_after((uint64_t)(there - taken), cost_us);
            taken = there;
            flushes++;
        }
        pass(100);
    }
    return flushes;
}

static void the_interval_follows_the_load(void **state) {
    (void)state;
    assert_in_range(flushes_at(100000, 20000), 10, 10); // a fifth of the time: each by itself
    pass(10 * MAX_US);
    assert_in_range(flushes_at(25000, 20000), 38, 40); // four fifths: still each by itself
    pass(10 * MAX_US);
    assert_in_range(flushes_at(2500, 20000), 15, 18); // eight times what it could: a third of the time
    pass(10 * MAX_US);
    assert_in_range(flushes_at(2500, 100000), 4, 5); // the bound
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, set_up)
        TEST(one_comment_at_a_time_is_never_delayed),
        TEST(the_first_comment_after_silence_leaves_immediately),
        TEST(the_more_comments_came_the_longer_it_coalesces),
        TEST(no_interval_is_longer_than_allowed),
        TEST(a_cheap_flush_is_never_waited_for),
        TEST(work_for_other_channels_counts),
        TEST(work_of_long_ago_does_not_count),
        TEST(waiting_for_a_core_does_not_count_as_work),
        TEST(the_interval_follows_the_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

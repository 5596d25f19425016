#include "unit.h"

#include "base/budget.h"
#include "base/container_of.h"
#include "http/memory.h"

enum { BUDGET = 1 << 20, MOST = BUDGET / HTTP_MEMORY_SHARE, HOLDS = 8 };

static struct http_hold holds[HOLDS];
static int evicted[HOLDS], evictions;

static void evict(struct http_hold *h) {
    evicted[evictions++] = (int)(h - holds);
    http_memory_hold(h, 0, 0, false, 0);
}

static void hold(struct http_hold *h, size_t bytes, bool waits_for_client, int64_t now_ms) {
    bool more = bytes > h->bytes;
    http_memory_hold(h, bytes, 0, waits_for_client, now_ms);
    if (more) http_memory_make_room(h, now_ms);
}

static int set_up(void **state) {
    (void)state;
    budget_set(BUDGET);
    evictions = 0;
    for (int i = 0; i < HOLDS; i++) holds[i] = (struct http_hold){.evict = evict};
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    for (int i = 0; i < HOLDS; i++) http_memory_hold(&holds[i], 0, 0, false, 0);
    assert_int_equal(budget_used(), 0);
    return 0;
}

static void test_what_is_held_counts_in_the_budget(void **state) {
    (void)state;
    hold(&holds[0], 1000, true, 1);
    hold(&holds[1], 500, false, 1);
    assert_int_equal(budget_used(), 1500);
    hold(&holds[0], 200, true, 2);
    assert_int_equal(budget_used(), 700);
    assert_int_equal(evictions, 0);
}

static void test_the_slowest_loses_to_a_new_one(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) hold(&holds[i], MOST / 4, true, i + 1);
    assert_int_equal(evictions, 0);
    hold(&holds[4], MOST / 2, true, 9);
    assert_int_equal(evictions, 2);
    assert_int_equal(evicted[0], 0);
    assert_int_equal(evicted[1], 1);
    assert_int_equal(budget_used(), MOST);
}

static void test_waiting_is_counted_from_the_last_progress(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) hold(&holds[i], MOST / 4, true, i + 1);
    hold(&holds[0], 100, false, 5); // answered, and the answer was taken
    hold(&holds[0], MOST / 4, true, 6);
    hold(&holds[5], MOST / 8, true, 9);
    assert_int_equal(evictions, 1);
    assert_int_equal(evicted[0], 1);
    hold(&holds[6], MOST / 4, true, 9);
    assert_int_equal(evicted[1], 2);
}

// A slow client that goes on reading, or sending, outlives younger ones that stand still; if it stands still
// itself, it goes before them.
static void test_one_that_keeps_up_outlives_those_that_stand_still(void **state) {
    (void)state;
    enum { SECOND = 1000 };
    for (int i = 0; i < 4; i++) hold(&holds[i], MOST / 4, true, i + 1);
    holds[0].moved = 2 * HTTP_PROGRESS_BYTES;
    holds[1].moved = HTTP_PROGRESS_BYTES / 2;
    hold(&holds[4], MOST / 2, true, 2 * SECOND);
    assert_int_equal(evictions, 2);
    assert_int_equal(evicted[0], 1);
    assert_int_equal(evicted[1], 2);
    hold(&holds[5], MOST / 4, true, 2 * SECOND + 1); // holds[3] is the last that stands still
    assert_int_equal(evicted[2], 3);
    hold(&holds[6], MOST / 8, true, 2 * SECOND + 2); // a new one goes before a steady one,
    assert_int_equal(evicted[3], 4);
    holds[5].moved = 4 * HTTP_PROGRESS_BYTES;
    hold(&holds[7], MOST / 2, true, 4 * SECOND); // and a steady one that has stood still before younger ones
    assert_int_equal(evicted[4], 0);
}

static void test_steady_ones_are_dropped_where_there_are_no_others(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        hold(&holds[i], MOST / 4, true, 1);
        http_hold_progress(&holds[i], i + 2);
    }
    hold(&holds[4], 2 * MOST, true, 9);
    assert_int_equal(evictions, 4);
    for (int i = 0; i < 4; i++) assert_int_equal(evicted[i], i);
}

static void test_only_a_connection_that_waits_and_holds_memory_is_dropped(void **state) {
    (void)state;
    hold(&holds[0], 0, true, 1);
    hold(&holds[1], MOST / 2, false, 1); // its answer is still being made
    hold(&holds[2], MOST / 2, true, 1);
    hold(&holds[3], MOST / 2, true, 2);
    assert_int_equal(evictions, 1);
    assert_int_equal(evicted[0], 2);
}

static void test_one_alone_may_hold_more(void **state) {
    (void)state;
    hold(&holds[0], 3 * MOST, true, 1);
    assert_int_equal(evictions, 0);
    hold(&holds[1], 10, true, 2);
    assert_int_equal(evictions, 1);
}

static void test_memory_is_scarce_from_half_on(void **state) {
    (void)state;
    hold(&holds[0], MOST / 2, true, 1);
    assert_false(http_memory_is_scarce());
    hold(&holds[0], MOST / 2 + 1, true, 1);
    assert_true(http_memory_is_scarce());
}

int main(void) {
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_held_counts_in_the_budget),
        TEST(test_the_slowest_loses_to_a_new_one),
        TEST(test_waiting_is_counted_from_the_last_progress),
        TEST(test_one_that_keeps_up_outlives_those_that_stand_still),
        TEST(test_steady_ones_are_dropped_where_there_are_no_others),
        TEST(test_only_a_connection_that_waits_and_holds_memory_is_dropped),
        TEST(test_one_alone_may_hold_more),
        TEST(test_memory_is_scarce_from_half_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

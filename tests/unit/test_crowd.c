// What a crowd is told, and what others can take on.
#include "unit.h"

#include "engine/engine.h"
#include "placement/readers.h"
#include "reader/crowd.h"

static void a_few_viewers_are_told_nothing(void **state) {
    (void)state;
    assert_int_equal(crowd_retry_ms(0, 0), 0);
    assert_int_equal(crowd_retry_ms(0, 5000), 0);
    assert_int_equal(crowd_retry_ms(7142, 5000), 0); // the usual two seconds are enough
}

static void a_crowd_gets_more_time_than_others_need(void **state) {
    (void)state;
    assert_int_equal(crowd_retry_ms(60000, 10000), 8400);
    assert_int_equal(crowd_retry_ms(7150, 5000), 2002);
    assert_int_equal(crowd_retry_ms(400000, 10000), 30000); // and no more than this
    assert_int_equal(crowd_retry_ms(1, 0), 30000);          // there is no other
}

static void only_a_change_by_a_quarter_is_told(void **state) {
    (void)state;
    assert_false(crowd_retry_changes(0, 0));
    assert_false(crowd_retry_changes(0, 2499));
    assert_true(crowd_retry_changes(0, 2500));
    assert_false(crowd_retry_changes(8000, 9999));
    assert_true(crowd_retry_changes(8000, 10000));
    assert_false(crowd_retry_changes(10000, 8001));
    assert_true(crowd_retry_changes(10000, 8000));
    assert_true(crowd_retry_changes(2500, 0));
}

// The readers that are left are as many as they say, and each viewer is told a time as long as this has not
// changed by a quarter.
static void a_crowd_never_comes_faster_than_others_can_take_it_on(void **state) {
    (void)state;
    for (int64_t told = 7200, viewers = told; viewers < 20000; viewers += 50) {
        uint32_t ms = crowd_retry_ms(told, 5000);
        if (crowd_retry_changes(ms, crowd_retry_ms(viewers, 5000))) told = viewers;
        assert_in_range(viewers * 1000 / crowd_retry_ms(told, 5000), 0, 5000);
    }
}

static void a_reader_counts_unless_it_drains_is_full_or_is_left_out(void **state) {
    (void)state;
    struct readers r;
    const struct engine_lease leases[] = {
        {.reader_url = "http://a", .left_ms = 3000, .load = "{\"connects\":100}"},
        {.reader_url = "http://b", .left_ms = 3000, .load = "{\"connects\":1000,\"draining\":true}"},
        {.reader_url = "http://c", .left_ms = 3000, .viewers = 5, .load = "{\"connects\":10000,\"most\":5}"},
        {.reader_url = "http://d", .left_ms = 3000}, // an older version
        {.reader_url = "http://e", .left_ms = -1, .load = "{\"connects\":100000}"},
        {.reader_url = "http://f", .left_ms = 3000, .load = "{\"connects\":7}"},
    };
    readers_init(&r, NULL, 0);
    readers_update(&r, leases, sizeof leases / sizeof *leases, 1000, 0);
    assert_int_equal(crowd_connects_of_others(&r, NULL, 0), 107 + CROWD_CONNECTS_UNKNOWN);
    const char *but[] = {"http://f", "http://x"};
    assert_int_equal(crowd_connects_of_others(&r, but, 2), 100 + CROWD_CONNECTS_UNKNOWN);
    readers_release(&r);
}

static void absurd_loads_do_not_overflow(void **state) {
    (void)state;
    struct readers r;
    const struct engine_lease leases[] = {
        {.reader_url = "http://a", .left_ms = 3000, .load = "{\"connects\":9223372036854775807}"},
        {.reader_url = "http://b", .left_ms = 3000, .load = "{\"connects\":9223372036854775807}"},
        {.reader_url = "http://c", .left_ms = 3000, .load = "{\"connects\":-9223372036854775808}"},
    };
    readers_init(&r, NULL, 0);
    readers_update(&r, leases, sizeof leases / sizeof *leases, 1000, 0);
    int64_t all = crowd_connects_of_others(&r, NULL, 0);
    assert_int_equal(all, 2 * (int64_t)READER_LOAD_NUMBER_MAX + CROWD_CONNECTS_UNKNOWN);
    assert_int_equal(crowd_pace(all), all * CROWD_PACE_PERCENT / 100);
    readers_release(&r);
}

static void the_pace_is_a_part_of_it_but_never_nothing(void **state) {
    (void)state;
    assert_int_equal(crowd_pace(0), 0);
    assert_int_equal(crowd_pace(1), 1);
    assert_int_equal(crowd_pace(20000), 6000);
}

static void readers_share_what_their_process_can_take_on(void **state) {
    (void)state;
    struct crowd c = {.connects = 9000};
    assert_int_equal(crowd_connects(&c), 9000);
    crowd_add(&c, "http://a");
    crowd_add(&c, "http://b");
    crowd_add(&c, "http://c");
    assert_int_equal(crowd_connects(&c), 3000);
    c.neighbours = 6;
    assert_int_equal(crowd_connects(&c), 1000);
    c.neighbours = 0;
    c.busy = 500;
    assert_int_equal(crowd_connects(&c), 1500);
    c.busy = 1000;
    assert_int_equal(crowd_connects(&c), 300);
    crowd_remove(&c, "http://b");
    crowd_remove(&c, "http://x");
    assert_int_equal(crowd_connects(&c), 450);
}

static void readers_of_other_processes_on_this_machine_are_neighbours(void **state) {
    (void)state;
    struct readers r;
    const struct engine_lease leases[] = {
        {.reader_url = "http://own", .left_ms = 3000, .load = "{\"machine\":7}"},
        {.reader_url = "http://a", .left_ms = 3000, .load = "{\"machine\":7}"},
        {.reader_url = "http://b", .left_ms = 3000, .load = "{\"machine\":7,\"draining\":true}"},
        {.reader_url = "http://c", .left_ms = 3000, .load = "{\"machine\":8}"},
        {.reader_url = "http://d", .left_ms = 3000}, // an older version
        {.reader_url = "http://e", .left_ms = -1, .load = "{\"machine\":7}"},
    };
    readers_init(&r, NULL, 0);
    readers_update(&r, leases, sizeof leases / sizeof *leases, 1000, 0);
    struct crowd c = {.machine = 7};
    crowd_add(&c, "http://own");
    assert_int_equal(crowd_neighbours(&c, &r), 2); // those that drain need their time, too
    c.machine = 0;
    assert_int_equal(crowd_neighbours(&c, &r), 0);
    readers_release(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_viewers_are_told_nothing),
        cmocka_unit_test(a_crowd_gets_more_time_than_others_need),
        cmocka_unit_test(only_a_change_by_a_quarter_is_told),
        cmocka_unit_test(a_crowd_never_comes_faster_than_others_can_take_it_on),
        cmocka_unit_test(a_reader_counts_unless_it_drains_is_full_or_is_left_out),
        cmocka_unit_test(absurd_loads_do_not_overflow),
        cmocka_unit_test(the_pace_is_a_part_of_it_but_never_nothing),
        cmocka_unit_test(readers_share_what_their_process_can_take_on),
        cmocka_unit_test(readers_of_other_processes_on_this_machine_are_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

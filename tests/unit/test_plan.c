#include "simulate/plan.h"

#include "unit.h"

#include "simulate/audience.h"

static const struct plan_machine four = {.cores = 4, .max_viewers = 400000, .redis_rate = 27000};

static void near(double value, double expected) {
    assert_true(value > expected - 1e-9 * (1 + expected) && value < expected + 1e-9 * (1 + expected));
}

// 20,000 viewers, and one comment a second: the example of docs/capacity.md.
static void test_a_delivery_costs_ten_microseconds(void **state) {
    (void)state;
    near(cost_sending(20000, 5), 1);
    near(cost_sending(20, 0.05), 1e-5);
    near(cost_heartbeats(1500000), 1);
}

// No row of the benchmarks costs more than the model says.
static void test_many_comments_share_sends(void **state) {
    (void)state;
    static const double measured[][2] = {{1, 8.53}, {20, 6.50}, {400, 0.34}, {800, 0.18}}; // us per delivery
    for (size_t i = 0; i < 4; i++) {
        double us = cost_sending(1000000, measured[i][0]) / measured[i][0];
        assert_true(us >= measured[i][1] && us < 1.2 * measured[i][1] + 0.6);
    }
    near(cost_sending(5000, 400), cost_sending(5000, 800));
}

static void test_comments_are_spread_as_viewers_are(void **state) {
    (void)state;
    uint32_t viewers[] = {100, 300}, ranking[] = {1, 0};
    struct audience a = {.videos = 2, .total = 400, .viewers = viewers, .ranking = ranking};
    struct plan_load l = plan_load_of(&a, 8);
    near(l.deliveries, 2 * 100 + 6 * 300);
    near(l.sending, 2000 * 10e-6);
    near(l.largest, 1800 * 10e-6 + 300 * 10e-6 / 15);
    assert_int_equal(l.largest_viewers, 300);
}

static struct plan_load load(double sending, uint64_t viewers, double comments) {
    return (struct plan_load){.videos = 1000,
                              .viewers = viewers,
                              .sending = sending,
                              .comments = comments,
                              .largest = sending / 10};
}

static void test_a_small_audience_needs_one_machine(void **state) {
    (void)state;
    struct plan_load l = load(1.0, 100000, 100);
    struct plan p = plan_make(&l, &four);
    assert_int_equal(p.setup, PLAN_ONE_MACHINE);
    near(p.box_used, (1.0 + 100 * 105e-6) / 2);
    assert_int_equal(p.readers, 2);
    assert_int_equal(p.set, 1);
    l.viewers = 400001;
    assert_int_equal(plan_make(&l, &four).setup, PLAN_ONE_REDIS);
    l = load(1.0, 100000, 9501);
    assert_int_equal(plan_make(&l, &four).setup, PLAN_ONE_REDIS);
    l = load(2.0, 100000, 1);
    assert_int_equal(plan_make(&l, &four).setup, PLAN_ONE_REDIS);
}

// Half of four cores are two.
static void test_readers_are_as_many_as_bind_and_one(void **state) {
    (void)state;
    struct plan_load l = load(20.0, 1000000, 1000);
    struct plan p = plan_make(&l, &four);
    assert_int_equal(p.readers_by_cores, 10);
    assert_int_equal(p.readers_by_viewers, 3);
    assert_int_equal(p.readers, 11);
    assert_int_equal(p.reader_bytes, (1000000ull * 4760 + 1000 * 730) / 10);
    l.viewers = 5000000;
    p = plan_make(&l, &four);
    assert_int_equal(p.readers_by_viewers, 13);
    assert_int_equal(p.readers, 14);
}

static void test_a_hot_video_needs_a_set(void **state) {
    (void)state;
    struct plan_load l = load(4.0, 100000, 20);
    l.largest = 2.4; // 60 % of four cores: a set grows beyond that
    assert_int_equal(plan_make(&l, &four).set, 1);
    l.largest = 2.5;
    assert_int_equal(plan_make(&l, &four).set, 2);
    l.largest = 3.6;
    struct plan p = plan_make(&l, &four);
    assert_int_equal(p.set, 2);
    assert_int_equal(p.readers, 3);
    l.largest = 18;
    p = plan_make(&l, &four);
    assert_int_equal(p.set, 10);
    assert_int_equal(p.readers, 11); // more than sending takes
    assert_false(p.set_too_large);
    l.largest = 0.1;
    l.largest_viewers = 400000; // as many viewers as one may have, of whom it is to have 40 %
    assert_int_equal(plan_make(&l, &four).set, 4);
    l.largest = 100;
    p = plan_make(&l, &four);
    assert_int_equal(p.set, 24);
    assert_true(p.set_too_large);
}

static void test_comments_need_apis_and_redis(void **state) {
    (void)state;
    struct plan_load l = load(20.0, 1000000, 13500);
    struct plan p = plan_make(&l, &four);
    assert_int_equal(p.setup, PLAN_ONE_REDIS);
    assert_int_equal(p.redis, 1);
    near(p.posting, 0.81);
    assert_int_equal(p.comment_apis, 2);
    l.comments = 100000;
    p = plan_make(&l, &four);
    assert_int_equal(p.setup, PLAN_CLUSTER);
    assert_int_equal(p.redis, 10); // 7.4 times what one takes, with 1.33 times the work
    l.comments = 13501;
    assert_int_equal(plan_make(&l, &four).redis, 3); // the least of a Cluster
    l.comments = 100000;
    assert_int_equal(p.comment_apis, 4);
    struct plan_machine faster = four;
    faster.redis_rate = 200000;
    assert_int_equal(plan_make(&l, &faster).redis, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_delivery_costs_ten_microseconds),
        cmocka_unit_test(test_many_comments_share_sends),
        cmocka_unit_test(test_comments_are_spread_as_viewers_are),
        cmocka_unit_test(test_a_small_audience_needs_one_machine),
        cmocka_unit_test(test_readers_are_as_many_as_bind_and_one),
        cmocka_unit_test(test_a_hot_video_needs_a_set),
        cmocka_unit_test(test_comments_need_apis_and_redis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

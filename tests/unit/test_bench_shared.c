#include "unit.h"

#include "bench/shared.h"

static const struct bench_plan in_turn = {
    .viewers = 10, .videos = 4, .processes = 2, .law = {.kind = DISTRIBUTION_UNIFORM}};
static const struct bench_plan by_zipf = {
    .viewers = 1000, .videos = 5000, .processes = 2, .seed = 1, .law = {DISTRIBUTION_ZIPF, 1.5}};

static void test_assigns_videos_round_robin(void **state) {
    (void)state;
    struct bench_shared *s = bench_shared_new(&in_turn);
    for (uint32_t i = 0; i < 10; i++) assert_int_equal(s->video_of[i], i % 4);
    assert_int_equal(s->watched, 4);
    assert_null(s->law);
    bench_shared_free(s, &in_turn);
}

static void test_draws_videos_from_a_distribution(void **state) {
    (void)state;
    struct bench_shared *s = bench_shared_new(&by_zipf), *again = bench_shared_new(&by_zipf);
    size_t on_first = 0, watched = 0;
    for (size_t i = 0; i < by_zipf.viewers; i++) on_first += s->video_of[i] == 0;
    for (size_t i = 0; i < by_zipf.videos; i++) watched += s->place[i] != PLACE_UNWATCHED;
    assert_in_range(on_first, 300, 500); // 1 / (1 + 2^-1.5 + 3^-1.5 + ...) = 39 %
    assert_int_equal(s->watched, watched);
    assert_true(watched < by_zipf.viewers);
    assert_memory_equal(s->video_of, again->video_of, by_zipf.viewers * sizeof *s->video_of);
    bench_shared_free(s, &by_zipf);
    bench_shared_free(again, &by_zipf);
}

static void test_an_endpoint_is_known_once_it_is_set(void **state) {
    (void)state;
    struct bench_shared *s = bench_shared_new(&in_turn);
    assert_null(bench_shared_endpoint(s, 1));
    int endpoint = endpoints_find(s->endpoints, "http://127.0.0.1:4001");
    s->place[1] = (uint16_t)(PLACE_FIRST + endpoint);
    assert_int_equal(bench_shared_endpoint(s, 1)->port, 4001);
    assert_null(bench_shared_endpoint(s, 2));
    bench_shared_free(s, &in_turn);
}

static void test_keeps_the_newest_number(void **state) {
    (void)state;
    struct bench_shared *s = bench_shared_new(&in_turn);
    bench_shared_record_answer(s, 3, (struct position){5, 2});
    bench_shared_record_answer(s, 3, (struct position){5, 1});
    bench_shared_record_answer(s, 3, (struct position){4, 9});
    assert_int_equal(s->newest[3].at.epoch, 5);
    assert_int_equal(s->newest[3].at.seq, 2);
    bench_shared_free(s, &in_turn);
}

static void test_many_processes_poll_less_often(void **state) {
    (void)state;
    struct bench_plan plan = {.processes = 2};
    assert_int_equal(bench_poll_ms(&plan), 100);
    plan.processes = 60;
    assert_int_equal(bench_poll_ms(&plan), 300);
    plan.processes = 256;
    assert_int_equal(bench_poll_ms(&plan), 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_assigns_videos_round_robin),
        cmocka_unit_test(test_draws_videos_from_a_distribution),
        cmocka_unit_test(test_an_endpoint_is_known_once_it_is_set),
        cmocka_unit_test(test_keeps_the_newest_number),
        cmocka_unit_test(test_many_processes_poll_less_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

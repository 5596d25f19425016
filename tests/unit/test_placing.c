// Videos assigned to readers, and what moves when a reader fails.
#include "simulate/placing.h"

#include "simulate/audience.h"
#include "unit.h"

enum { VIDEOS = 1003, VIEWERS = 25000, READERS = 5, LOST = 1 };

static struct audience *audience;

static int make_audience(void **state) {
    (void)state;
    struct audience_spec spec;
    assert_true(audience_parse("zipf:1", &spec));
    audience = audience_new(&spec, VIDEOS, VIEWERS, 5);
    return 0;
}

static int free_audience(void **state) {
    (void)state;
    audience_free(audience);
    return 0;
}

// The loads agree with the videos.
static void check_loads(const struct placing *p) {
    struct placing_load expected[READERS] = {{0, 0}};
    for (size_t k = 0; k < VIDEOS; k++) {
        assert_true(p->reader[k] < READERS && p->reader[k] != p->lost);
        expected[p->reader[k]].videos++;
        expected[p->reader[k]].viewers += audience->viewers[k];
    }
    assert_memory_equal(p->loads, expected, sizeof expected);
}

static void test_loads_add_up(void **state) {
    (void)state;
    for (int policy = 0; policy < POLICIES; policy++) {
        struct placing p;
        placing_init(&p, (enum placement_policy)policy, audience, READERS);
        check_loads(&p);
        placing_release(&p);
    }
}

static void test_round_robin_goes_by_registration(void **state) {
    (void)state;
    struct placing p;
    placing_init(&p, POLICY_ROUND_ROBIN, audience, READERS);
    for (size_t i = 0; i < VIDEOS; i++) assert_int_equal(p.reader[audience->registrations[i]], i % READERS);
    placing_release(&p);
}

// No video went to a reader that had more than 1.25 times the average when it came.
static void test_the_bound_sees_loads(void **state) {
    (void)state;
    for (enum placement_policy policy = POLICY_LEAST_LOADED; policy <= POLICY_HASH; policy++) {
        struct placing p;
        uint64_t held[READERS] = {0}, all = 0;
        placing_init(&p, policy, audience, READERS);
        for (size_t i = 0; i < VIDEOS; i++) {
            uint32_t video = audience->registrations[i], chosen = p.reader[video];
            assert_true(held[chosen] * 4 * READERS <= 5 * all);
            held[chosen] += audience->viewers[video];
            all += audience->viewers[video];
        }
        placing_release(&p);
    }
}

static void test_only_videos_of_the_failed_reader_move(void **state) {
    (void)state;
    for (int policy = 0; policy < POLICIES; policy++) {
        struct placing p;
        uint32_t before[VIDEOS];
        placing_init(&p, (enum placement_policy)policy, audience, READERS);
        memcpy(before, p.reader, sizeof before);
        struct placing_load had = p.loads[LOST], moved = placing_fail_reader(&p, LOST);
        assert_memory_equal(&moved, &had, sizeof had);
        assert_true(moved.videos > 0 && moved.viewers > 0);
        for (size_t k = 0; k < VIDEOS; k++)
            if (before[k] != LOST) assert_int_equal(p.reader[k], before[k]);
        check_loads(&p);
        placing_release(&p);
    }
}

// Its videos are spread again, and do not all go to its neighbour.
static void test_the_other_readers_share_them(void **state) {
    (void)state;
    struct placing p;
    placing_init(&p, POLICY_ROUND_ROBIN, audience, READERS);
    placing_fail_reader(&p, LOST);
    for (size_t r = 0; r < READERS; r++) {
        if (r != LOST) assert_in_range(p.loads[r].videos, VIDEOS / 4 - 2, VIDEOS / 4 + 2);
    }
    placing_release(&p);
}

static void test_first_and_last_reader_can_fail(void **state) {
    (void)state;
    for (size_t lost = 0; lost < READERS; lost += READERS - 1) {
        struct placing p;
        placing_init(&p, POLICY_HASH, audience, READERS);
        placing_fail_reader(&p, lost);
        check_loads(&p);
        placing_release(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loads_add_up),
        cmocka_unit_test(test_round_robin_goes_by_registration),
        cmocka_unit_test(test_the_bound_sees_loads),
        cmocka_unit_test(test_only_videos_of_the_failed_reader_move),
        cmocka_unit_test(test_the_other_readers_share_them),
        cmocka_unit_test(test_first_and_last_reader_can_fail),
    };
    return cmocka_run_group_tests(tests, make_audience, free_audience);
}

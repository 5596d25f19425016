// How videos are given to readers.
#include "placement/policy.h"

#include "unit.h"

enum { READERS = 7, VIDEOS = 7000 };

static char urls[READERS][32];

static void make(struct policy_candidate *candidates) {
    for (int i = 0; i < READERS; i++) {
        snprintf(urls[i], sizeof urls[i], "http://127.0.0.1:%d", 4001 + i);
        candidates[i] = policy_candidate(urls[i], 0);
    }
}

static const char *video_id(int n) {
    static char id[16];
    snprintf(id, sizeof id, "video%d", n);
    return id;
}

static void test_round_robin_follows_the_turn(void **state) {
    (void)state;
    struct policy_candidate readers[READERS];
    make(readers);
    for (uint64_t turn = 0; turn < 50; turn++)
        assert_int_equal(policy_pick(POLICY_ROUND_ROBIN, readers, READERS, video_id(1), turn),
                         turn % READERS);
}

// Known values: a mapping must not depend on the process, the machine or the version.
static void test_hash_is_the_same_everywhere(void **state) {
    (void)state;
    struct policy_candidate readers[READERS];
    make(readers);
    static const size_t expected[] = {3, 6, 6, 5, 6, 6, 1, 6};
    for (int i = 0; i < 8; i++)
        for (uint64_t turn = 0; turn < 3; turn++)
            assert_int_equal(policy_pick(POLICY_HASH, readers, READERS, video_id(i + 1), turn), expected[i]);
}

// A thousand videos each are expected, with a standard deviation of 29.
static void test_hash_spreads_videos(void **state) {
    (void)state;
    struct policy_candidate readers[READERS];
    size_t videos[READERS] = {0};
    make(readers);
    for (int i = 0; i < VIDEOS; i++) videos[policy_pick(POLICY_HASH, readers, READERS, video_id(i), 0)]++;
    for (int i = 0; i < READERS; i++) assert_in_range(videos[i], 850, 1150);
}

static void test_hash_without_a_reader_moves_only_its_videos(void **state) {
    (void)state;
    enum { LOST = 2 };
    struct policy_candidate readers[READERS], rest[READERS - 1];
    size_t reached[READERS] = {0};
    make(readers);
    for (int i = 0; i < READERS - 1; i++) rest[i] = readers[i < LOST ? i : i + 1];
    for (int i = 0; i < VIDEOS; i++) {
        size_t before = policy_pick(POLICY_HASH, readers, READERS, video_id(i), 0);
        size_t after = policy_pick(POLICY_HASH, rest, READERS - 1, video_id(i), 0);
        if (before == LOST)
            reached[after]++;
        else
            assert_ptr_equal(rest[after].reader_url, readers[before].reader_url);
    }
    for (int i = 0; i < READERS - 1; i++) assert_in_range(reached[i], 100, 240); // 167 are expected
}

// Two are drawn, so that of seven the one with the least gets two videos in seven, and the one with the most
// none.
static void test_least_loaded_takes_the_better_of_two(void **state) {
    (void)state;
    struct policy_candidate readers[READERS];
    size_t videos[READERS] = {0};
    make(readers);
    for (size_t i = 0; i < READERS; i++) readers[i].load = 100 + i;
    for (int i = 0; i < VIDEOS; i++)
        videos[policy_pick(POLICY_LEAST_LOADED, readers, READERS, video_id(i), (uint64_t)i)]++;
    for (int i = 1; i < READERS; i++) assert_true(videos[i] < videos[i - 1]);
    assert_in_range(videos[0], 1700, 2100);        // 13 in 49 are expected
    assert_in_range(videos[READERS - 1], 90, 200); // drawn twice: 1 in 49
}

// Between two listings of readers a manager sees old loads: then one reader must not get every video.
static void test_least_loaded_spreads_among_equals(void **state) {
    (void)state;
    struct policy_candidate readers[READERS];
    size_t videos[READERS] = {0};
    make(readers);
    for (int i = 0; i < VIDEOS; i++)
        videos[policy_pick(POLICY_LEAST_LOADED, readers, READERS, video_id(1), (uint64_t)i)]++;
    for (int i = 0; i < READERS; i++) assert_in_range(videos[i], 850, 1150);
}

static void test_a_reader_above_the_bound_is_passed_over(void **state) {
    (void)state;
    struct policy_candidate readers[READERS];
    make(readers);
    for (size_t i = 0; i < READERS; i++) readers[i].load = 100;
    for (enum placement_policy policy = POLICY_LEAST_LOADED; policy <= POLICY_HASH; policy++) {
        size_t at_bound = 0;
        readers[6].load = 130; // 1.247 times the average
        for (int i = 0; i < VIDEOS; i++)
            at_bound += policy_pick(policy, readers, READERS, video_id(i), (uint64_t)i) == 6;
        assert_true(at_bound > 0);
        readers[6].load = 131; // 1.254 times
        for (int i = 0; i < VIDEOS; i++)
            assert_int_not_equal(policy_pick(policy, readers, READERS, video_id(i), (uint64_t)i), 6);
    }
    assert_int_equal(policy_pick(POLICY_ROUND_ROBIN, readers, READERS, video_id(1), 6), 6);
}

// All other videos stay where they are: only those of the one that is passed over go elsewhere.
static void test_the_bound_moves_no_other_videos_of_a_hash(void **state) {
    (void)state;
    struct policy_candidate readers[READERS];
    make(readers);
    for (int i = 0; i < VIDEOS; i++) {
        for (size_t r = 0; r < READERS; r++) readers[r].load = 0;
        size_t before = policy_pick(POLICY_HASH, readers, READERS, video_id(i), 0);
        readers[3].load = 9;
        size_t after = policy_pick(POLICY_HASH, readers, READERS, video_id(i), 0);
        assert_int_not_equal(after, 3);
        if (before != 3) assert_int_equal(after, before);
    }
}

static void test_one_reader_gets_all(void **state) {
    (void)state;
    struct policy_candidate only = policy_candidate("http://127.0.0.1:4001", 9);
    for (int policy = 0; policy < POLICIES; policy++)
        for (uint64_t turn = 0; turn < 5; turn++)
            assert_int_equal(policy_pick((enum placement_policy)policy, &only, 1, video_id(2), turn), 0);
}

static void test_names(void **state) {
    (void)state;
    enum placement_policy policy;
    for (int i = 0; i < POLICIES; i++) {
        const char *name = policy_name((enum placement_policy)i);
        assert_true(policy_by_name(name, strlen(name), &policy));
        assert_int_equal(policy, i);
    }
    assert_true(policy_by_name("least-viewers", 13, &policy));
    assert_int_equal(policy, POLICY_LEAST_LOADED);
    assert_true(policy_by_name("hash,more", 4, &policy));
    assert_false(policy_by_name("hash", 3, &policy));
    assert_false(policy_by_name("hashes", 6, &policy));
    assert_false(policy_by_name("", 0, &policy));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_robin_follows_the_turn),
        cmocka_unit_test(test_hash_is_the_same_everywhere),
        cmocka_unit_test(test_hash_spreads_videos),
        cmocka_unit_test(test_hash_without_a_reader_moves_only_its_videos),
        cmocka_unit_test(test_least_loaded_takes_the_better_of_two),
        cmocka_unit_test(test_least_loaded_spreads_among_equals),
        cmocka_unit_test(test_a_reader_above_the_bound_is_passed_over),
        cmocka_unit_test(test_the_bound_moves_no_other_videos_of_a_hash),
        cmocka_unit_test(test_one_reader_gets_all),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

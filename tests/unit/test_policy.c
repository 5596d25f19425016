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

static void test_least_viewers_takes_the_least(void **state) {
    (void)state;
    struct policy_candidate readers[READERS];
    make(readers);
    for (size_t i = 0; i < READERS; i++) readers[i].viewers = 10 + i;
    readers[3].viewers = 4;
    for (uint64_t turn = 0; turn < 2 * READERS; turn++)
        assert_int_equal(policy_pick(POLICY_LEAST_VIEWERS, readers, READERS, video_id(1), turn), 3);
}

// Between two listings of readers a manager sees old counts: then one reader must not get every video.
static void test_least_viewers_takes_turns_among_equals(void **state) {
    (void)state;
    struct policy_candidate readers[READERS];
    make(readers);
    readers[0].viewers = 1;
    size_t videos[READERS] = {0};
    for (uint64_t turn = 0; turn < 4 * READERS; turn++)
        videos[policy_pick(POLICY_LEAST_VIEWERS, readers, READERS, video_id(1), turn)]++;
    assert_int_equal(videos[0], 0);
    for (int i = 1; i < READERS; i++) assert_in_range(videos[i], 4, 8);
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
        cmocka_unit_test(test_least_viewers_takes_the_least),
        cmocka_unit_test(test_least_viewers_takes_turns_among_equals),
        cmocka_unit_test(test_one_reader_gets_all),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Viewers over videos: each watches one, and the tiers are those of the original.
#include "simulate/audience.h"

#include "simulate/size_classes.h"
#include "unit.h"

static struct audience *make(const char *law, size_t videos, uint32_t viewers, uint64_t seed) {
    struct audience_spec spec;
    assert_true(audience_parse(law, &spec));
    return audience_new(&spec, videos, viewers, seed);
}

static uint64_t sum(const struct audience *a) {
    uint64_t total = 0;
    for (size_t k = 0; k < a->videos; k++) total += a->viewers[k];
    return total;
}

static void test_every_viewer_watches_a_video(void **state) {
    (void)state;
    static const char *const laws[] = {"tiers", "uniform", "zipf:1.2"};
    static const size_t videos[] = {1, 2, 19, 20, 100, 12345};
    static const uint32_t viewers[] = {1, 7, 2500, 123457};
    for (size_t l = 0; l < 3; l++)
        for (size_t v = 0; v < 6; v++)
            for (size_t w = 0; w < 4; w++) {
                struct audience *a = make(laws[l], videos[v], viewers[w], v + w);
                assert_int_equal(a->total, viewers[w]);
                assert_int_equal(sum(a), viewers[w]);
                audience_free(a);
            }
}

static void test_the_largest_audience(void **state) {
    (void)state;
    struct audience *a = make("tiers", 1000000, 10000000, 1);
    assert_int_equal(sum(a), 10000000);
    assert_in_range(a->viewers[0], 80, 120); // at 10 viewers per video
    audience_free(a);
}

static void test_tiers_of_the_original(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct audience *a = make("tiers", 100, 2500, seed);
        assert_in_range(a->viewers[0], 200, 300);
        for (size_t k = 1; k < 6; k++) assert_in_range(a->viewers[k], 50, 100);
        for (size_t k = 6; k < 100; k++) assert_true(a->viewers[k] < 50);
        audience_free(a);
    }
}

static void test_order_of_popularity(void **state) {
    (void)state;
    struct audience *a = make("uniform", 1000, 5000, 3);
    for (size_t i = 1; i < a->videos; i++) {
        uint32_t before = a->ranking[i - 1], video = a->ranking[i];
        assert_true(a->viewers[before] > a->viewers[video] ||
                    (a->viewers[before] == a->viewers[video] && before < video));
    }
    audience_free(a);
}

static void test_each_video_is_registered_once(void **state) {
    (void)state;
    enum { VIDEOS = 500 };
    bool seen[VIDEOS] = {false};
    unsigned moved = 0;
    struct audience *a = make("tiers", VIDEOS, 5000, 3);
    for (size_t i = 0; i < VIDEOS; i++) {
        assert_true(a->registrations[i] < VIDEOS && !seen[a->registrations[i]]);
        seen[a->registrations[i]] = true;
        moved += a->registrations[i] != i;
    }
    assert_true(moved > VIDEOS / 2);
    audience_free(a);
}

static void test_the_seed_decides(void **state) {
    (void)state;
    struct audience *a = make("tiers", 100, 2500, 1), *b = make("tiers", 100, 2500, 1),
                    *c = make("tiers", 100, 2500, 2);
    size_t size = 100 * sizeof *a->viewers;
    assert_memory_equal(a->viewers, b->viewers, size);
    assert_memory_equal(a->registrations, b->registrations, size);
    assert_memory_not_equal(a->viewers, c->viewers, size);
    assert_memory_not_equal(a->registrations, c->registrations, size);
    audience_free(a);
    audience_free(b);
    audience_free(c);
}

static void test_size_classes(void **state) {
    (void)state;
    uint32_t viewers[] = {0, 1, 100, 101, 1000, 1001, 5000, 5001, 10000, 10001, 50000, 50001, 4000000};
    struct audience a = {.videos = sizeof viewers / sizeof *viewers, .viewers = viewers};
    uint64_t videos[SIZE_CLASSES];
    static const uint64_t expected[SIZE_CLASSES] = {1, 2, 2, 2, 2, 2, 2};
    size_classes_count(&a, videos);
    assert_memory_equal(videos, expected, sizeof expected);
}

static void test_invalid_distributions_are_refused(void **state) {
    (void)state;
    struct audience_spec spec;
    static const char *const wrong[] = {"", "tier", "zipf:", "zipf:11", "normal"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(audience_parse(wrong[i], &spec));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_viewer_watches_a_video),
        cmocka_unit_test(test_the_largest_audience),
        cmocka_unit_test(test_tiers_of_the_original),
        cmocka_unit_test(test_order_of_popularity),
        cmocka_unit_test(test_each_video_is_registered_once),
        cmocka_unit_test(test_the_seed_decides),
        cmocka_unit_test(test_size_classes),
        cmocka_unit_test(test_invalid_distributions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

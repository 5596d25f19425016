#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.c" // NOLINT(bugprone-suspicious-include): with the random key nothing could be compared
#include "base/uthash.h"

// With an all-zero key, from CPython 3.11's hash(bytes) under PYTHONHASHSEED=0, which is SipHash-1-3.
static const struct {
    const char *text;
    uint64_t hash;
} known[] = {
    {"a", 0x407448d2b89b1813},
    {"abc", 0xc03bc3a0042630f2},
    {"1234567", 0xa33d651594fdae81},
    {"12345678", 0x3489982430560a87},
    {"123456789", 0x0fbc0f0007965fcf},
    {"0123456789abcdef", 0x1d42b30f7e060c24},
    {"The quick brown fox jumps over the lazy dog", 0x8df676d3d00c451e},
};

static void test_is_siphash_1_3(void **state) {
    (void)state;
    uint64_t kept[2] = {key[0], key[1]};
    key[0] = key[1] = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_true(hash_bytes(known[i].text, strlen(known[i].text)) == known[i].hash);
    memcpy(key, kept, sizeof key);
}

static void test_the_key_is_random_and_matters(void **state) {
    (void)state;
    uint64_t kept[2] = {key[0], key[1]};
    assert_true(key[0] && key[1] && key[0] != key[1]);
    uint64_t hash = hash_bytes("video", 5);
    key[1] ^= 1;
    assert_true(hash_bytes("video", 5) != hash);
    memcpy(key, kept, sizeof key);
    assert_true(hash_bytes("video", 5) == hash);
}

static void test_reads_no_byte_beyond_the_end_and_needs_no_alignment(void **state) {
    (void)state;
    char text[64];
    memset(text, 'v', sizeof text);
    for (size_t len = 0; len < 40; len++) {
        uint64_t hash = hash_bytes(text, len);
        for (size_t at = 0; at < 8; at++) {
            char *copy = malloc(at + len); // a sanitizer watches its end
            assert_non_null(copy);
            memcpy(copy + at, text, len);
            assert_true(hash_bytes(copy + at, len) == hash);
            free(copy);
        }
    }
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void assert_all_different(uint64_t *values, size_t count) {
    qsort(values, count, sizeof *values, by_value);
    for (size_t i = 1; i < count; i++) assert_true(values[i - 1] != values[i]);
}

enum { MANY = 20000, THREADS = 4 };

static void test_zeros_of_different_lengths_differ(void **state) {
    (void)state;
    static const char zeros[256];
    uint64_t hashes[256];
    for (size_t len = 0; len < 256; len++) hashes[len] = hash_bytes(zeros, len);
    assert_all_different(hashes, 256);
}

static void *draw(void *values) {
    for (size_t i = 0; i < MANY; i++) ((uint64_t *)values)[i] = hash_random();
    return NULL;
}

static void test_random_numbers_do_not_repeat_in_any_thread(void **state) {
    (void)state;
    static uint64_t values[THREADS * MANY];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, draw, values + i * MANY), 0);
    for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    uint64_t all_or = 0, all_and = UINT64_MAX;
    for (size_t i = 0; i < THREADS * MANY; i++) {
        all_or |= values[i];
        all_and &= values[i];
    }
    assert_true(all_or == UINT64_MAX && all_and == 0); // no bit stands still
    assert_all_different(values, (size_t)THREADS * MANY);
}

struct entry {
    char name[24];
    UT_hash_handle hh;
};

static void test_maps_find_what_was_added(void **state) {
    (void)state;
    struct entry *map = NULL, *e, *next;
    for (int i = 0; i < 1000; i++) {
        e = mem_zalloc(sizeof *e);
        snprintf(e->name, sizeof e->name, "video-%d", i);
        HASH_ADD_KEYPTR(hh, map, e->name, strlen(e->name), e);
    }
    for (int i = 0; i < 1000; i++) {
        char name[24];
        snprintf(name, sizeof name, "video-%d", i);
        HASH_FIND_STR(map, name, e);
        assert_non_null(e);
        assert_string_equal(e->name, name);
    }
    HASH_FIND_STR(map, "video-1000", e);
    assert_null(e);
    HASH_ITER(hh, map, e, next) {
        HASH_DEL(map, e);
        free(e);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_siphash_1_3),
        cmocka_unit_test(test_the_key_is_random_and_matters),
        cmocka_unit_test(test_reads_no_byte_beyond_the_end_and_needs_no_alignment),
        cmocka_unit_test(test_zeros_of_different_lengths_differ),
        cmocka_unit_test(test_random_numbers_do_not_repeat_in_any_thread),
        cmocka_unit_test(test_maps_find_what_was_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

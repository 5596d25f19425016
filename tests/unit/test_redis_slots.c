#include "engine/redis/redis_slots.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static unsigned slot(const char *key) {
    return redis_slot_of(key, strlen(key));
}

// The value of the Cluster specification, and slots as redis-server 7.0 gives them (CLUSTER KEYSLOT).
static void knows_the_known_values(void **state) {
    (void)state;
    assert_int_equal(redis_crc16("123456789", 9), 0x31c3);
    assert_int_equal(slot("foo"), 12182);
    assert_int_equal(slot("bar"), 5061);
    assert_int_equal(slot("hello"), 866);
    assert_int_equal(slot(""), 0);
}

static void counts_what_stands_in_the_first_braces(void **state) {
    (void)state;
    assert_int_equal(slot("{foo}:log"), slot("foo"));
    assert_int_equal(slot("a{foo}b{bar}"), slot("foo"));
    assert_int_equal(slot("{video:v1}:pos"), slot("video:v1"));
    assert_int_not_equal(slot("{}foo"), slot("foo")); // empty: the whole key
    assert_int_equal(slot("foo{"), redis_crc16("foo{", 4) % REDIS_SLOTS);
    assert_int_equal(slot("a{{foo}}"), redis_crc16("{foo", 4) % REDIS_SLOTS);
}

static void has_a_tag_in_each_slot(void **state) {
    (void)state;
    static struct redis_tags tags;
    char key[64];
    redis_tags_init(&tags);
    for (unsigned i = 0; i < REDIS_SLOTS; i++) {
        snprintf(key, sizeof key, "chorus:mapped:{%s}", tags.of[i]);
        assert_int_equal(slot(key), i);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_known_values),
        cmocka_unit_test(counts_what_stands_in_the_first_braces),
        cmocka_unit_test(has_a_tag_in_each_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

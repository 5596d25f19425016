#include "unit.h"

#include "base/name_table.h"
#include "dice.h"

enum { THINGS = 3000 };

struct thing {
    struct name_entry entry;
    char name[24];
    bool in;
};

static struct name_table table;
static struct thing things[THINGS];

static int set_up(void **state) {
    (void)state;
    table = (struct name_table){0};
    for (int i = 0; i < THINGS; i++) {
        snprintf(things[i].name, sizeof things[i].name, "thing%d", i);
        things[i].entry.name = things[i].name;
        things[i].in = false;
    }
    return 0;
}

static void set(int i, bool in) {
    if (things[i].in == in) return;
    things[i].in = in;
    if (in)
        name_table_add(&table, &things[i].entry);
    else
        name_table_remove(&table, &things[i].entry);
}

// Empty, it has no memory, whatever a test did.
static int tear_down(void **state) {
    (void)state;
    for (int i = 0; i < THINGS; i++) set(i, false);
    return table.buckets != NULL || table.count != 0;
}

static void assert_found(int i) {
    char name[24]; // not by its address
    snprintf(name, sizeof name, "thing%d", i);
    assert_ptr_equal(name_table_find(&table, name), things[i].in ? &things[i].entry : NULL);
}

static void an_empty_one_has_nothing(void **state) {
    (void)state;
    assert_null(name_table_find(&table, "thing1"));
    assert_null(name_table_find(&table, ""));
    assert_null(name_table_next(&table, NULL));
}

static void finds_what_was_added_and_not_what_was_removed(void **state) {
    (void)state;
    set(1, true);
    set(2, true);
    assert_found(1);
    assert_found(2);
    assert_found(3);
    set(1, false);
    assert_found(1);
    assert_found(2);
    assert_int_equal(table.count, 1);
}

static void it_has_as_many_buckets_as_entries_or_up_to_twice(void **state) {
    (void)state;
    for (int i = 0; i < THINGS; i++) {
        set(i, true);
        assert_true(table.bucket_count >= table.count);
        assert_true(table.bucket_count <= 8 || table.bucket_count < 2 * table.count);
    }
    for (int i = 0; i < THINGS; i++) assert_found(i);
}

static void a_walk_meets_each_once(void **state) {
    (void)state;
    for (int i = 0; i < THINGS; i += 3) set(i, true);
    size_t met = 0;
    for (struct name_entry *e = name_table_next(&table, NULL); e; e = name_table_next(&table, e), met++) {
        struct thing *t = (struct thing *)e;
        assert_true(t->in);
        t->in = false;
    }
    assert_int_equal(met, table.count);
    for (int i = 0; i < THINGS; i += 3) {
        assert_false(things[i].in);
        things[i].in = true;
    }
}

static void a_walk_may_remove_entries(void **state) {
    (void)state;
    for (int i = 0; i < THINGS; i++) set(i, true);
    size_t met = 0;
    for (struct name_entry *e = name_table_next(&table, NULL), *next; e; e = next, met++) {
        next = name_table_next(&table, e);
        set((int)((struct thing *)e - things), false);
    }
    assert_int_equal(met, THINGS);
    assert_null(table.buckets);
}

static void it_holds_what_a_plain_list_holds(void **state) {
    (void)state;
    dice_begin(__func__);
    for (int i = 0; i < 20000; i++) {
        set((int)dice(THINGS), dice_one_in(2));
        assert_found((int)dice(THINGS));
    }
    size_t in = 0;
    for (int i = 0; i < THINGS; i++) {
        assert_found(i);
        in += things[i].in;
    }
    assert_int_equal(table.count, in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(an_empty_one_has_nothing),
        TEST(finds_what_was_added_and_not_what_was_removed),
        TEST(it_has_as_many_buckets_as_entries_or_up_to_twice),
        TEST(a_walk_meets_each_once),
        TEST(a_walk_may_remove_entries),
        TEST(it_holds_what_a_plain_list_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Requests that wait for keys.
#include "unit.h"

#include "identity/keys.h"

enum { SHARE = IDENTITY_WAITING_MAX / 8 };

static struct {
    struct identity_keys *keys;
    unsigned called, came, final;
    int order[4];
} w;

static int set_up(void **state) {
    (void)state;
    memset(&w, 0, sizeof w);
    w.keys = identity_keys_new(&(struct identity_demands){0});
    identity_keys_expect(w.keys);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    identity_keys_settle(w.keys, IDENTITY_KEYS_ENDED);
    identity_keys_free(w.keys);
    return 0;
}

static void on_awaited(void *arg, enum identity_keys_fate fate) {
    if (w.called < 4) w.order[w.called] = (int)(intptr_t)arg;
    w.called++;
    w.came += fate == IDENTITY_KEYS_CAME;
    w.final += identity_keys_are_final(w.keys);
}

static bool await(address_key address, int who) {
    return identity_keys_await(w.keys, address, on_awaited, (void *)(intptr_t)who);
}

static void test_those_that_waited_first_are_called_first_and_the_late_ones_last(void **state) {
    (void)state;
    assert_true(await(1, 1));
    assert_true(await(1, 2));
    identity_keys_ask(w.keys);
    assert_true(await(1, 3));
    assert_true(await(1, 4));
    identity_keys_settle(w.keys, IDENTITY_KEYS_CAME);
    assert_int_equal(w.called, 4);
    assert_int_equal(w.came, 4);
    assert_int_equal(w.final, 2);
    for (int i = 0; i < 4; i++) assert_int_equal(w.order[i], i + 1);
    assert_false(await(1, 5)); // none are on the way
}

static void test_no_address_takes_all_places(void **state) {
    (void)state;
    for (int i = 0; i < SHARE; i++) assert_true(await(1, i));
    assert_false(await(1, 0));
    assert_true(await(2, 0));
    while (await(0, 0)) continue; // exempt ones have all that there are
    identity_keys_settle(w.keys, IDENTITY_KEYS_CAME);
    assert_int_equal(w.called, IDENTITY_WAITING_MAX);
    identity_keys_expect(w.keys);
    for (int i = 0; i < SHARE; i++) assert_true(await(1, i)); // their places were given back
}

static void on_awaited_again(void *arg, enum identity_keys_fate fate) {
    (void)fate;
    w.called++;
    if (w.called > SHARE) return;
    identity_keys_expect(w.keys);
    assert_true(identity_keys_await(w.keys, 1, on_awaited_again, arg));
}

static void test_all_may_wait_once_more_from_within(void **state) {
    (void)state;
    for (int i = 0; i < SHARE; i++) identity_keys_await(w.keys, 1, on_awaited_again, NULL);
    identity_keys_settle(w.keys, IDENTITY_KEYS_CAME);
    assert_int_equal(w.called, SHARE);
    identity_keys_settle(w.keys, IDENTITY_KEYS_CAME);
    assert_int_equal(w.called, 2 * SHARE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_those_that_waited_first_are_called_first_and_the_late_ones_last,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_address_takes_all_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_may_wait_once_more_from_within, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

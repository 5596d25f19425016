#include "unit.h"

#include "net/address_share.h"

static void test_no_address_takes_more_than_its_part(void **state) {
    (void)state;
    struct address_shares s = {0};
    for (int i = 0; i < 3; i++) assert_true(address_share_take(&s, 5, 3));
    assert_false(address_share_take(&s, 5, 3));
    assert_true(address_share_take(&s, 6, 3));
    address_share_give_back(&s, 5);
    assert_true(address_share_take(&s, 5, 3));
    assert_false(address_share_take(&s, 5 + ADDRESS_SHARES, 3)); // the same counter
}

static void test_what_is_exempt_has_no_bound(void **state) {
    (void)state;
    struct address_shares s = {0};
    for (int i = 0; i < 100000; i++) assert_true(address_share_take(&s, 0, 3));
    for (int i = 0; i < 100000; i++) address_share_give_back(&s, 0);
    assert_true(address_share_take(&s, ADDRESS_SHARES, 1)); // its counter is that of 0
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_address_takes_more_than_its_part),
        cmocka_unit_test(test_what_is_exempt_has_no_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

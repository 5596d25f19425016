#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static const struct {
    int64_t wall_ms;
    const char *iso, *http;
} known[] = {
    {0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
    {1, "1970-01-01T00:00:00.001Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
    {999, "1970-01-01T00:00:00.999Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
    {784111777000, "1994-11-06T08:49:37.000Z", "Sun, 06 Nov 1994 08:49:37 GMT"}, // RFC 9110, 5.6.7
    {951826332045, "2000-02-29T12:12:12.045Z", "Tue, 29 Feb 2000 12:12:12 GMT"},
    {1763932000070, "2025-11-23T21:06:40.070Z", "Sun, 23 Nov 2025 21:06:40 GMT"},
    {2147483648123, "2038-01-19T03:14:08.123Z", "Tue, 19 Jan 2038 03:14:08 GMT"},
    {253402300799999, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
};

static void test_writes_known_times(void **state) {
    (void)state;
    // A local time zone must not matter.
    setenv("TZ", "America/St_Johns", 1);
    tzset();
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char iso[CLOCK_ISO8601_SIZE], http[CLOCK_HTTP_DATE_SIZE];
        clock_iso8601(known[i].wall_ms, iso);
        clock_http_date(known[i].wall_ms, http);
        assert_string_equal(iso, known[i].iso);
        assert_string_equal(http, known[i].http);
        assert_true(clock_read_iso8601(iso) == known[i].wall_ms);
    }
}

static void test_reads_nothing_else_as_a_time(void **state) {
    (void)state;
    static const char *const others[] = {"2025-11-23 21:06:40.070Z", "2025-11-23T21:06:40,070Z",
                                         "2025-11-23T21:06:40.07Z ", "x025-11-23T21:06:40.070Z",
                                         "2025-11-23T21:06:4:.070Z", ""};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_true(clock_read_iso8601(others[i]) == -1);
}

static void test_text_of_two_times_sorts_as_they_do(void **state) {
    (void)state;
    char earlier[CLOCK_ISO8601_SIZE] = "", later[CLOCK_ISO8601_SIZE];
    for (int64_t ms = 1600000000000; ms < 1900000000000; ms += 7919000123) {
        clock_iso8601(ms, later);
        assert_int_equal(strlen(later), 24);
        assert_true(strcmp(earlier, later) < 0);
        memcpy(earlier, later, sizeof later);
    }
}

static void test_monotonic_never_goes_back(void **state) {
    (void)state;
    int64_t us = clock_monotonic_us(), ms = clock_monotonic_ms();
    for (int i = 0; i < 10000; i++) {
        int64_t next_us = clock_monotonic_us(), next_ms = clock_monotonic_ms();
        assert_true(next_us >= us && next_ms >= ms);
        assert_true(next_ms >= next_us / 1000 && next_ms - next_us / 1000 < 10000);
        us = next_us;
        ms = next_ms;
    }
}

static void test_wall_time_is_milliseconds_since_1970(void **state) {
    (void)state;
    int64_t before = (int64_t)time(NULL), now = clock_wall_ms(), after = (int64_t)time(NULL);
    assert_true(now / 1000 >= before - 1 && now / 1000 <= after + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_known_times),
        cmocka_unit_test(test_reads_nothing_else_as_a_time),
        cmocka_unit_test(test_text_of_two_times_sorts_as_they_do),
        cmocka_unit_test(test_monotonic_never_goes_back),
        cmocka_unit_test(test_wall_time_is_milliseconds_since_1970),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

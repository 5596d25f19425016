#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

// What goes to stderr is caught in a file.

static int caught = -1, real_stderr = -1;
static char lines[4 * 1024 * 1024];

static int begin_catching(void **state) {
    (void)state;
    fflush(stderr);
    // An ordinary file: on a memfd, writes of several threads share no lock on the position.
    char path[] = "/tmp/chorus-log-XXXXXX";
    caught = mkstemp(path);
    unlink(path);
    real_stderr = dup(STDERR_FILENO);
    log_set_level(LOG_INFO);
    return caught < 0 || real_stderr < 0 || dup2(caught, STDERR_FILENO) < 0 || ftruncate(caught, 0) < 0;
}

// Returns what was written since the last call; the next lines begin at the start again.
static const char *catch (void) {
    off_t len = lseek(caught, 0, SEEK_CUR);
    assert_true(len >= 0 && (size_t)len < sizeof lines);
    assert_int_equal(pread(caught, lines, (size_t)len, 0), len);
    lines[len] = 0;
    assert_int_equal(lseek(caught, 0, SEEK_SET), 0);
    return lines;
}

static int end_catching(void **state) {
    (void)state;
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    close(caught);
    return 0;
}

static void test_a_line_has_level_role_event_and_values(void **state) {
    (void)state;
    log_info("manager", "assigned", "video=%s reader=%d", "v1", 3);
    assert_string_equal(catch (), "info manager assigned video=v1 reader=3\n");
    log_warn("reader", "slow", NULL);
    assert_string_equal(catch (), "warn reader slow\n");
    log_error("chorus", "broken", "%s", "");
    assert_string_equal(catch (), "error chorus broken \n");
}

static void test_lines_below_the_level_are_not_written(void **state) {
    (void)state;
    static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR};
    for (int lowest = 0; lowest < 4; lowest++) {
        log_set_level(levels[lowest]);
        for (int i = 0; i < 4; i++) {
            assert_int_equal(log_enabled(levels[i]), i >= lowest);
            log_line(levels[i], "role", "event", NULL);
            assert_int_equal(*catch () != 0, i >= lowest);
        }
    }
}

static void test_a_long_line_is_truncated_but_ends(void **state) {
    (void)state;
    static char value[3000];
    for (size_t len = 900; len < sizeof value - 1; len += len < 1100 ? 1 : 97) {
        memset(value, 'x', len);
        value[len] = 0;
        log_info("role", "event", "value=%s", value);
        const char *line = catch ();
        size_t got = strlen(line);
        assert_memory_equal(line, "info role event value=xxx", 25);
        assert_ptr_equal(strchr(line, '\n'), line + got - 1); // one line feed, at the end
        assert_int_equal(strspn(line + 22, "x"), got - 23);
        assert_true(got <= 1024);
        if (22 + len + 1 <= 1000) assert_int_equal(got, 22 + len + 1); // cut only where it must be
    }
}

static void test_a_long_role_and_event_are_truncated_too(void **state) {
    (void)state;
    static char event[3000];
    for (size_t len = 990; len < 1050; len++) {
        memset(event, 'e', len);
        event[len] = 0;
        log_info("role", event, "value=%d", 1);
        const char *line = catch ();
        size_t got = strlen(line);
        assert_memory_equal(line, "info role eee", 13);
        assert_ptr_equal(strchr(line, '\n'), line + got - 1);
        assert_true(got <= 1024 && got > 1000);
    }
}

enum { THREADS = 4, LINES = 500 };

static void *write_lines(void *letter) {
    char value[200];
    memset(value, *(const char *)letter, sizeof value - 1);
    value[sizeof value - 1] = 0;
    for (int i = 0; i < LINES; i++) log_info("role", "event", "n=%d value=%s", i, value);
    return NULL;
}

static void test_lines_of_several_threads_do_not_mix(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    char letters[THREADS] = {'a', 'b', 'c', 'd'};
    int next[THREADS] = {0};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &letters[i]), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    int count = 0;
    char *end;
    for (const char *at = catch (); *at; at = end + 1, count++) {
        assert_memory_equal(at, "info role event n=", 18);
        long n = strtol(at + 18, &end, 10);
        assert_memory_equal(end, " value=", 7);
        const char letter[2] = {end[7], 0};
        int thread = letter[0] - 'a';
        assert_in_range(thread, 0, THREADS - 1);
        assert_int_equal(n, next[thread]++);
        assert_int_equal(strspn(end + 7, letter), 199);
        end += 7 + 199;
        assert_int_equal(*end, '\n');
    }
    assert_int_equal(count, THREADS * LINES);
}

static void test_a_full_log_does_not_block(void **state) {
    (void)state;
    close(STDERR_FILENO);
    log_info("role", "event", NULL);
    dup2(caught, STDERR_FILENO);
    log_info("role", "again", NULL);
    assert_string_equal(catch (), "warn log dropped lines=1\ninfo role again\n");
}

static unsigned sample(struct log_sampler *s, unsigned calls, int64_t now_ms) {
    unsigned shown = 0;
    while (calls--) shown += log_sample(s, "comment", 20, now_ms);
    return shown;
}

static void test_a_sampler_limits_lines_per_second(void **state) {
    (void)state;
    struct log_sampler s = {0};
    assert_int_equal(sample(&s, 20, 500), 20); // the very first second of a clock that began at 0
    assert_int_equal(sample(&s, 5, 999), 0);
    assert_string_equal(catch (), "");
    assert_int_equal(sample(&s, 1, 1000), 1);
    assert_string_equal(catch (), "info comment sampled left_out=5\n");
    assert_int_equal(sample(&s, 1000, 1500), 19);
    assert_int_equal(sample(&s, 1, 9000), 1);
    assert_string_equal(catch (), "info comment sampled left_out=981\n");
    assert_int_equal(sample(&s, 1, 20000), 1);
    assert_string_equal(catch (), ""); // nothing was left out
}

#define CAUGHT(test) cmocka_unit_test_setup_teardown(test, begin_catching, end_catching)

int main(void) {
    const struct CMUnitTest tests[] = {
        CAUGHT(test_a_line_has_level_role_event_and_values),
        CAUGHT(test_lines_below_the_level_are_not_written),
        CAUGHT(test_a_long_line_is_truncated_but_ends),
        CAUGHT(test_a_long_role_and_event_are_truncated_too),
        CAUGHT(test_lines_of_several_threads_do_not_mix),
        CAUGHT(test_a_full_log_does_not_block),
        CAUGHT(test_a_sampler_limits_lines_per_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

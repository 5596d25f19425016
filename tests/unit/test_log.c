#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
    log_set_format(LOG_LOGFMT, false);
    log_set_line_start("");
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
    assert_string_equal(catch (), "level=info role=manager event=assigned video=v1 reader=3\n");
    log_warn("reader", "slow", NULL);
    assert_string_equal(catch (), "level=warn role=reader event=slow\n");
    log_debug("reader", "quiet", NULL);
    assert_string_equal(catch (), "");
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

// The line for a value, without the pairs that all have and the line feed.
static const char *line_of(const char *value) {
    log_info("r", "e", "v=%s", value);
    char *line = (char *)(uintptr_t) catch ();
    size_t len = strlen(line);
    assert_true(len && line[len - 1] == '\n' && !memchr(line, '\n', len - 1));
    line[len - 1] = 0;
    char *found = strstr(line, "v=");
    assert_non_null(found);
    return found;
}

static const char *json_of(const char *value) {
    log_set_format(LOG_JSON, false);
    log_info("r", "e", "v=%s", value);
    char *line = strstr(catch (), "\"v\":");
    assert_non_null(line);
    return line + 4;
}

static void test_values_are_quoted_where_they_must_be(void **state) {
    (void)state;
    static const struct {
        const char *value, *line;
    } cases[] = {
        {"plain", "v=plain"},
        {"http://10.0.0.1:4001/?a", "v=http://10.0.0.1:4001/?a"},
        {"", "v=\"\""},
        {"two words", "v=\"two words\""},
        {"a=b", "v=\"a=b\""},
        {"say \"hi\"", "v=\"say \\\"hi\\\"\""},
        {"back\\slash", "v=\"back\\\\slash\""},
        {"x\nlevel=error role=manager event=forged", "v=\"x\\nlevel=error role=manager event=forged\""},
        {"x\" role=forged y=\"", "v=\"x\\\" role=forged y=\\\"\""},
        {"\r\t\b\f\x01\x1b[31m\x7f", "v=\"\\r\\t\\b\\f\\u0001\\u001b[31m\\u007f\""},
        {"\xc2\x9b"
         "31m",
         "v=\"\\u009b31m\""}, // CSI of C1
        {"h\xc3\xa9 \xf0\x9f\x8e\x89", "v=\"h\xc3\xa9 \xf0\x9f\x8e\x89\""},
        {"a\xff"
         "b\xc3",
         "v=\"a\xef\xbf\xbd"
         "b\xef\xbf\xbd\""},
        {"\xed\xa0\x80", "v=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, // a surrogate
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        log_set_format(LOG_LOGFMT, false);
        assert_string_equal(line_of(cases[i].value), cases[i].line);
    }
}

static void test_values_that_the_format_composes(void **state) {
    (void)state;
    log_info("r", "e", "a=\"%s is %d\" b=%.3s. c=\"two words\" d=%llu e=%zu f=%ld g=\"%s\" h=word", "x\"", -5,
             "abcdef", 1ULL << 63, (size_t)7, -8L, "one");
    assert_string_equal(
        catch (), "level=info role=r event=e a=\"x\\\" is -5\" b=abc. c=\"two words\" d=9223372036854775808 "
                  "e=7 f=-8 g=one h=word\n");
}

static void test_json_has_the_same_pairs(void **state) {
    (void)state;
    log_set_format(LOG_JSON, false);
    log_warn("reader-1", "slow", "video=%s viewers=%u why=\"%s %d\" id=%d-%d ms=%d", "v1", 3u, "less than", 5,
             1, 2, -7);
    const char *line = catch ();
    assert_memory_equal(line, "{\"time\":\"20", 11);
    assert_string_equal(
        line + 34,
        ",\"level\":\"warn\",\"role\":\"reader-1\",\"event\":\"slow\",\"video\":\"v1\",\"viewers\":3,"
        "\"why\":\"less than 5\",\"id\":\"1-2\",\"ms\":-7}\n");
    assert_string_equal(json_of("12"), "\"12\"}\n"); // text stays text
    assert_string_equal(json_of(""), "\"\"}\n");
    assert_string_equal(json_of("a\"b\\\n\x01\xff\xc3\xa9"),
                        "\"a\\\"b\\\\\\n\\u0001\xef\xbf\xbd\xc3\xa9\"}\n");
}

static void test_the_time_comes_first(void **state) {
    (void)state;
    log_set_format(LOG_LOGFMT, true);
    log_set_line_start("\r");
    log_info("r", "e", NULL);
    const char *line = catch ();
    assert_memory_equal(line, "\rtime=20", 8);
    assert_string_equal(line + 6 + 24, " level=info role=r event=e\n");
}

// A file has no time of its own; a pipe and the journal are read by something that adds it.
static void test_what_stderr_is_decides_about_time_and_priority(void **state) {
    (void)state;
    log_set_format_for_stderr(LOG_LOGFMT); // the file in which it is caught
    log_info("r", "e", NULL);
    assert_memory_equal(catch (), "time=", 5);
    int ends[2];
    char text[200] = "", stream[64];
    struct stat info;
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    assert_int_equal(fstat(ends[1], &info), 0);
    for (int i = 0; i < 2; i++) {
        snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)info.st_dev,
                 (uintmax_t)info.st_ino + (unsigned)i);
        setenv("JOURNAL_STREAM", stream, 1);
        log_set_format_for_stderr(LOG_LOGFMT);
        log_error("r", "e", NULL);
        log_set_format_for_stderr(LOG_JSON);
        log_info("r", "e", NULL);
        assert_true(read(ends[0], text, sizeof text - 1) > 0);
        assert_memory_equal(text, i ? "level=error" : "<3>level=error", i ? 11 : 14);
        assert_non_null(strstr(text, i ? "\n{\"time\"" : "\n<6>{\"time\""));
    }
    unsetenv("JOURNAL_STREAM");
    close(ends[0]);
    close(ends[1]);
    dup2(caught, STDERR_FILENO);
}

// Whatever its length, a line is whole: the longest value that fits, and nothing half.
static void check_lengths(enum log_format format, const char *unit) {
    static char value[3000];
    size_t step = strlen(unit), longest = 0;
    for (size_t len = 0; len + step < sizeof value; len += step) {
        memcpy(value + len, unit, step + 1);
        log_set_format(format, false);
        log_info("role", "event", "a=%s b=%s c=%d d=%s", value, value, 12345, "x y");
        const char *line = catch ();
        size_t got = strlen(line);
        if (got > longest) longest = got;
        assert_true(got <= 2048);
        assert_ptr_equal(strchr(line, '\n'), line + got - 1);
        if (format == LOG_JSON) {
            json_t *document = json_loads(line, 0, NULL);
            assert_non_null(document);
            const char *kept = json_string_value(json_object_get(document, "a"));
            assert_non_null(kept);
            assert_memory_equal(kept, value, strlen(kept) / step * step);
            json_decref(document);
        } else {
            size_t quotes = 0;
            for (const char *c = line; *c; c++) quotes += *c == '"' && c[-1] != '\\';
            assert_int_equal(quotes % 2, 0);
        }
    }
    assert_true(longest > 2030);
}

static void test_a_long_line_is_truncated_but_whole(void **state) {
    (void)state;
    static const char *const units[] = {"x", "x y ", "\n", "\x01", "\xc3\xa9", "\xf0\x9f\x8e\x89", "\""};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        check_lengths(LOG_LOGFMT, units[i]);
        check_lengths(LOG_JSON, units[i]);
    }
}

static void test_a_value_is_kept_up_to_1_kb(void **state) {
    (void)state;
    static char value[2000];
    for (size_t len = 1000; len < 1050; len++) {
        memset(value, 'x', len);
        value[len] = 0;
        assert_int_equal(strlen(line_of(value)), 2 + (len < 1023 ? len : 1023));
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
        assert_memory_equal(at, "level=info role=role event=event n=", 35);
        long n = strtol(at + 35, &end, 10);
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
    assert_string_equal(catch (),
                        "level=warn role=log event=dropped lines=1\nlevel=info role=role event=again\n");
}

static unsigned sample(struct log_sampler *s, unsigned calls, int64_t now_ms) {
    unsigned shown = 0;
    while (calls--) shown += log_sample(s, "comment", 20, now_ms);
    return shown;
}

static void test_a_sampler_counts_without_a_further_line(void **state) {
    (void)state;
    struct log_sampler s = {.of = "stream_closed"};
    assert_int_equal(sample(&s, 25, 5000), 20);
    log_sampler_settle(&s, "reader-1", 5999);
    assert_string_equal(catch (), "");
    log_sampler_settle(&s, "reader-1", 6000);
    assert_string_equal(catch (), "level=info role=reader-1 event=sampled of=stream_closed left_out=5\n");
    log_sampler_settle(&s, "reader-1", 7000);
    assert_string_equal(catch (), "");
    assert_int_equal(sample(&s, 25, 7000), 20);
}

static void test_a_sampler_limits_lines_per_second(void **state) {
    (void)state;
    struct log_sampler s = {0};
    assert_int_equal(sample(&s, 20, 500), 20); // the very first second of a clock that began at 0
    assert_int_equal(sample(&s, 5, 999), 0);
    assert_string_equal(catch (), "");
    assert_int_equal(sample(&s, 1, 1000), 1);
    assert_string_equal(catch (), "level=info role=comment event=sampled left_out=5\n");
    assert_int_equal(sample(&s, 1000, 1500), 19);
    assert_int_equal(sample(&s, 1, 9000), 1);
    assert_string_equal(catch (), "level=info role=comment event=sampled left_out=981\n");
    assert_int_equal(sample(&s, 1, 20000), 1);
    assert_string_equal(catch (), ""); // nothing was left out
}

#define CAUGHT(test) cmocka_unit_test_setup_teardown(test, begin_catching, end_catching)

int main(void) {
    const struct CMUnitTest tests[] = {
        CAUGHT(test_a_line_has_level_role_event_and_values),
        CAUGHT(test_lines_below_the_level_are_not_written),
        CAUGHT(test_values_are_quoted_where_they_must_be),
        CAUGHT(test_values_that_the_format_composes),
        CAUGHT(test_json_has_the_same_pairs),
        CAUGHT(test_the_time_comes_first),
        CAUGHT(test_what_stderr_is_decides_about_time_and_priority),
        CAUGHT(test_a_long_line_is_truncated_but_whole),
        CAUGHT(test_a_value_is_kept_up_to_1_kb),
        CAUGHT(test_lines_of_several_threads_do_not_mix),
        CAUGHT(test_a_full_log_does_not_block),
        CAUGHT(test_a_sampler_limits_lines_per_second),
        CAUGHT(test_a_sampler_counts_without_a_further_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t clock_read_us(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_monotonic_ms(void) {
    return clock_read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_monotonic_us(void) {
    return clock_read_us(CLOCK_MONOTONIC);
}

int64_t clock_thread_cpu_us(void) {
    return clock_read_us(CLOCK_THREAD_CPUTIME_ID);
}

int64_t clock_process_cpu_us(void) {
    return clock_read_us(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t clock_wall_ms(void) {
    return clock_read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_wall_us(void) {
    return clock_read_us(CLOCK_REALTIME);
}

void clock_condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

void clock_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t due_ms) {
    struct timespec due = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000};
    pthread_cond_timedwait(condition, lock, &due);
}

void clock_iso8601(int64_t wall_ms, char out[CLOCK_ISO8601_SIZE]) {
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t len = strftime(out, CLOCK_ISO8601_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + len, CLOCK_ISO8601_SIZE - len, ".%03dZ", (int)(wall_ms % 1000));
}

static int read_digits(const char *text, int count) {
    int number = 0;
    for (int i = 0; i < count; i++) number = number * 10 + text[i] - '0';
    return number;
}

int64_t clock_read_iso8601(const char *text) {
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    for (int i = 0; i < CLOCK_ISO8601_LEN; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return -1;
    struct tm tm = {.tm_year = read_digits(text, 4) - 1900,
                    .tm_mon = read_digits(text + 5, 2) - 1,
                    .tm_mday = read_digits(text + 8, 2),
                    .tm_hour = read_digits(text + 11, 2),
                    .tm_min = read_digits(text + 14, 2),
                    .tm_sec = read_digits(text + 17, 2)};
    return (int64_t)timegm(&tm) * 1000 + read_digits(text + 20, 3);
}

void clock_http_date(int64_t wall_ms, char out[CLOCK_HTTP_DATE_SIZE]) {
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(out, CLOCK_HTTP_DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

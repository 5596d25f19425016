#include <stdio.h>
#include <time.h>

#include "base/clock.h"

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

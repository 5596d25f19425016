#include "top/words.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static const double LATEST_MS = 253402300799999; // in the year 9999

static const char *nothing(char out[WORDS_SIZE]) {
    snprintf(out, WORDS_SIZE, "-");
    return out;
}

// With at most three digits.
static void write_scaled(char out[WORDS_SIZE], double n, bool whole) {
    static const char units[] = " kMGT";
    size_t unit = 0;
    for (; n >= (unit ? 1000 : 10000) && unit < sizeof units - 2; unit++) n /= 1000;
    int decimals = unit ? n < 99.95 : !whole && n < 9.95;
    snprintf(out, WORDS_SIZE, unit ? "%.*f%c" : "%.*f", decimals, n, units[unit]);
}

const char *words_of_count(char out[WORDS_SIZE], const json_t *n) {
    if (!json_is_number(n)) return nothing(out);
    write_scaled(out, json_number_value(n), true);
    return out;
}

const char *words_of_rate(char out[WORDS_SIZE], const json_t *n) {
    if (!json_is_number(n)) return nothing(out);
    double value = json_number_value(n);
    write_scaled(out, value, value == 0);
    return out;
}

const char *words_of_ms(char out[WORDS_SIZE], const json_t *n) {
    if (!json_is_number(n)) return nothing(out);
    double ms = json_number_value(n);
    if (ms < 1)
        snprintf(out, WORDS_SIZE, "<1 ms");
    else if (ms < 1000)
        snprintf(out, WORDS_SIZE, "%.*f ms", ms < 9.95, ms);
    else
        snprintf(out, WORDS_SIZE, "%.1f s", ms / 1000);
    return out;
}

const char *words_of_bytes(char out[WORDS_SIZE], const json_t *n) {
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    if (!json_is_number(n)) return nothing(out);
    double value = json_number_value(n);
    size_t unit = 0;
    for (; value >= 1000 && unit < sizeof units / sizeof *units - 1; unit++) value /= 1024;
    snprintf(out, WORDS_SIZE, "%.*f %s", unit && value < 9.95, value, units[unit]);
    return out;
}

const char *words_of_ratio(char out[WORDS_SIZE], const json_t *n) {
    if (!json_is_number(n)) return nothing(out);
    snprintf(out, WORDS_SIZE, "%.2f", json_number_value(n));
    return out;
}

const char *words_of_age(char out[WORDS_SIZE], const json_t *ms) {
    if (!json_is_number(ms)) return nothing(out);
    double s = json_number_value(ms) / 1000;
    if (s < 100)
        snprintf(out, WORDS_SIZE, "%.0f s", s);
    else
        snprintf(out, WORDS_SIZE, "%.0f min", s / 60);
    return out;
}

const char *words_of_time(char out[WORDS_SIZE], const json_t *ms) {
    double value = json_number_value(ms);
    if (!json_is_number(ms) || value < 0 || value > LATEST_MS) return nothing(out);
    time_t s = (time_t)(value / 1000);
    struct tm local;
    if (!localtime_r(&s, &local) || !strftime(out, WORDS_SIZE, "%H:%M:%S", &local)) return nothing(out);
    return out;
}

#include "bench/require.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    char relation;
} relations[] = {{"<=", 'l'}, {">=", 'g'}, {"<", '<'}, {">", '>'}, {"=", '='}};

enum { RELATIONS = sizeof relations / sizeof *relations };

static const struct {
    const char *text;
    double us;
} units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}};

static bool read_unit(const char *text, size_t len, enum bench_unit wanted, double *factor) {
    *factor = 1;
    if (wanted == BENCH_UNIT_COUNT) return !len;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (len != strlen(units[i].text) || memcmp(text, units[i].text, len) != 0) continue;
        *factor = units[i].us;
        return true;
    }
    return false;
}

static size_t read_relation(const char *text, char *relation) {
    for (size_t i = 0; i < RELATIONS; i++) {
        size_t len = strlen(relations[i].text);
        if (strncmp(text, relations[i].text, len) != 0) continue;
        *relation = relations[i].relation;
        return len;
    }
    return 0;
}

struct require_error {
    char *why;
    size_t size;
};

#define REQUIRE_ERROR(c, ...) (snprintf((c)->why, (c)->size, __VA_ARGS__), false)

static bool refuse_figure(const struct require_error *c, const char *text, int len) {
    int at = snprintf(c->why, c->size, "--require has \"%.*s\", and there is no such figure. There are:", len,
                      text);
    const char *name;
    for (size_t i = 0; (name = bench_metric_name(i)) && at > 0 && (size_t)at < c->size; i++)
        at += snprintf(c->why + at, c->size - (size_t)at, "%s %s", i ? "," : "", name);
    if (at > 0 && (size_t)at < c->size) snprintf(c->why + at, c->size - (size_t)at, ".");
    return false;
}

// Parses one condition of `len` bytes.
static bool parse_one(struct requirement *r, const char *text, int len, const struct require_error *c) {
    enum bench_unit unit;
    double factor;
    char *end;
    int name = (int)strcspn(text, "<>=,");
    r->text = text;
    r->len = len;
    if (name >= len || !name)
        return REQUIRE_ERROR(c, "--require has \"%.*s\", which is not a condition like p99<250ms or lost=0.",
                             len, text);
    snprintf(r->name, sizeof r->name, "%.*s", name, text);
    if (!bench_metric_unit(r->name, &unit)) return refuse_figure(c, text, len);
    const char *number = text + name + read_relation(text + name, &r->relation);
    r->value = strtod(number, &end);
    if (number >= text + len || *number < '0' || *number > '9' || !isfinite(r->value))
        return REQUIRE_ERROR(
            c, "--require has \"%.*s\", but %s must be followed by <, <=, =, >= or > and a number.", len,
            text, r->name);
    if (!read_unit(end, (size_t)(text + len - end), unit, &factor))
        return REQUIRE_ERROR(c, "--require has \"%.*s\", but %s", len, text,
                             unit == BENCH_UNIT_TIME ? "a time needs its unit, us, ms or s."
                                                     : "this figure has no unit.");
    r->value *= factor;
    return true;
}

bool requirements_parse(struct requirements *all, const char *text, char *why, size_t why_size) {
    const struct require_error *c = &(struct require_error){why, why_size};
    for (all->count = 0;; all->count++) {
        size_t len = strcspn(text, ",");
        if (all->count == REQUIRE_MAX)
            return REQUIRE_ERROR(c, "--require has more than %d conditions.", REQUIRE_MAX);
        if (!parse_one(&all->at[all->count], text, (int)len, c)) return false;
        if (!text[len]) break;
        text += len + 1;
    }
    all->count++;
    return true;
}

bool requirement_is_met(const struct requirement *r, const struct bench_result *result) {
    double value = result->interrupted ? NAN : bench_metric_value(result, r->name);
    switch (r->relation) {
    case '<': return value < r->value;
    case '>': return value > r->value;
    case 'l': return value <= r->value;
    case 'g': return value >= r->value;
    default: return value >= r->value && value <= r->value; // an unknown figure (NAN) meets no condition
    }
}

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

static bool read_unit(const char *text, size_t len, enum metric_unit wanted, double *factor) {
    *factor = 1;
    if (wanted == METRIC_COUNT) return !len;
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

// One condition, `len` bytes of it.
static bool parse_one(struct requirement *r, const char *text, size_t len) {
    enum metric_unit unit;
    double factor;
    char *end;
    size_t name = strcspn(text, "<>=");
    if (name >= len || name >= sizeof r->name) return false;
    r->text = text;
    r->len = (int)len;
    memcpy(r->name, text, name);
    r->name[name] = 0;
    size_t relation = read_relation(text + name, &r->relation);
    const char *number = text + name + relation;
    if (!metric_unit_of(r->name, &unit) || number >= text + len || *number < '0' || *number > '9')
        return false;
    r->value = strtod(number, &end);
    if (!isfinite(r->value) || !read_unit(end, (size_t)(text + len - end), unit, &factor)) return false;
    r->value *= factor;
    return true;
}

bool requirements_parse(struct requirements *all, const char *text, char *why, size_t why_size) {
    all->count = 0;
    for (;;) {
        size_t len = strcspn(text, ",");
        if (all->count == REQUIRE_MAX || !parse_one(&all->at[all->count], text, len)) {
            snprintf(why, why_size, "--require has \"%.*s\", which is no condition like p99<250ms or lost=0.",
                     (int)len, text);
            return false;
        }
        all->count++;
        if (!text[len]) return true;
        text += len + 1;
    }
}

bool requirement_is_met(const struct requirement *r, const struct bench_result *result) {
    double value = metric_of(result, r->name);
    switch (r->relation) {
    case '<': return value < r->value;
    case '>': return value > r->value;
    case 'l': return value <= r->value;
    case 'g': return value >= r->value;
    default: return value >= r->value && value <= r->value; // a figure that is not known meets nothing
    }
}

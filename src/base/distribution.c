#include "base/distribution.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct distribution {
    size_t count;
    double *upto; // [k]: sum of the weights of items 0..k; NULL: uniform
};

static const double largest_exponent = 10;

bool distribution_parse(const char *text, struct distribution_spec *spec) {
    *spec = (struct distribution_spec){.kind = DISTRIBUTION_UNIFORM, .exponent = 1};
    if (!strcmp(text, "uniform")) return true;
    spec->kind = DISTRIBUTION_ZIPF;
    if (!strcmp(text, "zipf")) return true;
    if (strncmp(text, "zipf:", 5) != 0) return false;
    const char *number = text + 5;
    if (!*number || number[strspn(number, "0123456789.")]) return false; // strtod() accepts much more
    char *end;
    spec->exponent = strtod(number, &end);
    return !*end && spec->exponent <= largest_exponent;
}

struct distribution *distribution_new(struct distribution_spec spec, size_t count) {
    struct distribution *d = mem_zalloc(sizeof *d);
    d->count = count;
    if (spec.kind == DISTRIBUTION_UNIFORM) return d;
    d->upto = mem_alloc(count * sizeof *d->upto);
    double sum = 0;
    for (size_t k = 0; k < count; k++) d->upto[k] = sum += pow((double)k + 1, -spec.exponent);
    return d;
}

void distribution_free(struct distribution *d) {
    if (!d) return;
    free(d->upto);
    free(d);
}

size_t distribution_choose(const struct distribution *d, struct prng *p) {
    if (!d->upto) return (size_t)prng_below(p, d->count);
    double at = prng_unit(p) * d->upto[d->count - 1];
    size_t first = 0, last = d->count - 1; // the first item whose sum exceeds `at` is in between
    while (first < last) {
        size_t middle = first + (last - first) / 2;
        if (d->upto[middle] > at)
            last = middle;
        else
            first = middle + 1;
    }
    return first;
}

#include "simulate/audience.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

// The original simulation's numbers of viewers, at its 25 viewers per video.
enum {
    VIEWERS_PER_VIDEO = 25,
    TOP_ONE_IN = 100,
    TOP_MIN = 200,
    TOP_MAX = 300,
    SECOND_ONE_IN = 20,
    SECOND_MIN = 50,
    SECOND_MAX = 100,
    LOW_MIN = 1,
    LOW_MAX = 20
};

bool audience_parse(const char *text, struct audience_spec *spec) {
    *spec = (struct audience_spec){.kind = AUDIENCE_TIERS};
    if (!strcmp(text, "tiers")) return true;
    spec->kind = AUDIENCE_DRAWN;
    return distribution_parse(text, &spec->law);
}

static uint32_t random_between(struct prng *prng, uint32_t least, uint32_t most) {
    return least + (uint32_t)prng_below(prng, most - least + 1);
}

// Divides the viewers among the videos by rounding the end of each share, not its size: so the sum is exact.
static void share_out(uint32_t *viewers, size_t videos, uint64_t total, struct prng *prng) {
    uint64_t weights = 0, upto = 0, given = 0;
    for (size_t k = 0; k < videos; k++) weights += viewers[k] = random_between(prng, LOW_MIN, LOW_MAX);
    for (size_t k = 0; k < videos; k++) {
        upto += viewers[k];
        uint64_t end = total * upto / weights;
        viewers[k] = (uint32_t)(end - given);
        given = end;
    }
}

// The first two tiers use at most 8 of 25 viewers, so some always remain.
static void fill_tiers(struct audience *a, struct prng *prng) {
    size_t top = a->videos / TOP_ONE_IN, popular = top + a->videos / SECOND_ONE_IN;
    uint64_t rest = a->total;
    for (size_t k = 0; k < popular; k++) {
        uint64_t drawn =
            k < top ? random_between(prng, TOP_MIN, TOP_MAX) : random_between(prng, SECOND_MIN, SECOND_MAX);
        a->viewers[k] = (uint32_t)(drawn * a->total / (VIEWERS_PER_VIDEO * a->videos));
        rest -= a->viewers[k];
    }
    share_out(a->viewers + popular, a->videos - popular, rest, prng);
}

static void draw_viewers(struct audience *a, struct distribution_spec law, struct prng *prng) {
    struct distribution *d = distribution_new(law, a->videos);
    for (uint64_t n = 0; n < a->total; n++) a->viewers[distribution_choose(d, prng)]++;
    distribution_free(d);
}

static uint32_t *number_list(size_t count) {
    uint32_t *list = mem_alloc(count * sizeof *list);
    for (size_t i = 0; i < count; i++) list[i] = (uint32_t)i;
    return list;
}

static void shuffle(uint32_t *list, size_t count, struct prng *prng) {
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)prng_below(prng, i);
        uint32_t taken = list[other];
        list[other] = list[i - 1];
        list[i - 1] = taken;
    }
}

static int by_viewers(const void *left, const void *right, void *arg) {
    const uint32_t *viewers = arg;
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    if (viewers[a] != viewers[b]) return viewers[a] > viewers[b] ? -1 : 1;
    return a < b ? -1 : a > b;
}

struct audience *audience_new(const struct audience_spec *spec, size_t videos, uint32_t viewers,
                              uint64_t seed) {
    struct prng prng = {.state = seed};
    struct audience *a = mem_zalloc(sizeof *a);
    a->videos = videos;
    a->total = viewers;
    a->viewers = mem_zalloc(videos * sizeof *a->viewers);
    if (spec->kind == AUDIENCE_TIERS)
        fill_tiers(a, &prng);
    else
        draw_viewers(a, spec->law, &prng);
    a->registrations = number_list(videos);
    shuffle(a->registrations, videos, &prng);
    a->ranking = number_list(videos);
    qsort_r(a->ranking, videos, sizeof *a->ranking, by_viewers, a->viewers);
    return a;
}

void audience_free(struct audience *a) {
    if (!a) return;
    free(a->viewers);
    free(a->registrations);
    free(a->ranking);
    free(a);
}

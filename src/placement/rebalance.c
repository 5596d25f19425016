#include "placement/rebalance.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static uint64_t viewers_of_all(const struct rebalance_reader *readers, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += readers[i].viewers;
    return sum;
}

uint64_t rebalance_spread(const struct rebalance_reader *readers, size_t count) {
    uint64_t sum = 0, most = 0;
    for (size_t i = 0; i < count; i++) {
        sum += readers[i].viewers;
        if (readers[i].viewers > most) most = readers[i].viewers;
    }
    return sum ? most * 100 * count / sum : 0;
}

static uint64_t rebalance_target(const struct rebalance_reader *readers, size_t count) {
    return count ? viewers_of_all(readers, count) * REBALANCE_TO_PERCENT / 100 / count : 0;
}

uint64_t rebalance_surplus(const struct rebalance_reader *readers, size_t count, size_t reader) {
    uint64_t target = rebalance_target(readers, count);
    return readers[reader].viewers > target ? readers[reader].viewers - target : 0;
}

static int coldest_first(const void *a, const void *b) {
    const struct rebalance_video *x = a, *y = b;
    if (x->viewers != y->viewers) return x->viewers < y->viewers ? -1 : 1;
    return strcmp(x->video, y->video);
}

static bool may_take(const struct rebalance_reader *r, uint64_t viewers) {
    return !r->most || r->viewers + viewers <= r->most;
}

// Returns the one with the fewest viewers that may have so many more; `count`: there is none.
static size_t emptiest_for(const struct rebalance_reader *readers, size_t count, uint64_t viewers) {
    size_t best = count;
    for (size_t i = 0; i < count; i++)
        if (may_take(&readers[i], viewers) && (best == count || readers[i].viewers < readers[best].viewers))
            best = i;
    return best;
}

size_t rebalance_plan(const struct rebalance_reader *readers, size_t count, struct rebalance_video *videos,
                      size_t video_count, uint64_t budget, struct rebalance_move *moves) {
    size_t planned = 0;
    if (rebalance_spread(readers, count) <= REBALANCE_AT_PERCENT) return 0;
    uint64_t target = rebalance_target(readers, count);
    struct rebalance_reader *then = mem_alloc(count * sizeof *then); // as they will be
    memcpy(then, readers, count * sizeof *then);
    qsort(videos, video_count, sizeof *videos, coldest_first);
    for (size_t i = 0; i < video_count && videos[i].viewers <= budget; i++) {
        const struct rebalance_video *v = &videos[i];
        size_t to = emptiest_for(then, count, v->viewers);
        if (!v->viewers || then[v->reader].viewers <= target) continue;
        if (to == count || then[to].viewers + v->viewers > target) continue;
        then[v->reader].viewers -= v->viewers;
        then[to].viewers += v->viewers;
        budget -= v->viewers;
        moves[planned++] = (struct rebalance_move){.video = v, .to = to};
    }
    free(then);
    return planned;
}

bool rebalance_watch(struct rebalance_pace *p, uint64_t spread, uint64_t viewers, int64_t now_ms) {
    double most = (double)viewers * REBALANCE_PER_CENT_A_MINUTE / 100;
    if (p->at_ms) p->viewers += most * (double)(now_ms - p->at_ms) / 60000;
    if (p->viewers > most && p->viewers > 1) p->viewers = most > 1 ? most : 1;
    p->at_ms = now_ms;
    if (spread <= REBALANCE_AT_PERCENT)
        p->uneven_ms = 0;
    else if (!p->uneven_ms)
        p->uneven_ms = now_ms;
    return p->uneven_ms && now_ms - p->uneven_ms >= REBALANCE_AFTER_MS;
}

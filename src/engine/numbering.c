#include "engine/numbering.h"

// The entries of a lower epoch than is known may be younger than what was lost.
bool numbering_finds_loss(struct position at, struct position prev, struct position known,
                          struct position *kept) {
    *kept = at;
    if (!position_is_plausible(known)) return false;
    if (known.epoch == at.epoch) return known.seq > at.seq;
    if (known.epoch > at.epoch) {
        kept->seq = 0;
        return true;
    }
    *kept = prev;
    return position_is_set(prev) && position_compare(known, prev) > 0;
}

uint64_t numbering_new_epoch(int64_t now_ms, struct position at, struct position known, uint64_t *highest) {
    uint64_t epoch = now_ms > 0 ? (uint64_t)now_ms : 1;
    if (epoch <= at.epoch) epoch = at.epoch + 1;
    if (epoch <= known.epoch) epoch = known.epoch + 1;
    if (epoch + POSITION_CLOCK_TOLERANCE_MS < *highest) epoch = *highest + 1;
    if (epoch > *highest) *highest = epoch;
    return epoch;
}

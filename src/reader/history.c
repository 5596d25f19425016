#include "reader/history.h"

void history_init(struct history *h, struct history_budget *budget) {
    *h = (struct history){.budget = budget};
    ring_init(&h->ring, HISTORY_FRAMES, HISTORY_BYTES);
}

void history_release(struct history *h) {
    h->budget->bytes -= h->ring.bytes;
    ring_release(&h->ring);
}

void history_reset(struct history *h, struct position from) {
    history_release(h);
    h->from = from;
}

// Drops the oldest frames; the run then begins where the last of them stood.
static void drop_before(struct history *h, uint64_t n) {
    for (uint64_t i = h->ring.first; i < n; i++)
        if (position_is_set(ring_at(&h->ring, i)->at)) h->from = ring_at(&h->ring, i)->at;
    h->budget->bytes -= h->ring.bytes;
    ring_drop_before(&h->ring, n);
    h->budget->bytes += h->ring.bytes;
}

void history_push(struct history *h, struct frame *f) {
    struct ring *r = &h->ring;
    uint64_t keep = r->first;
    size_t bytes = r->bytes;
    while (keep < r->next && (r->next - keep >= r->max_frames || bytes + f->len > r->max_bytes))
        bytes -= ring_at(r, keep++)->len;
    drop_before(h, keep);
    if (h->budget->bytes + f->len > h->budget->max) { // no room: begin anew behind this frame
        drop_before(h, r->next);
        if (position_is_set(f->at)) h->from = f->at;
        return;
    }
    ring_push(r, frame_ref(f));
    h->budget->bytes += f->len;
}

bool history_covers(struct history *h, struct position at, uint64_t *first) {
    if (!position_is_set(h->from)) return false;
    *first = h->ring.first;
    if (position_compare(at, h->from) == 0) return true;
    for (uint64_t n = h->ring.next; n > h->ring.first; n--) {
        *first = n;
        if (position_compare(ring_at(&h->ring, n - 1)->at, at) == 0) return true;
    }
    return false;
}

void history_rest(struct history *h, int64_t now_ms) {
    uint64_t held = h->ring.next - h->ring.first;
    if (held > HISTORY_RESTING_FRAMES && now_ms - h->used_ms > HISTORY_WARM_MS)
        drop_before(h, h->ring.next - HISTORY_RESTING_FRAMES);
}

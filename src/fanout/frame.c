#include "fanout/frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/event_stream.h"
#include "base/budget.h"

// With what malloc adds, and its places in rings.
static size_t frame_cost(size_t len) {
    return sizeof(struct frame) + len + 32;
}

struct frame *frame_of_bytes(const void *bytes, size_t len, struct position at) {
    struct frame *f = mem_alloc(sizeof *f + len);
    atomic_init(&f->refs, 1);
    f->len = (uint32_t)len;
    f->at = f->first = at;
    memcpy(f->bytes, bytes, len);
    budget_take(frame_cost(len));
    return f;
}

struct frame *frame_of_event(struct position at, const char *event, const char *data, size_t len) {
    struct buf b = {0};
    char id[POSITION_TEXT_SIZE];
    if (position_is_set(at)) position_format(at, id);
    event_stream_event(&b, position_is_set(at) ? id : NULL, event, data, len);
    struct frame *f = frame_of_bytes(b.data, b.len, at);
    buf_release(&b);
    return f;
}

static const char *const gap_reasons[] = {
    [GAP_EXPIRED] = "expired", [GAP_SLOW] = "slow", [GAP_EPOCH] = "epoch"};

struct frame *frame_of_gap(struct position from, struct position to, enum gap_reason reason) {
    char json[256], first[POSITION_TEXT_SIZE], last[POSITION_TEXT_SIZE], missed[24] = "null";
    position_format(from, first);
    position_format(to, last);
    if (from.epoch == to.epoch && to.seq >= from.seq)
        snprintf(missed, sizeof missed, "%" PRIu64, to.seq - from.seq + 1);
    int len = snprintf(json, sizeof json,
                       "{\"type\":\"gap\",\"from\":\"%s\",\"to\":\"%s\",\"missed\":%s,\"reason\":\"%s\"}",
                       first, last, missed, gap_reasons[reason]);
    struct frame *f = frame_of_event(to, "gap", json, (size_t)len);
    f->first = from;
    return f;
}

struct frame *frame_ref(struct frame *f) {
    atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

void frame_unref(struct frame *f) {
    if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1) return;
    budget_give_back(frame_cost(f->len));
    free(f);
}

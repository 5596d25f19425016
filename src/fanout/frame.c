#include "fanout/frame.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/event_stream.h"
#include "base/budget.h"

// With what malloc adds, and its places in rings.
static size_t frame_cost(const struct frame *f) {
    return sizeof *f + f->head + f->len + (f->head ? FRAME_CHUNK_END : 0) + 32;
}

// Returns the length of the head of a chunk of `len` bytes.
static uint32_t chunk_head_length(size_t len) {
    uint32_t digits = 1;
    while (len >>= 4) digits++;
    return digits + 2;
}

// Adds a chunk. Returns the end.
static char *add_chunk(char *out, const void *bytes, size_t len) {
    char *digits_end = out + chunk_head_length(len) - 2, *data = digits_end + 2;
    size_t left = len;
    for (char *at = digits_end; at > out; left >>= 4) *--at = "0123456789abcdef"[left & 15];
    memcpy(digits_end, "\r\n", 2);
    if (len) memcpy(data, bytes, len);
    memcpy(data + len, "\r\n", FRAME_CHUNK_END);
    return data + len + FRAME_CHUNK_END;
}

static struct frame *frame_new(uint32_t head, size_t len, struct position at) {
    assert(len <= FRAME_MAX);
    struct frame *f = mem_alloc(sizeof *f + head + len + (head ? FRAME_CHUNK_END : 0));
    *f = (struct frame){.len = len & FRAME_MAX, .head = head & 15, .at = at, .first = at};
    atomic_init(&f->refs, 1);
    budget_take(frame_cost(f));
    return f;
}

static struct frame *frame_of_chunk(const void *bytes, size_t len, struct position at) {
    struct frame *f = frame_new(chunk_head_length(len), len, at);
    add_chunk(f->bytes, bytes, len);
    return f;
}

struct frame *frame_of_bytes(const void *bytes, size_t len, struct position at) {
    assert(len); // an empty chunk would end the stream
    return frame_of_chunk(bytes, len, at);
}

struct frame *frame_of_event(struct position at, const char *event, const char *data, size_t len) {
    struct buf b = {0};
    char id[POSITION_TEXT_SIZE];
    if (position_is_set(at)) position_format(at, id);
    event_stream_add_event(&b, position_is_set(at) ? id : NULL, event, data, len);
    struct frame *f = frame_of_bytes(b.data, b.len, at);
    buf_release(&b);
    return f;
}

struct frame *frame_of_number(struct position at) {
    char event[POSITION_TEXT_SIZE + 8], id[POSITION_TEXT_SIZE];
    position_format(at, id);
    int len = snprintf(event, sizeof event, "id: %s\n\n", id);
    struct frame *f = frame_of_bytes(event, (size_t)len, at);
    f->is_blank = true;
    return f;
}

static void frame_cover(struct frame *f, uint32_t more) {
    f->more = more;
    if (f->at.seq > more) f->first.seq = f->at.seq - more;
}

struct frame *frame_with_more(const struct frame *f, uint32_t more) {
    static const char end[] = "}\n\n"; // of an event with JSON
    enum { END = sizeof end - 1 };
    const char *event = f->bytes + f->head;
    struct buf b = {0};
    assert(f->len > END && memcmp(event + f->len - END, end, END) == 0);
    buf_add(&b, event, f->len - END);
    buf_printf(&b, ",\"more\":%" PRIu32 "%s", more, end);
    struct frame *with = frame_of_bytes(b.data, b.len, f->at);
    buf_release(&b);
    with->posted_ms = f->posted_ms;
    frame_cover(with, more);
    return with;
}

struct frame *frame_of_taken(const struct frame *f) {
    char json[96], id[POSITION_TEXT_SIZE];
    if (!f->more) return frame_of_number(f->at);
    position_format(f->at, id);
    int len =
        snprintf(json, sizeof json, "{\"type\":\"more\",\"id\":\"%s\",\"more\":%" PRIu32 "}", id, f->more);
    struct frame *taken = frame_of_event(f->at, "more", json, (size_t)len);
    taken->is_blank = true;
    frame_cover(taken, f->more);
    return taken;
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
    f->is_gap = true;
    return f;
}

struct frame *frame_of_heartbeat(void) {
    return frame_of_bytes(event_stream_heartbeat, EVENT_STREAM_HEARTBEAT_LEN, (struct position){0});
}

struct frame *frame_of_retry(uint32_t ms) {
    char field[32];
    int len = snprintf(field, sizeof field, "retry: %" PRIu32 "\n\n", ms);
    return frame_of_bytes(field, (size_t)len, (struct position){0});
}

struct frame *frame_of_expiry(void) {
    static const char json[] = "{\"type\":\"end\",\"reason\":\"token\"}";
    return frame_of_event((struct position){0}, "end", json, sizeof json - 1);
}

struct frame *frame_of_end(void) {
    return frame_of_chunk(NULL, 0, (struct position){0});
}

struct frame *frame_of_head(const void *head, size_t head_len, const void *event, size_t event_len,
                            enum sink_framing framing) {
    size_t around = framing == SINK_CHUNKED ? chunk_head_length(event_len) + FRAME_CHUNK_END : 0;
    struct frame *f = frame_new(0, head_len + event_len + around, (struct position){0});
    char *end = (char *)memcpy(f->bytes, head, head_len) + head_len;
    if (around)
        add_chunk(end, event, event_len);
    else
        memcpy(end, event, event_len);
    return f;
}

// An event is its id, its name and its data, in this order (event_stream_add_event).
static bool frame_continues_with(const struct frame *f, const char *line, size_t len) {
    static const char id[] = "id: ";
    const char *at = f->bytes + f->head, *end = at + f->len;
    if (f->len >= sizeof id && !memcmp(at, id, sizeof id - 1)) {
        const char *line_end = memchr(at, '\n', f->len);
        if (line_end) at = line_end + 1;
    }
    return (size_t)(end - at) > len && memcmp(at, line, len) == 0;
}

bool frame_is_plain(const struct frame *f) {
    static const char data[] = "data:";
    return frame_continues_with(f, data, sizeof data - 1);
}

const char *frame_find_member(const struct frame *f, const char *name, size_t *len) {
    const char *bytes = f->bytes + f->head, *at = memmem(bytes, f->len, name, strlen(name));
    size_t left = at ? f->len - (size_t)(at - bytes) : 0, start = strlen(name);
    const char *quote = at ? memchr(at + start, '"', left - start) : NULL;
    *len = quote ? (size_t)(quote + 1 - at) : 0;
    return quote ? at : NULL;
}

// It is the last word of the JSON. Looked for only where a viewer gets a gap.
enum gap_reason frame_gap_reason(const struct frame *f) {
    for (int reason = 0; reason < GAP_REASONS; reason++) {
        char word[16];
        int len = snprintf(word, sizeof word, "\"%s\"}", gap_reasons[reason]);
        if (memmem(f->bytes + f->head, f->len, word, (size_t)len)) return (enum gap_reason)reason;
    }
    return GAP_EXPIRED;
}

uint64_t frame_missed(const struct frame *f) {
    bool is_known = f->first.epoch == f->at.epoch && f->at.seq >= f->first.seq;
    return is_known ? f->at.seq - f->first.seq + 1 : 1;
}

struct frame *frame_ref(struct frame *f) {
    atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

void frame_unref(struct frame *f) {
    if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1) return;
    budget_give_back(frame_cost(f));
    free(f);
}

#include "entries.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "event_reader.h"
#include "fanout/frame.h"
#include "reader/entry_frame.h"

static struct engine_entry entry_at(struct position at, enum entry_kind kind) {
    return (struct engine_entry){.at = at, .kind = kind};
}

struct engine_entry comment_at(uint64_t epoch, uint64_t seq) {
    return entry_at(pos(epoch, seq), ENTRY_COMMENT);
}

struct engine_entry comment_after(uint64_t epoch, uint64_t seq, struct position prev) {
    struct engine_entry e = comment_at(epoch, seq);
    e.prev = prev;
    return e;
}

struct engine_entry tombstone_at(uint64_t epoch, uint64_t seq) {
    return entry_at(pos(epoch, seq), ENTRY_TOMBSTONE);
}

struct engine_entry foreign_message(const char *json) {
    return (struct engine_entry){.kind = ENTRY_COMMENT, .body = json + 1, .body_len = strlen(json) - 2};
}

struct frame *comment_frame(uint64_t epoch, uint64_t seq) {
    struct engine_entry e = comment_at(epoch, seq);
    return frame_of_entry(&e);
}

struct frame *padded_frame(uint64_t epoch, uint64_t seq, size_t padding_bytes) {
    struct buf b = {0};
    buf_add_string(&b, "\"padding\":\"");
    memset(buf_reserve(&b, padding_bytes), 'x', padding_bytes);
    b.len += padding_bytes;
    buf_add_string(&b, "\"");
    struct frame *f = frame_of_entry(&(struct engine_entry){
        .at = pos(epoch, seq), .kind = ENTRY_COMMENT, .body = b.data, .body_len = b.len});
    buf_release(&b);
    return f;
}

struct frame *foreign_frame(const char *json) {
    return frame_of_event((struct position){0}, NULL, json, strlen(json));
}

const char *frames_text(struct frame *const *frames, size_t count) {
    static char text[65536];
    struct event_reader r = {0};
    for (size_t i = 0; i < count; i++) {
        struct iovec raw = frame_piece(frames[i], SINK_RAW);
        event_reader_add(&r, raw.iov_base, raw.iov_len);
    }
    snprintf(text, sizeof text, "%s", event_reader_text(&r));
    event_reader_release(&r);
    return text;
}

#include "entry_frame.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "engine/entry.h"
#include "fanout/frame.h"

// A comment's last member is the time at which it was posted.
static int64_t entry_posted_ms(const struct engine_entry *e) {
    static const char name[] = "\"timestamp\":\"";
    enum { NAME_LEN = sizeof name - 1, LEN = NAME_LEN + CLOCK_ISO8601_LEN + 1 };
    if (e->body_len < LEN) return 0;
    const char *member = e->body + e->body_len - LEN;
    if (memcmp(member, name, NAME_LEN) != 0) return 0;
    int64_t posted_ms = clock_read_iso8601(member + NAME_LEN);
    return posted_ms > 0 ? posted_ms : 0;
}

struct frame *frame_of_entry(const struct engine_entry *e) {
    enum entry_shown shown = entry_shown(e->kind);
    if (shown == SHOWN_NOTHING) return NULL;
    if (shown == SHOWN_NUMBER) return frame_of_number(e->at);
    struct buf json = {0};
    entry_write(&json, e);
    const char *event = shown == SHOWN_NAMED ? entry_kind_name(e->kind) : NULL;
    struct frame *f = frame_of_event(e->at, event, json.data, json.len);
    f->posted_ms = entry_posted_ms(e);
    f->removes = e->kind == ENTRY_RETRACT ? REMOVES_ONE
                 : e->kind == ENTRY_PURGE ? REMOVES_OF_USER
                                          : REMOVES_NOTHING;
    buf_release(&json);
    return f;
}

#include "entry_frame.h"

#include "base/buf.h"
#include "engine/entry.h"
#include "fanout/frame.h"

struct frame *frame_of_entry(const struct engine_entry *e) {
    enum entry_shown shown = entry_shown(e->kind);
    if (shown == SHOWN_NOTHING) return NULL;
    struct buf json = {0};
    entry_write(&json, e);
    const char *event = shown == SHOWN_NAMED ? entry_kind_name(e->kind) : NULL;
    struct frame *f = frame_of_event(e->at, event, json.data, json.len);
    buf_release(&json);
    return f;
}

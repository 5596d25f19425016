#include "entry_frame.h"

#include "base/buf.h"
#include "engine/entry.h"
#include "fanout/frame.h"

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
    f->turns = e->kind == ENTRY_START ? TURNS_ON : e->kind == ENTRY_END ? TURNS_OFF : TURNS_NOTHING;
    buf_release(&json);
    return f;
}

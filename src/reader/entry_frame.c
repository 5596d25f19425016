#include "entry_frame.h"

#include "base/buf.h"
#include "engine/engine.h"
#include "engine/entry.h"
#include "fanout/frame.h"

struct frame *frame_of_entry(const struct engine_entry *e) {
    if (e->kind != ENTRY_COMMENT) return NULL;
    if (!position_is_set(e->prev)) return frame_of_event(e->at, NULL, e->json, e->json_len);
    struct buf json = {0};
    entry_write_public(&json, e);
    struct frame *f = frame_of_event(e->at, NULL, json.data, json.len);
    buf_release(&json);
    return f;
}

#include "net/event_stream.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"

const char event_stream_heartbeat[] = ":\n\n";

uint32_t event_stream_draw_retry(uint32_t crowd_ms) {
    uint32_t least = crowd_ms ? EVENT_STREAM_RETRY_CROWD_MIN_MS : EVENT_STREAM_RETRY_MIN_MS;
    uint32_t spread = crowd_ms ? crowd_ms : EVENT_STREAM_RETRY_MAX_MS - EVENT_STREAM_RETRY_MIN_MS;
    return least + (uint32_t)(hash_random() % (spread + 1));
}

void event_stream_add_retry(struct buf *b, uint32_t crowd_ms) {
    buf_printf(b, "retry: %" PRIu32 "\n", event_stream_draw_retry(crowd_ms));
}

void event_stream_add_event(struct buf *b, const char *id, const char *event, const char *data, size_t len) {
    if (id) {
        buf_add_string(b, "id: ");
        buf_add_string(b, id);
        buf_add_string(b, "\n");
    }
    if (event) {
        buf_add_string(b, "event: ");
        buf_add_string(b, event);
        buf_add_string(b, "\n");
    }
    for (;;) {
        size_t line = 0;
        while (line < len && data[line] != '\n' && data[line] != '\r') line++;
        buf_add_string(b, "data: ");
        buf_add(b, data, line);
        buf_add_string(b, "\n");
        if (line == len) break;
        size_t end = line + 1 < len && data[line] == '\r' && data[line + 1] == '\n' ? 2 : 1;
        data += line + end;
        len -= line + end;
    }
    buf_add_string(b, "\n");
}

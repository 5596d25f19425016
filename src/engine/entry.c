#include "engine/entry.h"

#include <string.h>

#include "base/buf.h"
#include "engine/engine.h"

// Engines put id and prev in front, in this order and without spaces; neither holds a quote inside.
static const char *behind_prev(const struct engine_entry *e, size_t id_len) {
    static const char prev[] = "\"prev\":\"";
    if (!position_is_set(e->prev) || e->json_len < id_len + sizeof prev) return NULL;
    const char *at = e->json + id_len;
    if (memcmp(at, prev, sizeof prev - 1) != 0) return NULL;
    const char *quote = memchr(at + sizeof prev - 1, '"', e->json_len - id_len - (sizeof prev - 1));
    return quote && quote + 2 < e->json + e->json_len && quote[1] == ',' ? quote + 2 : NULL;
}

void entry_write_public(struct buf *b, const struct engine_entry *e) {
    const char *comma = e->json_len ? memchr(e->json, ',', e->json_len) : NULL;
    size_t id_len = comma ? (size_t)(comma + 1 - e->json) : 0; // {"id":"...",
    const char *rest = comma ? behind_prev(e, id_len) : NULL;
    if (!rest) {
        buf_add(b, e->json, e->json_len);
        return;
    }
    buf_add(b, e->json, id_len);
    buf_add(b, rest, e->json_len - (size_t)(rest - e->json));
}

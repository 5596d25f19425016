#include "redis_entry.h"

#include <stdlib.h>

#include "redis_reply.h"

// Only another program publishes or stores more. Each byte may be a line break, which takes seven bytes in an
// event, and an event has to fit into a frame.
enum { ENTRY_BYTES_MAX = 32 << 20 };

static bool redis_entry_read(struct engine_entry *e, const char *json, size_t len) {
    return len <= ENTRY_BYTES_MAX && entry_read(e, json, len);
}

bool redis_entry_of_message(struct engine_entry *e, const char *json, size_t len) {
    if (!redis_entry_read(e, json, len)) return false;
    if (e->kind == ENTRY_COMMENT) return true;
    e->kind = ENTRY_UNREAD;
    e->body_len = 0;
    return true;
}

bool redis_entry_of_log(struct engine_entry *e, const redisReply *item) {
    size_t len;
    const char *json = redis_reply_text(item, &len);
    if (json) return redis_entry_read(e, json, len);

    json = redis_reply_text(redis_reply_item(item, 0), &len);
    if (!json || !redis_entry_read(e, json, len)) return false;
    const char *kind = redis_reply_text(redis_reply_item(item, 1), NULL);
    const char *body = redis_reply_text(redis_reply_item(item, 2), &len);
    char *end;
    unsigned long number = kind ? strtoul(kind, &end, 10) : 0;
    if (!kind || *end || number > ENTRY_KIND_MAX || !body || len < 2 || len > ENTRY_BYTES_MAX) return false;
    e->kind = (enum entry_kind)number;
    e->body = body + 1; // behind the brace
    e->body_len = len - 2;
    return true;
}

#include "service/event_feed.h"

#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

bool event_feed_has_room(struct event_feed *f, int64_t now_ms) {
    if (now_ms / 1000 != f->second) {
        f->second = now_ms / 1000;
        f->sent = 0;
    }
    if (f->sent < EVENT_FEED_PER_S) return true;
    f->left_out++;
    return false;
}

void event_feed_send(struct event_feed *f, struct engine *e, json_t *event) {
    if (f->left_out) json_object_set_new(event, "more", json_integer((json_int_t)f->left_out));
    char *text = json_dumps(event, JSON_COMPACT);
    json_decref(event);
    f->sent++;
    f->left_out = 0;
    if (text) e->ops->notify(e, EVENT_FEED_TOPIC, text, strlen(text));
    free(text);
}

#include "shadowed.h"

#include <string.h>

#include "engine/engine.h"
#include "fanout/frame.h"
#include "reader_core.h"
#include "service/shadowed_topic.h"
#include "watched.h"

static void on_shadowed(void *arg, const char *body, size_t len) {
    const struct reader *r = arg;
    const char *space = memchr(body, ' ', len);
    struct watched *w = space ? watched_named(r, body, (size_t)(space - body)) : NULL;
    if (!w) return;
    size_t json_len = len - (size_t)(space + 1 - body);
    struct frame *f = frame_of_event((struct position){0}, NULL, space + 1, json_len);
    outlet_tell_author(&w->broadcast.outlet, f);
}

void shadowed_start(struct reader *r) {
    struct engine *e = r->service.engine;
    r->shadowed = e->ops->listen(e, SHADOWED_TOPIC, on_shadowed, r);
}

void shadowed_stop(struct reader *r) {
    struct engine *e = r->service.engine;
    if (r->shadowed) e->ops->unlisten(e, r->shadowed);
    r->shadowed = NULL;
}

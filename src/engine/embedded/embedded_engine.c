// The control loop's side of the embedded engine. Operations become requests; those of one turn are handed to
// the store's thread together, when a timer without delay fires at the turn's end, so that they become one
// transaction and wake the thread once.
//
// Answers come back a batch at a time. For each entry in order the callback comes first, then the publishing:
// whoever posted does not wait for those who watch. Subscribers thus hear of an entry after it is stored, in
// log order.
#include "embedded_engine.h"

#include "base/container_of.h"
#include "engine/hub.h"
#include "net/loop.h"

enum {
    WAITING_REQUESTS = 16384, // until they are answered; beyond either, ENGINE_BUSY
    WAITING_BYTES = 32 << 20,
    HAND_OVER = 8, // requests at once: the thread works on them while the rest of the turn goes on
    REFUSE_MS = 1, // refusals come a moment later: whoever tries again at once must not keep the loop busy
};

static struct embedded *from(struct engine *engine) {
    return (struct embedded *)engine;
}

// From an operation to the thread

static void on_turn_end(struct loop_timer *timer) {
    struct embedded *e = container_of(timer, struct embedded, turn_end);
    if (e->pending.first) e->hand_over(e->thread, &e->pending);
    hub_flush_notifications(e->hub);
}

static void at_turn_end(struct embedded *e) {
    if (!e->closing && !e->turn_end.slot) loop_timer_start(e->loop, &e->turn_end, 0);
}

void embedded_refuse(struct embedded *e, struct request *r, enum engine_status status) {
    r->status = status;
    request_list_add(&e->refused, r);
    if (!e->closing && !e->refuse.slot) loop_timer_start(e->loop, &e->refuse, REFUSE_MS);
}

void embedded_push(struct engine *engine, struct request *r) {
    struct embedded *e = from(engine);
    if (e->closing) {
        embedded_refuse(e, r, ENGINE_CLOSED);
        return;
    }
    if (e->waiting == WAITING_REQUESTS || e->waiting_bytes + r->bytes > WAITING_BYTES) {
        embedded_refuse(e, r, ENGINE_BUSY);
        return;
    }
    e->waiting++;
    e->waiting_bytes += r->bytes;
    request_list_add(&e->pending, r);
    if (e->pending.count >= HAND_OVER)
        e->hand_over(e->thread, &e->pending);
    else
        at_turn_end(e);
}

// From the thread back to the callbacks

void embedded_publish(struct embedded *e, const char *video, const struct engine_entry *entry) {
    if (position_is_set(entry->at) && !e->closing) hub_publish(e->hub, video, entry);
}

void embedded_answer(struct embedded *e, struct request_list *list, size_t most) {
    struct request *r;
    while (most-- && (r = request_list_take(list))) {
        if (r->call_back) r->call_back(e, r);
        request_free(r);
    }
}

static void on_refuse(struct loop_timer *timer) {
    struct embedded *e = container_of(timer, struct embedded, refuse);
    embedded_answer(e, &e->refused, e->refused.count);
}

// Subscriptions

struct engine_subscription *embedded_subscribe(struct engine *engine, const char *video,
                                               const struct engine_subscriber *who, void *arg) {
    struct embedded *e = from(engine);
    struct engine_subscription *s = hub_subscribe(e->hub, video, who, arg);
    hub_defer_notify(e->hub, s);
    at_turn_end(e);
    return s;
}

bool embedded_is_shared(struct engine *engine, const char *video) {
    return hub_is_shared(from(engine)->hub, video);
}

void embedded_unsubscribe(struct engine *engine, struct engine_subscription *subscription) {
    hub_unsubscribe(from(engine)->hub, subscription);
}

void embedded_init(struct embedded *e, const struct engine_ops *ops, struct loop *loop) {
    e->engine.ops = ops;
    e->loop = loop;
    e->hub = hub_new();
    e->turn_end.on_due = on_turn_end;
    e->refuse.on_due = on_refuse;
}

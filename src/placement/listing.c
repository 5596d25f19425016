#include "placement/listing.h"

#include "net/loop.h"

enum { SLOW_LISTING_MS = 1000 };

// A slow store may have kept readers from renewing their leases, and answered us first.
static void on_leases_listed(void *arg, enum engine_status status, const struct engine_lease *leases,
                             size_t count) {
    struct listing *l = arg;
    int64_t now_ms = loop_now_ms(l->loop), took_ms = now_ms - l->sent_ms;
    l->running = false;
    bool first = !l->complete;
    if (status == ENGINE_OK) {
        int64_t away_ms = l->away_ms ? now_ms - l->away_ms : took_ms >= SLOW_LISTING_MS ? took_ms : 0;
        l->away_ms = 0;
        l->complete = true;
        readers_update(&l->readers, leases, count, now_ms, away_ms);
        if (l->on_listed) l->on_listed(l);
    } else if (!l->away_ms) {
        l->away_ms = l->sent_ms;
    }
    if (first && status != ENGINE_CLOSED) l->on_attempt(l, status);
}

void listing_refresh(struct listing *l) {
    if (l->running) return;
    l->running = true;
    l->sent_ms = loop_now_ms(l->loop);
    l->engine->ops->leases(l->engine, on_leases_listed, l);
}

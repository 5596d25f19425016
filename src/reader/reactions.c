#include "reactions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/buf.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "engine/engine.h"
#include "fanout/frame.h"
#include "reaction_pace.h"
#include "reader_core.h"
#include "service/reaction_sums.h"
#include "watched.h"

// Of a video with viewers who have asked.
struct reaction_watch {
    struct watched *watched;
    int64_t last_ms; // when the last event went; long ago at first
    struct reaction_sums sums;
    struct reaction_watch *prev, *next; // with sums that are not published yet
};

struct reactions_in {
    struct engine_listener *listener;
    struct reaction_watch *waiting;
    struct reaction_pace pace;
};

static void reactions_publish(struct reactions_in *in, struct reaction_watch *w, bool rides, int64_t now_ms) {
    struct broadcast *b = &w->watched->broadcast;
    struct buf json = {0};
    reaction_sums_sort(&w->sums);
    buf_add_string(&json, "{\"type\":\"reactions\",\"reactions\":{");
    for (unsigned i = 0; i < w->sums.kinds && i < REACTIONS_SHOWN; i++)
        buf_printf(&json, "%s\"%s\":%" PRIu32, i ? "," : "", w->sums.of[i].kind, w->sums.of[i].count);
    buf_add_string(&json, "}}");
    struct frame *f = frame_of_event((struct position){0}, "reactions", json.data, json.len);
    f->is_fleeting = true;
    f->rides = rides;
    broadcast_moment(b, MOMENT_REACTIONS, f);
    buf_release(&json);
    w->sums.kinds = 0;
    w->last_ms = now_ms;
    DL_DELETE(in->waiting, w);
}

static void reactions_publish_due(struct reactions_in *in, struct reaction_watch *w, int64_t now_ms) {
    unsigned viewers = broadcast_viewers(&w->watched->broadcast);
    if (w->sums.kinds && reaction_pace_allows(&in->pace, viewers, now_ms - w->last_ms, now_ms))
        reactions_publish(in, w, false, now_ms);
}

static void sums_read(struct reaction_sums *s, const char *text, const char *end) {
    while (text < end) {
        const char *space = memchr(text, ' ', (size_t)(end - text)), *stop = space ? space : end;
        const char *equals = memchr(text, '=', (size_t)(stop - text));
        uint64_t count = 0;
        for (const char *at = equals ? equals + 1 : stop; at < stop && *at >= '0' && *at <= '9'; at++)
            if (count < UINT32_MAX) count = count * 10 + (uint64_t)(*at - '0');
        if (count && id_is_valid(text, (size_t)(equals - text)))
            reaction_sums_add(s, text, (size_t)(equals - text),
                              count < UINT32_MAX ? (uint32_t)count : UINT32_MAX);
        text = stop + 1;
    }
}

static void on_reactions(void *arg, const char *body, size_t len) {
    struct reader *r = arg;
    const char *space = memchr(body, ' ', len);
    struct watched *found = space ? watched_named(r, body, (size_t)(space - body)) : NULL;
    struct reaction_watch *w = found ? found->reactions : NULL;
    if (!w) return;
    bool waits = w->sums.kinds;
    sums_read(&w->sums, space + 1, body + len);
    if (!waits && w->sums.kinds) DL_APPEND(r->reactions->waiting, w);
    reactions_publish_due(r->reactions, w, loop_now_ms(r->service.loop));
}

void reactions_sweep(struct reader *r) {
    struct reaction_watch *w, *next;
    int64_t now_ms = loop_now_ms(r->service.loop);
    if (!r->reactions) return;
    DL_FOREACH_SAFE(r->reactions->waiting, w, next) {
        reactions_publish_due(r->reactions, w, now_ms);
    }
}

void reactions_ride(struct broadcast *b) {
    struct reader *r = container_of(b->env, struct reader, env);
    struct reaction_watch *w = container_of(b, struct watched, broadcast)->reactions;
    int64_t now_ms = loop_now_ms(r->service.loop);
    if (r->reactions && w && w->sums.kinds && now_ms - w->last_ms >= REACTIONS_EVERY_MS)
        reactions_publish(r->reactions, w, true, now_ms);
}

void reactions_join(struct reader *r, struct broadcast *b, uint8_t asks) {
    struct watched *w = container_of(b, struct watched, broadcast);
    if (!(asks & 1u << MOMENT_REACTIONS) || w->reactions || !r->reactions) return;
    budget_take(sizeof *w->reactions);
    w->reactions = mem_zalloc(sizeof *w->reactions);
    w->reactions->watched = w;
    w->reactions->last_ms = loop_now_ms(r->service.loop) - REACTION_SELDOM_MS;
}

void reactions_close(struct reader *r, struct watched *w) {
    if (!w->reactions) return;
    if (r->reactions && w->reactions->sums.kinds) DL_DELETE(r->reactions->waiting, w->reactions);
    budget_give_back(sizeof *w->reactions);
    free(w->reactions);
    w->reactions = NULL;
}

void reactions_start(struct reader *r) {
    struct engine *e = r->service.engine;
    r->reactions = mem_zalloc(sizeof *r->reactions);
    r->reactions->listener = e->ops->listen(e, REACTIONS_TOPIC, on_reactions, r);
}

void reactions_stop(struct reader *r) {
    struct engine *e = r->service.engine;
    if (!r->reactions) return;
    e->ops->unlisten(e, r->reactions->listener);
    free(r->reactions);
    r->reactions = NULL;
}

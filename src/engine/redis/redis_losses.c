#include "redis_losses.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "redis_core.h"
#include "redis_head.h"
#include "redis_reply.h"

#include <utlist.h>

// A video whose last position Redis is being told.
struct told {
    struct redis *redis;
    struct last_position *video;
};

static void on_told(void *arg, enum engine_status status, const struct engine_head *head) {
    (void)head;
    struct told *t = arg;
    struct last_positions *k = &t->redis->last_positions;
    if (status == ENGINE_UNAVAILABLE || status == ENGINE_BUSY) last_positions_doubt_again(k, t->video);
    last_positions_unref(k, t->video);
    free(t);
}

static void losses_tell(struct redis *r, struct last_position *v) {
    struct told *t = mem_alloc(sizeof *t);
    *t = (struct told){.redis = r, .video = v};
    redis_head(&r->engine, v->name, v->at, on_told, t);
}

static void losses_tell_some(struct redis *r) {
    struct last_position *doubted[LOSSES_AT_ONCE];
    size_t count = last_positions_take_doubted(&r->last_positions, doubted, LOSSES_AT_ONCE);
    for (size_t i = 0; i < count; i++) losses_tell(r, doubted[i]);
}

static void on_history(void *arg, const redisReply *reply) {
    struct redis_node *n = arg;
    struct redis *r = n->redis;
    const char *info = redis_reply_text(reply, NULL);
    const char *id = info && strstr(info, "role:master") ? strstr(info, "master_replid:") : NULL;
    if (!id || !redis_node_serves(n)) return;
    id += strlen("master_replid:");
    size_t len = strcspn(id, "\r\n");
    if (len >= sizeof n->history) return;
    if (strncmp(n->history, id, len) != 0 || n->history[len]) {
        bool first = !n->history[0];
        memcpy(n->history, id, len);
        n->history[len] = 0;
        if (!first) last_positions_doubt(&r->last_positions);
    }
    losses_tell_some(r);
}

void redis_losses_check(struct redis *r) {
    struct redis_node *n;
    DL_FOREACH(r->nodes, n) {
        if (!redis_node_serves(n)) continue;
        redis_conn_send(n->commands, 2, (const char *const[]){"INFO", "replication"}, (const size_t[]){4, 11},
                        on_history, n);
    }
}

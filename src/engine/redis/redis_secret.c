#include "redis_secret.h"

#include <hiredis/hiredis.h>

#include "redis_core.h"
#include "redis_reply.h"
#include "redis_script.h"

static void on_secret(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    bool is_one = status == ENGINE_OK && reply->type == REDIS_REPLY_STRING && reply->len == ENGINE_SECRET;
    if (status == ENGINE_OK && !is_one) status = redis_call_unexpected(c, reply);
    c->on.secret(c->arg, status, is_one ? (const unsigned char *)reply->str : NULL);
    redis_call_free(c);
}

void redis_secret(struct engine *engine, const char *name, const unsigned char offered[ENGINE_SECRET],
                  int64_t keep_ms, engine_secret_cb *cb, void *arg) {
    struct redis_call *c = redis_call_new((struct redis *)engine, on_secret, NULL, 0);
    struct redis_args a = {0};
    redis_args_script(&a, &redis_script_secret, 1);
    redis_args_format(&a, "chorus:secret:%s", name);
    redis_args_bytes(&a, offered, ENGINE_SECRET);
    redis_args_number(&a, keep_ms);
    c->on.secret = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}

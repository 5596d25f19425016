// The settings of all videos are fields of one hash: many are read by one command, which writes nothing, and
// they are counted without a set of their own.
#include "redis_settings.h"

#include <assert.h>
#include <string.h>

#include "redis_core.h"
#include "redis_reply.h"

static const char key[] = "chorus:settings";

static void on_settings_read(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    const char *found[ENGINE_SETTINGS_BATCH] = {NULL};
    size_t count;
    redis_reply_array(reply, &count);
    if (status == ENGINE_OK && (!count || count > ENGINE_SETTINGS_BATCH))
        status = redis_call_unexpected(c, reply);
    for (size_t i = 0; status == ENGINE_OK && i < count; i++)
        found[i] = redis_reply_text(redis_reply_item(reply, i), NULL);
    c->on.settings(c->arg, status, status == ENGINE_OK ? found : NULL);
    redis_call_free(c);
}

void redis_settings_read(struct engine *engine, const char *const *videos, size_t count,
                         engine_settings_cb *cb, void *arg) {
    struct redis_call *c = redis_call_new((struct redis *)engine, on_settings_read, NULL, 0);
    const char *argv[2 + ENGINE_SETTINGS_BATCH] = {"HMGET", key};
    size_t lens[2 + ENGINE_SETTINGS_BATCH];
    assert(count && count <= ENGINE_SETTINGS_BATCH);
    for (size_t i = 0; i < count; i++) argv[2 + i] = videos[i];
    for (size_t i = 0; i < 2 + count; i++) lens[i] = strlen(argv[i]);
    c->on.settings = cb;
    c->arg = arg;
    redis_call_send_raw(c, argv[0], (int)(2 + count), argv, lens);
}

static void on_settings_written(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    int64_t written = 0;
    if (status == ENGINE_OK && !redis_reply_integer(reply, &written))
        status = redis_call_unexpected(c, reply);
    if (status == ENGINE_OK && !written) status = ENGINE_FULL;
    c->on.done(c->arg, status);
    redis_call_free(c);
}

void redis_settings_write(struct engine *engine, const char *video, const char *settings, engine_done_cb *cb,
                          void *arg) {
    struct redis *r = (struct redis *)engine;
    struct redis_call *c = redis_call_new(r, on_settings_written, NULL, 0);
    struct redis_args a = {0};
    assert(!settings || (*settings && strlen(settings) <= ENGINE_SETTINGS_MAX));
    redis_args_script(&a, &redis_script_settings_write, 1);
    redis_args_text(&a, key);
    redis_args_text(&a, video);
    redis_args_text(&a, settings ? settings : "");
    redis_args_number(&a, (int64_t)r->config.limits.max_videos);
    c->on.done = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}

#include "redis_reply.h"

#include <hiredis/hiredis.h>
#include <string.h>

static bool reply_is(const redisReply *reply, int type) {
    return reply && reply->type == type;
}

const char *redis_reply_text(const redisReply *reply, size_t *len) {
    if (!reply_is(reply, REDIS_REPLY_STRING)) return NULL;
    if (len) *len = reply->len;
    return reply->str;
}

bool redis_reply_is_text(const redisReply *reply, const char *text) {
    size_t len;
    const char *found = redis_reply_text(reply, &len);
    return found && len == strlen(text) && !memcmp(found, text, len);
}

bool redis_reply_integer(const redisReply *reply, int64_t *value) {
    if (!reply_is(reply, REDIS_REPLY_INTEGER)) return false;
    *value = reply->integer;
    return true;
}

bool redis_reply_array(const redisReply *reply, size_t *count) {
    bool is_array = reply_is(reply, REDIS_REPLY_ARRAY);
    *count = is_array ? reply->elements : 0;
    return is_array;
}

const redisReply *redis_reply_item(const redisReply *reply, size_t i) {
    size_t count;
    return redis_reply_array(reply, &count) && i < count ? reply->element[i] : NULL;
}

bool redis_reply_is_nil(const redisReply *reply) {
    return reply_is(reply, REDIS_REPLY_NIL);
}

const char *redis_reply_error(const redisReply *reply) {
    return reply_is(reply, REDIS_REPLY_ERROR) ? reply->str : NULL;
}

const char *redis_reply_type(const redisReply *reply) {
    if (!reply) return "nothing";
    switch (reply->type) {
    case REDIS_REPLY_STRING: return "string";
    case REDIS_REPLY_ARRAY: return "array";
    case REDIS_REPLY_INTEGER: return "integer";
    case REDIS_REPLY_NIL: return "nil";
    case REDIS_REPLY_STATUS: return "status";
    case REDIS_REPLY_ERROR: return "error";
    default: return "other";
    }
}

void redis_reply_free(redisReply *reply) {
    if (reply) freeReplyObject(reply);
}

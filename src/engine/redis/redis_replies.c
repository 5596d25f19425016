#include "redis_replies.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "base/mem.h"

enum { FIRST_SIZE = 64 };

static void replies_renew_reader(struct redis_replies *q) {
    q->reader = redisReaderCreate();
    if (!q->reader) mem_abort("a Redis reader");
}

void redis_replies_init(struct redis_replies *q, redis_reply_cb *on_push, void *arg) {
    *q = (struct redis_replies){.on_push = on_push, .arg = arg};
    replies_renew_reader(q);
}

void redis_replies_release(struct redis_replies *q) {
    assert(!q->count);
    redisReaderFree(q->reader);
    free(q->ring);
}

static void replies_grow(struct redis_replies *q) {
    size_t size = q->size ? 2 * q->size : FIRST_SIZE;
    struct redis_expected *ring = mem_alloc(size * sizeof *ring);
    for (size_t i = 0; i < q->count; i++) ring[i] = q->ring[(q->first + i) % q->size];
    free(q->ring);
    q->ring = ring;
    q->first = 0;
    q->size = size;
}

void redis_replies_expect(struct redis_replies *q, redis_reply_cb *cb, void *arg) {
    if (q->count == q->size) replies_grow(q);
    q->ring[(q->first + q->count++) % q->size] = (struct redis_expected){cb, arg};
}

static void replies_complete(struct redis_replies *q, const redisReply *reply) {
    struct redis_expected e = q->ring[q->first];
    q->first = (q->first + 1) % q->size;
    q->count--;
    if (e.cb) e.cb(e.arg, reply);
}

static enum redis_replies_verdict replies_hand_out(struct redis_replies *q, const redisReply *reply) {
    if (q->count)
        replies_complete(q, reply);
    else if (q->on_push)
        q->on_push(q->arg, reply);
    else
        return REDIS_REPLIES_UNASKED;
    return REDIS_REPLIES_OK;
}

// A callback may forget, and so replace the reader by an empty one.
enum redis_replies_verdict redis_replies_feed(struct redis_replies *q, const void *bytes, size_t len) {
    enum redis_replies_verdict verdict = REDIS_REPLIES_OK;
    void *reply;
    if (redisReaderFeed(q->reader, bytes, len) != REDIS_OK) return REDIS_REPLIES_MALFORMED;
    while (!verdict) {
        if (redisReaderGetReply(q->reader, &reply) != REDIS_OK) return REDIS_REPLIES_MALFORMED;
        if (!reply) break;
        q->given = reply;
        verdict = replies_hand_out(q, reply);
        if (q->given) freeReplyObject(q->given);
        q->given = NULL;
    }
    return verdict;
}

redisReply *redis_replies_keep(struct redis_replies *q) {
    redisReply *kept = q->given;
    q->given = NULL;
    return kept;
}

void redis_replies_forget(struct redis_replies *q) {
    redisReaderFree(q->reader);
    replies_renew_reader(q);
}

// No more than there are: a callback that expects another would never end.
void redis_replies_fail(struct redis_replies *q) {
    for (size_t n = q->count; n; n--) replies_complete(q, NULL);
}

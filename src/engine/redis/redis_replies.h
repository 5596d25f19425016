// Private to the Redis engine: what a connection expects and receives. Redis answers commands in their order,
// so a queue has the callbacks; what answers no command (a published message) is passed to on_push().
//
// Control loop only. The queue is as long as the commands sent and not answered; redis_core.h bounds those.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct redisReader;
struct redisReply;

// `reply` is valid during the callback; NULL: the connection was lost, and whether the command was carried
// out is not known.
typedef void redis_reply_cb(void *arg, const struct redisReply *reply);

struct redis_expected {
    redis_reply_cb *cb; // NULL: nothing depends on it
    void *arg;
};

struct redis_replies {
    struct redisReader *reader;
    struct redis_expected *ring; // oldest at `first`
    size_t first, count, size;
    redis_reply_cb *on_push; // NULL: what answers no command is an error
    void *arg;
    struct redisReply *given; // to the callback that runs; NULL: none, or it has kept it
};

enum redis_replies_verdict {
    REDIS_REPLIES_OK,
    REDIS_REPLIES_MALFORMED, // these bytes are not Redis' protocol
    REDIS_REPLIES_UNASKED    // a reply to no command
};

void redis_replies_init(struct redis_replies *, redis_reply_cb *on_push, void *arg);
void redis_replies_release(struct redis_replies *); // none may be expected

// Expects the reply to a command that was sent.
void redis_replies_expect(struct redis_replies *, redis_reply_cb *, void *arg);

// Takes bytes that were received, and calls back for each reply that they complete. Callbacks may send,
// expect and forget; after a forget no further one runs.
enum redis_replies_verdict redis_replies_feed(struct redis_replies *, const void *bytes, size_t len);

// In a callback: its reply is the caller's from now on (redis_reply_free()).
struct redisReply *redis_replies_keep(struct redis_replies *);

// Drops what was received and not handed out.
void redis_replies_forget(struct redis_replies *);

// Answers all that are expected with NULL.
void redis_replies_fail(struct redis_replies *);

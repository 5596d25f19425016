// Private to the Redis engine: commands whose reply counts only once replicas have confirmed what they wrote
// (--confirm-replicas). Control loop only.
//
// WAIT blocks its connection until enough replicas have it or the time is over, and confirms all that was
// written before it. So there are two connections, used in turn: the commands of a turn of the loop, and all
// that have come while both were waiting, leave together with one WAIT behind them. A batch is sent when the
// replies of the one before have come, though not its confirmation: so Redis carries out commands in the
// order of the calls. Without confirmation a command is answered with NULL: it may have been carried out, as
// when a connection is lost.
#pragma once

#include <stdbool.h>

#include "redis_replies.h"

struct loop;
struct redis_confirm;
struct redis_conn_config;
struct redis_url;
struct resolver;

struct redis_confirm_config {
    int replicas, ms;
    // Too few have confirmed a batch, or WAIT is refused: an error as Redis would say it.
    void (*on_missing)(void *arg, const char *error);
    void *arg;
};

// `conn`: how to connect; its callbacks do not count.
struct redis_confirm *redis_confirm_new(struct loop *, struct resolver *, const struct redis_url *,
                                        const struct redis_conn_config *conn,
                                        const struct redis_confirm_config *);

// Answers all that are open with NULL. NULL is allowed.
void redis_confirm_free(struct redis_confirm *);

// Must be called when the resolver has a result; when the primary may be another. NULL is allowed.
void redis_confirm_resolved(struct redis_confirm *);
void redis_confirm_look(struct redis_confirm *);

bool redis_confirm_is_up(const struct redis_confirm *);

// Sends a command, as redis_conn_frame() writes it, or answers it with NULL if no connection is left. It is
// copied.
void redis_confirm_send(struct redis_confirm *, const char *frame, size_t len, redis_reply_cb *, void *arg);

// Waits, blocking, until none is open or the time is over.
void redis_confirm_drain(struct redis_confirm *, int timeout_ms);

// Private to the Redis engine: one connection to Redis, which reconnects by itself. Connects, greets (AUTH,
// SELECT, CLIENT SETNAME, INFO), then sends commands pipelined, those of one turn of the loop with one
// write(), and passes each reply to the callback of its command. hiredis frames commands and replies; the
// stream is ours. Callbacks never run inside the calls below, but for redis_conn_free() and
// redis_conn_drain().
//
// Control loop only. A connection that expects a reply and receives nothing for REDIS_CONN_SILENCE_MS accepts
// no more commands; after REDIS_CONN_CUT_MS it is closed: Redis hangs, or the path is dead. So what is
// unanswered then was sent at least REDIS_CONN_CUT_MS - REDIS_CONN_SILENCE_MS ago. Attempts to connect follow
// each other after 20 ms, growing to 500 ms.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redis_replies.h"
#include "redis_url.h"

struct loop;
struct redis_conn;
struct redis_config;
struct resolver;
struct stream_ops;

enum {
    REDIS_CONN_SILENCE_MS = 1500,
    REDIS_CONN_CUT_MS = 3000,
    REDIS_CONN_GREETING_MS = 1000,
    REDIS_CONN_WHY_SIZE = 256
};

// The server at the other end, from INFO.
struct redis_server {
    char run_id[64];  // changes with every start
    int64_t clock_ms; // its wall clock when it answered
};

struct redis_conn_config {
    const char *name; // for CLIENT LIST
    // What is at the other end, for sentences; NULL: Redis.
    const char *peer;
    // Where it is; port 0: find() says it, before each attempt. find() returns false, and a sentence with the
    // reason, if that is not known yet: redis_conn_look() must be called when it is.
    struct redis_place place;
    bool (*find)(void *find_arg, struct redis_place *, const char **why);
    void *find_arg;
    bool primary_only;                     // the greeting ends the connection if it is to a replica
    bool shy;                              // sends the password only if it is asked for
    const struct redis_config *transports; // whose transport() it connects with; borrowed
    // Commands can be sent from now on.
    void (*on_up)(void *arg, const struct redis_server *);
    // It is no longer up. Commands without a reply have been answered with NULL.
    void (*on_down)(void *arg, const char *why);
    // For a connection that subscribes: all replies after the greeting, because they answer no command.
    // NULL: this one does not subscribe.
    void (*on_message)(void *arg, const struct redisReply *);
    void *arg;
};

// Begins to connect. Borrows resolver and url (user, password and database of it), copies the rest.
struct redis_conn *redis_conn_new(struct loop *, struct resolver *, const struct redis_url *,
                                  const struct redis_conn_config *);

// Closes it; commands without a reply are answered with NULL inside this call. May be called in a callback:
// the memory is freed at the end of the turn.
void redis_conn_free(struct redis_conn *);

// Must be called when the resolver has a result.
void redis_conn_resolved(struct redis_conn *);

// Must be called when find() may say something else: a connection to another place is closed, and it connects
// at once.
void redis_conn_look(struct redis_conn *);

const struct redis_place *redis_conn_place(const struct redis_conn *);

bool redis_conn_is_up(const struct redis_conn *);

// Returns whether it expects a reply and has received nothing for REDIS_CONN_SILENCE_MS.
bool redis_conn_is_silent(const struct redis_conn *);

// Returns whether commands are to be sent on it: it is up, and not silent.
bool redis_conn_accepts(const struct redis_conn *);

// Returns why it is not up, or was closed last: one sentence.
const char *redis_conn_why(const struct redis_conn *);

// Sends a command; only while it is up. cb may be NULL. Arguments are copied.
void redis_conn_send(struct redis_conn *, int argc, const char *const *argv, const size_t *lens,
                     redis_reply_cb *, void *arg);

// Writes a command as it is sent; the caller frees it. NULL may be freed.
char *redis_conn_frame(int argc, const char *const *argv, const size_t *lens, size_t *len);
void redis_conn_frame_free(char *);

// Sends one or more of them, which have one reply; as redis_conn_send().
void redis_conn_send_framed(struct redis_conn *, const char *frame, size_t len, redis_reply_cb *, void *arg);

// Only in a callback of this connection: makes the reply the caller's, who ends it with redis_reply_free().
struct redisReply *redis_conn_keep_reply(struct redis_conn *);

// Returns when the last byte was received.
int64_t redis_conn_received_ms(const struct redis_conn *);

// Closes it: nothing more is sent or passed on, and at the end of the turn on_down() is called. It reconnects
// by itself.
void redis_conn_cut(struct redis_conn *, const char *why);

// Sends pending commands and receives replies, blocking, until none is expected or the time is over: before
// closing.
void redis_conn_drain(struct redis_conn *, int timeout_ms);

// Two servers side by side: a redis-server and the model of it. What is sent goes to both, and what they
// reply and publish must be the same. Their wall clocks stand still and show the same time, until the test
// moves them.
//
// The ids that a server makes up by chance (of the run and of replication) are given to the model as the real
// one has them, because epochs depend on them. A difference ends the program with what was sent and both
// replies.
#pragma once

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { DIFFER_WORDS = 64, DIFFER_SUBSCRIBERS = 2, DIFFER_PIPELINE = 32, DIFFER_ROOM = 1 << 14 };

// A command under construction.
struct words {
    int argc;
    const char *argv[DIFFER_WORDS];
    size_t lens[DIFFER_WORDS];
    size_t used;
    char room[DIFFER_ROOM];
};

void words_clear(struct words *);
void words_add(struct words *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void words_add_bytes(struct words *, const void *bytes, size_t len); // borrowed

// What of a reply has no meaning.
enum differ_shape {
    DIFFER_EXACT,
    DIFFER_ORDER,   // of the items
    DIFFER_ORDER_2, // of groups of two items: fields and values
    DIFFER_ORDER_8, // of groups of eight: leases
    DIFFER_VALUE,   // all but the type
    DIFFER_REST     // all but the first item
};

struct peer {
    const char *name;
    pid_t pid, replica_pid; // the model's replica is in its process: 0
    int port, replica_port;
    redisContext *commands, *replica, *subscribers[DIFFER_SUBSCRIBERS], *replica_subscriber;
};

struct pair {
    struct peer peers[2]; // the real one first
    char folder[64];
    int64_t now_us;
    struct {
        struct words words;
        enum differ_shape shape;
    } sent[DIFFER_PIPELINE];
    int pending;
    char last[DIFFER_ROOM]; // the reply to the last command, as text
    uint64_t commands, errors, messages, kicks;
};

void pair_start(struct pair *, const char *redis, const char *model, int64_t now_us);
void pair_stop(struct pair *);

// Moves the clocks.
void pair_pass(struct pair *, int64_t us);

// Sends a command to both, and compares the replies at the latest in pair_compare().
void pair_send(struct pair *, const struct words *, enum differ_shape);
void pair_compare(struct pair *);

// The same for one command, at once. Returns the reply as text, until the next call.
const char *pair_ask(struct pair *, const struct words *, enum differ_shape);
const char *pair_say(struct pair *, enum differ_shape, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Sends a subscriber's command. Its replies are messages, compared by pair_listen().
void pair_subscriber_send(struct pair *, int subscriber, const struct words *);

// Compares what the subscribers have received up to now. Those that were disconnected by both servers connect
// again.
void pair_listen(struct pair *);

// The same for a subscriber of the replicas, which changes no place with pair_use_replicas(). What it gets
// from a primary is late: compare after pair_await().
void pair_subscribe_at_replicas(struct pair *, const char *command); // in force when it returns
void pair_listen_to_replicas(struct pair *);

// The following commands go to the replicas, until it is called with false.
void pair_use_replicas(struct pair *, bool);

// Waits until a command has the reply on both.
void pair_await(struct pair *, const char *command, const char *reply);

// Gives the model the ids of the real server, after they may have changed: not while a replica connects.
void pair_share_ids(struct pair *);

// A small model of Redis 7.0, for the simulation: it speaks RESP2, runs Lua scripts as they are, publishes,
// expires, replicates, fails over, and goes wrong as a test asks it to. An ordinary program over net/loop.h,
// so it also runs as a real server (redis_model_main.c), which a differential test compares with redis-server
// (test_redis_model.c).
//
// All servers of a loop belong to one thread. Everything is in memory: a server's data is what its history of
// effects, each a command as Redis would replicate it, leads to. So replication, an append-only file and the
// loss of the tail are all a matter of which part of a history is executed again (redis_model_history.c).
//
// Not in the model, because Chorus uses none of it: inline commands, RESP3, MULTI, blocking commands,
// consumer groups, patterns of channels, eviction, active expiry (a key that has expired is deleted when a
// command meets it), and Lua libraries other than base, string, table and math.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

struct buf;
struct loop;
struct redis_model;
struct redis_port;

// Starts an empty server, which nothing can connect to yet. It is known to REPLICAOF by the port of the first
// redis_port that leads to it.
struct redis_model *redis_model_new(struct loop *, const char *name);

// Frees a server. Its ports must have been freed before.
void redis_model_free(struct redis_model *);

// Listens on an address; its connections are those of `server`. While that one is dead, connections are
// refused. Returns NULL if it cannot.
struct redis_port *redis_port_new(struct loop *, const union address *, struct redis_model *server);
void redis_port_free(struct redis_port *);
int redis_port_number(const struct redis_port *);

// Makes the address lead to another server, as a proxy or a floating address does in a failover. Connections
// made through it are reset.
void redis_port_turn_to(struct redis_port *, struct redis_model *);

// Executes a command as an administrator at the console would, words separated by spaces: `CLIENT KILL TYPE
// pubsub`, `CLIENT PAUSE 500`, `CONFIG SET maxmemory 1`, `CONFIG SET min-replicas-to-write 1`, `CONFIG SET
// client-output-buffer-limit "pubsub 1000 0 0"`, `ACL SETUSER default -xadd`, `SCRIPT FLUSH`, `FLUSHALL`,
// `REPLICAOF 10.0.0.1 6379`, `REPLICAOF NO ONE`. Returns whether it was no error. A dead server does nothing.
bool redis_model_do(struct redis_model *, const char *command);

// Returns the string at a key of the first database, which is valid until the key is written, or NULL.
const char *redis_model_string(const struct redis_model *, const char *key);

// kill -9: connections are reset, and new ones refused. Data stays on disk (see redis_model_start()).
void redis_model_kill(struct redis_model *);
bool redis_model_is_alive(const struct redis_model *);

// Which data a server starts with again.
enum redis_model_data {
    REDIS_MODEL_ALL,  // an append-only file that lacks nothing
    REDIS_MODEL_TAIL, // without the last `lost_ms`: a power cut, or a snapshot that old
    REDIS_MODEL_NONE
};

// Starts a server that was killed; for `loading_ms` it answers LOADING. It is a primary, with a new run id
// and replication id.
void redis_model_start(struct redis_model *, enum redis_model_data, int64_t lost_ms, int64_t loading_ms);

// SIGSTOP and SIGCONT: connections stay, and nothing is read, answered or replicated.
void redis_model_freeze(struct redis_model *);
void redis_model_continue(struct redis_model *);

// Makes a server a replica of `primary`, or with NULL promotes it to a primary. A replica that has nothing
// but the beginning of the primary's history continues with the rest; any other gets all of it in place of
// its own.
void redis_model_follow(struct redis_model *, struct redis_model *primary);

// How late a replica executes what its primary has executed.
void redis_model_set_lag(struct redis_model *, int64_t lag_ms);

// Cuts the connection to the primary, or lets it connect again.
void redis_model_set_link(struct redis_model *, bool connected);

// Returns how many effects of its primary a replica has not executed yet; 0 for a primary. More than there
// are if it has others, because the primary has lost some and the replica has not connected to it since.
size_t redis_model_behind(const struct redis_model *);

// An entry of a stream, by the name of its key.
typedef void redis_model_entry_cb(void *arg, const char *key, uint64_t ms, uint64_t seq);

// Call back for each entry that a server has and that `other` lacks, or that it would lack after
// redis_model_start().
void redis_model_missing(const struct redis_model *, const struct redis_model *other, redis_model_entry_cb *,
                         void *arg);
void redis_model_would_lose(const struct redis_model *, enum redis_model_data, int64_t lost_ms,
                            redis_model_entry_cb *, void *arg);

// Called with the bytes of each effect that belongs into an append-only file, once per command or script.
void redis_model_set_file(struct redis_model *, void (*write)(void *arg, const void *bytes, size_t len),
                          void *arg);

// Executes what such a file holds, before anything else. Returns false if it is damaged.
bool redis_model_load(struct redis_model *, const void *bytes, size_t len);

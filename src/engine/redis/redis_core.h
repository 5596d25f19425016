// Private to the Redis engine: its state, and how its operations send commands and receive replies. An
// operation is a struct redis_call until its callback has been called: once, and never from inside the
// operation. Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "engine/engine.h"
#include "engine/redis_config.h"
#include "redis_conn.h"
#include "redis_refusal.h"
#include "redis_last_positions.h"
#include "redis_script.h"
#include "redis_url.h"
#include "net/loop.h"

struct hub;
struct redis_by_slot;
struct redis_call;
struct redis_cluster;
struct redis_confirm;
struct redis_messages;
struct redis_sentinels;
struct redis_subscriber;
struct redis_tags;
struct redisReply;
struct resolver;

enum {
    REDIS_WAITING_CALLS = 65536, // until they are answered; beyond either, ENGINE_BUSY
    REDIS_WAITING_BYTES = 64 << 20,
    // An append not carried out by then is not carried out at all; before a silent connection is cut.
    REDIS_APPEND_MS = REDIS_CONN_CUT_MS - REDIS_CONN_SILENCE_MS - 100,
    REDIS_ARGS = 36,
    REDIS_ARGS_ROOM = 4096
};
_Static_assert((int)REDIS_APPEND_MS <= (int)ENGINE_LATE_MS,
               "an append that has failed must not be done later");
#define REDIS_KEEP_MS (INT64_C(30) * 24 * 3600 * 1000) // positions, unused mappings, lapsed leases

enum redis_phase {
    REDIS_AWAY,      // the connection for commands is not up
    REDIS_PREPARING, // the scripts are loaded, and an append is tried
    REDIS_SERVING
};

// A server that takes writes: the only one, or one of a Cluster (redis_node.h).
struct redis_node {
    struct redis *redis;
    struct redis_place place; // in a Cluster
    struct redis_conn *commands;
    struct redis_confirm *confirm; // NULL: appends are not confirmed
    struct redis_subscriber *subscriber;
    enum redis_phase phase;
    size_t scripts_loaded;
    bool is_checking;        // whether appends are accepted, before it serves
    char run_id[64];         // of the process at the other end
    char history[64];        // replication id of its data when it was last read (redis_losses.h)
    int64_t clock_offset_ms; // its wall clock less our monotonic one
    struct redis_refusal refusal;
    unsigned slots;   // of a Cluster that are its own
    int64_t slots_ms; // when it got or lost the last of them
    int64_t used_ms;  // when an operation needed it last
    struct loop_job reap;
    struct redis_node *prev, *next;
};

struct redis {
    struct engine engine; // first
    struct loop *loop;
    struct redis_config config;
    struct redis_url url;
    struct resolver *resolver;
    struct redis_sentinels *sentinels; // NULL: the URL has the address
    struct redis_node *nodes;          // one, but in a Cluster
    struct redis_node **owners;        // of each slot of a Cluster; NULL: there are no slots
    struct redis_tags *tags;           // of its slots
    struct redis_by_slot *by_slot;     // the videos of the hub by their slots
    struct redis_cluster *cluster;
    struct redis_messages *messages;
    void (*on_serving)(struct redis_node *);    // commands can be sent from now on
    void (*on_up)(struct redis_node *);         // its connection for commands is up
    void (*on_subscriber)(struct redis_node *); // its connection is new, or subscribes again
    // In a Cluster: a slot is another server's; the server at a place, NULL if there are too many; something
    // is not where it was thought to be.
    void (*on_moved)(struct redis *, unsigned slot, const struct redis_place *);
    struct redis_node *(*node_at)(struct redis *, const struct redis_place *);
    void (*on_unsettled)(struct redis *);
    // A message on a channel that is no video's.
    void (*on_message)(struct redis *, const char *channel, const char *body, size_t len);
    struct hub *hub;

    bool is_closed; // by close(): nothing is sent any more, but answers may still arrive
    void (*check_append)(struct redis_node *, redis_reply_cb *); // tries whether appends are refused

    size_t waiting, waiting_bytes;
    struct engine_stats stats;
    struct redis_call *refused; // answered in a moment
    struct redis_call *again;   // sent again in a moment, in this order: in a Cluster
    uint16_t *again_of;         // how many of those there are of each slot
    struct loop_timer send_again;
    struct redis_call *heads; // of this turn, to be asked together (redis_head.h)
    struct loop_job ask_heads;
    bool ask_heads_queued;
    unsigned ranges; // under way
    struct redis_call *ranges_waiting;
    size_t ranges_waiting_count;
    struct loop_timer refuse, tick;
    struct loop_job reap;
    struct log_sampler sampler;

    struct { // a lease that may be old enough to be forgotten
        char *reader_url, *stamp;
        int64_t since_ms; // listed like this
    } old_lease;

    int64_t purged_ms; // when entries of videos that have expired were removed last
    struct last_positions last_positions;
};

// The callback of a call: the one that belongs to the operation.
union engine_cb {
    engine_append_cb *append;
    engine_amend_cb *amend;
    engine_head_cb *head;
    engine_range_cb *range;
    engine_mapping_cb *mapping;
    engine_set_cb *set;
    engine_videos_cb *videos;
    engine_lease_cb *lease;
    engine_leases_cb *leases;
    engine_done_cb *done;
    engine_settings_cb *settings;
    engine_rooms_cb *rooms;
    engine_bans_cb *bans;
    engine_held_cb *held;
    engine_drop_cb *drop;
    engine_audit_cb *audit;
    engine_counter_cb *counter;
    engine_secret_cb *secret;
    engine_overview_cb *overview;
};

struct redis_call {
    struct redis *redis;
    struct redis_node *node;   // to which it was sent last
    struct redis_node *pinned; // to which it goes, whatever its key; NULL: to the slot's
    struct redis_place ask;    // in a Cluster: where a key of a slot that moves is, port 0: nowhere else
    unsigned slot;
    char *frame; // in a Cluster: what was sent
    size_t frame_len;
    int64_t first_ms; // when it was sent first
    // `reply` only if the status is ENGINE_OK; it is no error then. ENGINE_STORE_FULL: Redis has no memory
    // for it.
    void (*on_reply)(struct redis_call *, enum engine_status, const struct redisReply *reply);
    union engine_cb on;
    void *arg;
    enum engine_status status; // of one that was refused
    bool is_confirmed;         // answered only when replicas have what it wrote, if they are asked
    bool is_upkeep;            // no caller waits for it, so it does not show that the server is needed
    const char *command;       // what was sent last, for the log
    int64_t sent_us;
    enum entry_kind kind;
    struct last_position *last_position; // of an append
    struct engine_refusal *refusal;      // of one with a gate: the caller's
    size_t bytes;
    struct redis_call *prev, *next;
    void *more; // the operation's own, freed with the call
    size_t text_len;
    char text[]; // what the operation keeps
};

// Arguments of a command. Strings are borrowed, formatted ones are in `room`.
struct redis_args {
    int count;
    const char *name; // of the script; NULL: a command
    const char *at[REDIS_ARGS];
    size_t len[REDIS_ARGS];
    size_t used;
    char room[REDIS_ARGS_ROOM];
};

void redis_args_bytes(struct redis_args *, const void *bytes, size_t len);
void redis_args_text(struct redis_args *, const char *text);
void redis_args_number(struct redis_args *, int64_t);
void redis_args_format(struct redis_args *, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Begins the arguments of a script.
void redis_args_script(struct redis_args *, const struct redis_script *, int keys);

// Returns a call that keeps a copy of `text`.
struct redis_call *redis_call_new(struct redis *,
                                  void (*on_reply)(struct redis_call *, enum engine_status,
                                                   const struct redisReply *),
                                  const void *text, size_t text_len);

// Sends it, or has it refused in a moment. A call may be sent again from its on_reply().
void redis_call_send(struct redis_call *, const struct redis_args *);

// `name` is what the log calls it: static.
void redis_call_send_raw(struct redis_call *, const char *name, int argc, const char *const *argv,
                         const size_t *lens);

// Has it answered in a moment with `status`.
void redis_call_refuse(struct redis_call *, enum engine_status);

// Must be called at the end of each on_reply() that does not send it again.
void redis_call_free(struct redis_call *);

// Logs a reply that does not fit the command, and returns the status for it.
enum engine_status redis_call_unexpected(struct redis_call *, const struct redisReply *);

// Notes an error reply, and ends the connection for commands if another one is needed.
void redis_core_refused(struct redis_node *, const char *command, const char *error);

// Whether a command can be sent now. Not in the midst of a connection's end either, when its replies are
// answered.
bool redis_node_serves(const struct redis_node *);

// The same of any.
bool redis_serves(const struct redis *);

// Returns the tag of the first slot that is its own (redis_slots.h); NULL: it has none, or there is no
// Cluster.
const char *redis_node_tag(const struct redis_node *);

// Reads where a slot is from an error of this server: as redis_error_place(), but the host is never empty.
bool redis_node_error_place(const struct redis_node *, const char *error, unsigned *slot,
                            struct redis_place *);

// Returns the server that has a key, or a channel; NULL: none is known.
struct redis_node *redis_node_of(const struct redis *, const char *key);

// Of a video: the slot of its log and its channel, and the server that has it; the key of its mapping.
unsigned redis_slot_of_video(const char *video);
void redis_args_mapping(struct redis_args *, const struct redis *, const char *video);
struct redis_node *redis_node_of_video(const struct redis *, const char *video);

// Begins a script with so many keys, and in a Cluster one more: redis_args_shard() adds it, the last one, and
// nothing elsewhere. It is that of the video's slot among the keys of all videos (lua/shared/shard.lua).
void redis_args_sharded(struct redis_args *, const struct redis *, const struct redis_script *, int keys);
void redis_args_shard(struct redis_args *, const struct redis *, const char *video);

// A key of all videos by its name, such as `chorus:held`; in a Cluster that of the video's slot.
void redis_args_of_all(struct redis_args *, const struct redis *, const char *name, const char *video);

// How many videos a script may admit: in a Cluster to one slot.
int64_t redis_max_videos(const struct redis *);

// Sends a command whose reply is not needed; does nothing while Redis is unavailable.
void redis_send(struct redis *, const struct redis_args *);

// The wall clock of the video's Redis, as far as we know.
int64_t redis_clock_ms(const struct redis *, const char *video);

void redis_core_start(struct redis *);

// Answers all that is still open with ENGINE_CLOSED; the connections are closed.
void redis_core_close(struct redis *);

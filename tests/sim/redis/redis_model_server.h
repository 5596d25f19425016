// Private to the model of Redis: a server, its clients, and a call of a command. See redis_model.h.
#pragma once

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/loop.h"
#include "net/stream.h"
#include "redis_model.h"
#include "redis_model_data.h"

enum {
    MODEL_DATABASES = 16,
    MODEL_RUN_ID = 40,
    MODEL_CHANNELS = 4 // patterns of channels or keys that a user may use
};

struct model_call;
struct model_client;
struct model_script;

// Commands

enum {
    MODEL_WRITE = 1,
    MODEL_DENYOOM = 2,
    MODEL_LOADING = 4, // also while the server is loading
    MODEL_NOSCRIPT = 8,
    MODEL_MAY_REPLICATE = 16,
    MODEL_NO_AUTH = 32,
    MODEL_ADMIN = 64,
    MODEL_DANGEROUS = 128,
    MODEL_PUBSUB = 256, // also in a connection that has subscribed
    MODEL_READONLY = 512,
    MODEL_CHANNEL_FIRST = 1024 // its arguments are channels: all, or with MODEL_MAY_REPLICATE the first
};

struct model_command {
    const char *name; // in lower case; of a subcommand `client|kill`
    int arity;        // as in COMMAND INFO: negative: at least as many
    unsigned flags;
    int first_key, last_key, key_step; // as in COMMAND INFO
    void (*run)(struct model_call *);
};

// Tables, each ended by a row without a name.
extern const struct model_command model_key_commands[], model_string_commands[], model_hash_commands[],
    model_list_commands[], model_zset_commands[], model_stream_commands[], model_pubsub_commands[],
    model_server_commands[], model_admin_commands[], model_script_commands[];

// Returns NULL if there is none. `argv[1]` may be a subcommand.
const struct model_command *model_command_find(int argc, const struct model_bytes *argv);

// Walks through all of them: returns the one after `command` (NULL: the first), or NULL.
const struct model_command *model_command_next(const struct model_command *command);

// Returns how many come before it.
size_t model_command_place(const struct model_command *);

// A call of a command, by a client, a script, the primary, or when loading.
struct model_call {
    struct redis_model *server;
    struct model_client *client; // NULL: none; then it obeys
    const struct model_command *command;
    int argc;
    const struct model_bytes *argv;
    struct buf *reply; // RESP2
    int db;
    int64_t now_us, now_ms; // the wall clock
    bool changed;           // the data: replicated as it is, unless `replicated`
    bool replicated;        // in other words, by model_replicate()
    bool obeys;             // of the primary, or when loading: nothing expires or is refused
    struct model_run *run;  // of the script that calls it
};

// A running script.
struct model_run {
    struct model_call *call;
    const struct model_script *script;
    bool read_only, allow_oom, dirty; // dirty: it has written
};

// Executes a command that is permitted, and replicates what it has changed.
void model_call_run(struct model_call *);

// Sets the time of a call.
void model_call_begin(struct model_call *);

// Executes a client's command, or refuses it.
void model_client_execute(struct model_client *, int argc, const struct model_bytes *argv);

// Whether the server's memory is full.
bool model_is_full(const struct redis_model *);

// Errors, without the minus.
#define MODEL_WRONGTYPE        "WRONGTYPE Operation against a key holding the wrong kind of value"
#define MODEL_NOT_INTEGER      "ERR value is not an integer or out of range"
#define MODEL_SYNTAX           "ERR syntax error"
#define MODEL_OOM              "OOM command not allowed when used memory > 'maxmemory'."
#define MODEL_READONLY_REPLICA "READONLY You can't write against a read only replica."
#define MODEL_NOREPLICAS       "NOREPLICAS Not enough good replicas to write."

// Replies

void model_reply_status(struct model_call *, const char *status);
void model_reply_error(struct model_call *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void model_reply_integer(struct model_call *, int64_t);
void model_reply_bytes(struct model_call *, struct model_bytes);
void model_reply_string(struct model_call *, const char *);
void model_reply_double(struct model_call *, double);
void model_reply_nil(struct model_call *);
void model_reply_nil_array(struct model_call *);
void model_reply_array(struct model_call *, size_t count);

// The same, for what is no reply to a call.
void model_put_bytes(struct buf *, struct model_bytes);
void model_put_array(struct buf *, size_t count);

// Arguments and keys, for commands

// Reads argument `i` as a number, or replies with an error.
bool model_arg_integer(struct model_call *, int i, int64_t *);
bool model_arg_is(const struct model_call *, int i, const char *word);

// Return a key that is there and has not expired; one that has expired is deleted.
struct model_key *model_find(struct model_call *, struct model_bytes name);

// The same, of the key that is the first argument, and of that type: an error or `*found` without a key
// otherwise. Returns false if it replied with an error.
bool model_find_typed(struct model_call *, enum model_type, struct model_key **found);
bool model_find_or_add(struct model_call *, enum model_type, struct model_key **found);

struct model_key **model_keys(struct model_call *);

void model_remove_fields(struct model_call *); // HDEL and ZREM

// Deletes a key whose value has become empty.
void model_delete_if_empty(struct model_call *, struct model_key *);

// Replicates these words in place of the call's.
void model_replicate(struct model_call *, int argc, const struct model_bytes *argv);

// Servers

struct model_user {
    char *name, *password; // NULL: none is needed
    bool is_on, all_keys, all_channels;
    bool *denied; // by the command's place in model_command_next()
    char *keys[MODEL_CHANNELS], *channels[MODEL_CHANNELS];
    size_t key_count, channel_count;
    struct model_user *next;
};

struct model_effect { // of a command or script: it is executed as a whole
    size_t end;       // in the history's bytes
    int64_t at_ms;    // monotonic
    bool is_message;  // only publishes
};

struct model_history {
    struct buf bytes; // commands as in the protocol
    struct model_effect *effects;
    size_t count, room;
    size_t begun; // bytes of effects that are complete
    int db;       // that the bytes have selected
    bool has_write;
};

struct model_link { // of a replica to its primary
    struct redis_model *primary;
    char primary_run[MODEL_RUN_ID + 1];
    bool is_cut, is_up;
    int64_t lag_ms;
    struct loop_timer timer;
};

struct model_limits { // of a subscriber's output
    size_t hard, soft;
    int64_t soft_ms;
};

struct redis_model {
    struct loop *loop;
    char *name;
    bool alive, frozen;
    char run_id[MODEL_RUN_ID + 1], replid[MODEL_RUN_ID + 1], replid2[MODEL_RUN_ID + 1];
    bool has_backlog;     // has had a replica, or has been one
    size_t replid2_count; // how many effects the history of replid2 has in common with ours
    int64_t started_ms, loading_until_ms;

    struct model_key *keys[MODEL_DATABASES];
    struct model_history history;
    struct model_link link; // primary NULL: this is one
    void (*write_file)(void *arg, const void *bytes, size_t len);
    void *write_file_arg;

    struct model_client *clients;
    uint64_t last_client_id, connections;
    struct model_channel *channels;
    struct redis_port *ports;
    struct model_user *users; // the default one first

    size_t maxmemory;
    int min_replicas;
    struct model_limits limits;
    int64_t pause_until_ms;
    bool pauses_all;
    struct loop_timer pause;

    bool *knows_script;       // by its number
    uint64_t *calls;          // by the command's place in model_command_next()
    struct redis_model *next; // of all
};

extern struct redis_model *model_servers;

struct redis_model *model_server_at(int port);
void model_new_id(char id[MODEL_RUN_ID + 1]);
bool model_is_loading(const struct redis_model *);

// History and replication

void model_history_add(struct redis_model *, int db, int argc, const struct model_bytes *argv,
                       bool is_message);
void model_history_commit(struct redis_model *); // ends an effect
void model_history_keep(struct redis_model *, size_t count);
void model_history_release(struct model_history *);

// Deletes all keys and executes the history.
void model_history_replay(struct redis_model *);

void model_link_init(struct redis_model *);
size_t model_replicas(const struct redis_model *);

// Clients

struct model_subscription {
    struct model_channel *channel;
    struct model_subscription *next;
};

struct model_client {
    struct redis_model *server; // NULL once it is closed
    struct redis_port *port;
    struct loop *loop;
    uint64_t id;
    char *name;
    const struct model_user *user; // NULL until it has authenticated
    int db;
    struct stream stream;
    redisReader *reader;
    redisReply *held; // a command that waits for the end of a pause
    struct buf out;
    int64_t over_soft_ms; // since when the output exceeds the soft limit; 0: it does not
    bool closes;          // once the output is sent
    bool ends_queued;
    struct loop_job turn_end, reap;
    struct model_channel **subscribed;
    size_t subscribed_count, subscribed_room;
    struct model_client *prev, *next;
};

void model_client_accept(struct redis_model *, struct redis_port *, int fd);
void model_client_close(struct model_client *);
void model_client_go_on(struct model_client *); // after a pause or stop

// Queues what has been added to its output, and disconnects a subscriber that exceeds a limit.
void model_client_flush(struct model_client *);

// Publishing

size_t model_publish(struct redis_model *, struct model_bytes channel, struct model_bytes message);
void model_unsubscribe_all(struct model_client *);
void model_drop_unpermitted(struct redis_model *, const struct model_user *);

// Users

struct model_user *model_user_find(struct redis_model *, struct model_bytes name);
bool model_user_may_run(const struct model_user *, const struct model_command *);
bool model_user_may_use_keys(const struct model_user *, const struct model_command *, int argc,
                             const struct model_bytes *argv);
bool model_user_may_use_channel(const struct model_user *, struct model_bytes channel);
bool model_user_may_use_channels(const struct model_user *, const struct model_command *, int argc,
                                 const struct model_bytes *argv);
void model_users_init(struct redis_model *);
void model_users_release(struct redis_model *);
void model_acl_setuser(struct model_call *);
void model_set_password(struct redis_model *, const char *password);

// Scripts

// What the first line of the script that EVAL or EVALSHA calls says, as the command's flags.
unsigned model_script_flags(struct redis_model *, const struct model_command *, int argc,
                            const struct model_bytes *argv);
void model_scripts_init(struct redis_model *);
void model_scripts_forget(struct redis_model *);
void model_scripts_release(struct redis_model *);
bool model_runs_scripts(const struct model_command *);

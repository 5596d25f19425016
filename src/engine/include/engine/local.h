// An engine inside one process, whatever keeps its data: operations become requests, which go to the store in
// the order of the calls. Those of one turn of the loop go together, when the turn ends or there are
// `hand_over_at` of them. So a callback never runs inside the call. For each entry in order the append's
// callback comes first, then the publishing: subscribers get an entry after it is stored.
//
// An engine is a struct that begins with struct local_engine, a struct local_store that carries requests out,
// and LOCAL_OPERATIONS in its table. Control loop only, but for what carries out.
//
// Bounds: 16,384 requests, of which 12,288 may read the log, or 32 MB of them that are not answered yet;
// beyond any, ENGINE_BUSY.
#pragma once

#include "engine/engine.h"
#include "engine/request.h"
#include "net/loop.h"

struct hub;
struct local_engine;
struct messages;

// How a store carries out each operation; the request is the struct below that belongs to it.
struct local_store {
    request_carry_out *append;                               // struct append_request
    request_carry_out *amend;                                // struct amend_request
    request_carry_out *head;                                 // struct head_request
    request_carry_out *range, *range_before;                 // struct range_request
    request_carry_out *replay;                               // struct replay_request
    request_carry_out *videos;                               // struct videos_request
    request_carry_out *lookup, *assign, *reassign, *release; // struct mapping_request
    request_carry_out *set_read, *set_write;                 // struct set_request
    request_carry_out *settings_read, *settings_write;       // struct settings_request
    request_carry_out *rooms_read, *room_write;              // struct rooms_request
    request_carry_out *ban_write, *bans_read;                // struct bans_request
    request_carry_out *held_read, *held_drop;                // struct held_request
    request_carry_out *audit_read;                           // struct audit_request
    request_carry_out *watch;                                // struct watch_request
    request_carry_out *lease_renew;                          // struct lease_request
    request_carry_out *lease_drop;                           // struct lease_drop_request
    request_carry_out *leases;                               // struct leases_request
    request_carry_out *counter_next;                         // struct counter_request
    request_carry_out *secret;                               // struct secret_request
    request_carry_out *overview;                             // struct overview_request
};

struct local_engine {
    struct engine engine; // first
    const struct local_store *store;
    struct loop *loop;
    struct hub *hub;
    struct messages *messages;

    void (*hand_over)(struct local_engine *); // must take all of `pending`
    size_t hand_over_at;

    struct request_list pending; // not handed over yet
    struct request_list answers; // not called back yet
    struct request_list refused; // with their status
    size_t waiting, waiting_reads, waiting_bytes;
    struct loop_timer turn_end, refuse;
    bool closing;
};

// `hand_over`, `hand_over_at` and engine.ops are the caller's to set.
void local_init(struct local_engine *, const struct local_store *, struct loop *);

// Calls back requests that have been carried out, oldest first, and frees them. A callback may close the
// engine.
void local_answer(struct local_engine *, struct request_list *);

// Closing. Between the two calls the engine has its store finish what it can, and adds that to `answers`.
// local_close_begin() returns false if the engine is being closed already. local_close_end() calls back
// `answers`, and `left` and all later requests with ENGINE_CLOSED; subscriptions last until then, because
// callbacks may still unsubscribe.
bool local_close_begin(struct local_engine *);
void local_close_end(struct local_engine *, struct request_list *left);

// Has the store carry out a request, which belongs to the engine from then on.
void local_push(struct engine *, struct request *);

// Copies an entry's body into the request's room, of which it takes len + 2 bytes: between braces, as it is
// stored. The entry has no position.
struct engine_entry local_copy_entry(struct request *, enum entry_kind, const char *body, size_t len);

// Requests

struct append_request {
    struct request request; // first
    const char *video;
    struct engine_entry asked; // kind and body, which is between braces in memory
    bool has_token;
    struct engine_token token;
    struct position known;
    bool has_gate;
    struct engine_gate gate;
    engine_append_cb *cb;

    struct engine_refusal refusal; // the answer for ENGINE_REFUSED
    struct engine_entry entry;     // the answer
    struct engine_entry loss;      // published before it; `at` not set: none
    struct engine_first first;     // if repeated
    bool repeated;                 // it is an earlier append's: nothing is published
};

struct amend_request {
    struct request request; // first
    const char *video;
    struct engine_entry asked; // as in struct append_request
    struct position target, known;
    const char *user; // NULL: no purge
    const char *note; // NULL: none; here and below
    engine_amend_cb *cb;

    struct engine_entry entry,
        loss; // as in struct append_request; `at` of the entry not set: none was stored
    size_t taken;
};

struct head_request {
    struct request request; // first
    const char *video;
    struct position known;
    engine_head_cb *cb;

    struct engine_head answer;
    struct engine_entry loss; // as in struct append_request
};

struct range_request {
    struct request request; // first
    const char *video;
    struct position from; // after or before it
    size_t limit;
    engine_range_cb *cb;

    struct engine_range answer;
    int64_t *at_ms; // held; of a replay: when each was logged; NULL: not asked for
};

struct replay_request {
    struct range_request range; // first
    int64_t from_ms;
    engine_replay_cb *cb;

    int64_t origin_ms;
};

struct videos_request {
    struct request request; // first
    const char *cursor;
    engine_videos_cb *cb;

    struct engine_videos answer; // held
};

struct mapping_request {
    struct request request;                    // first
    const char *video, *reader_url, *expected; // NULL: the operation has none
    union {
        engine_mapping_cb *mapping;
        engine_done_cb *done; // of release
    } on;

    const char *found;
    bool changed;
};

struct set_request {
    struct request request; // first
    const char *video, *text;
    uint64_t generation; // that it must have
    engine_set_cb *cb;

    struct engine_set found; // its text is held
};

struct settings_request {
    struct request request; // first
    const char *videos[ENGINE_SETTINGS_BATCH];
    size_t count;
    const char *text; // to be written; NULL: none
    union {
        engine_settings_cb *settings; // of a read
        engine_done_cb *done;         // of a write
    } on;

    const char *found[ENGINE_SETTINGS_BATCH];
};

struct rooms_request {
    struct request request; // first
    const char *videos[ENGINE_SETTINGS_BATCH];
    size_t count;
    struct engine_room room; // to be written
    const char *note;
    engine_rooms_cb *cb;

    struct engine_room *found; // count, held
};

struct bans_request {
    struct request request; // first
    const char *video, *user, *note;
    int64_t for_ms; // as in ban_write()
    bool shadow;
    engine_bans_cb *cb;

    struct engine_ban *bans; // held
    size_t count;
};

struct held_request {
    struct request request; // first
    const char *video, *id; // NULL: all that are due; all of the video
    const char *note;
    union {
        engine_held_cb *held;
        engine_drop_cb *drop;
    } on;

    struct engine_held *list; // held
    size_t count;
    int64_t left;
};

struct audit_request {
    struct request request; // first
    const char *video;
    engine_audit_cb *cb;

    const char **notes; // held
    size_t count;
};

struct watch_request {
    struct request request; // first
    const char *video;
    bool watched;
};

struct lease_request {
    struct request request; // first
    struct engine_lease asked;
    int ttl_ms;
    engine_lease_cb *cb;

    struct engine_lease_answer answer;
};

struct lease_drop_request {
    struct request request; // first
    const char *reader_url;
    uint64_t generation;
    engine_done_cb *cb;
};

struct leases_request {
    struct request request; // first
    engine_leases_cb *cb;

    const struct engine_lease *list;
    size_t count;
};

struct counter_request {
    struct request request; // first
    const char *name;
    engine_counter_cb *cb;

    uint64_t value;
};

struct secret_request {
    struct request request; // first
    const char *name;
    int64_t keep_ms;
    engine_secret_cb *cb;

    unsigned char secret[ENGINE_SECRET]; // offered, then the answer
};

struct overview_request {
    struct request request; // first
    engine_overview_cb *cb;

    struct engine_overview answer;
};

// Operations; see engine.h.

void local_append(struct engine *, const struct engine_append *, engine_append_cb *, void *arg);
void local_amend(struct engine *, const struct engine_amend *, engine_amend_cb *, void *arg);
struct engine_subscription *local_subscribe(struct engine *, const char *video,
                                            const struct engine_subscriber *, void *arg);
void local_unsubscribe(struct engine *, struct engine_subscription *);
void local_notify(struct engine *, const char *topic, const void *body, size_t len);
struct engine_listener *local_listen(struct engine *, const char *topic, engine_message_cb *, void *arg);
void local_unlisten(struct engine *, struct engine_listener *);
void local_head(struct engine *, const char *video, struct position known, engine_head_cb *, void *arg);
void local_range(struct engine *, const char *video, struct position after, size_t limit, engine_range_cb *,
                 void *arg);
void local_range_before(struct engine *, const char *video, struct position before, size_t limit,
                        engine_range_cb *, void *arg);
void local_replay(struct engine *, const struct engine_replay *, engine_replay_cb *, void *arg);
void local_videos(struct engine *, const char *cursor, engine_videos_cb *, void *arg);
void local_lookup(struct engine *, const char *video, engine_mapping_cb *, void *arg);
void local_assign(struct engine *, const char *video, const char *reader_url, engine_mapping_cb *, void *arg);
void local_reassign(struct engine *, const char *video, const char *expected, const char *reader_url,
                    engine_mapping_cb *, void *arg);
void local_release(struct engine *, const char *video, const char *expected, engine_done_cb *, void *arg);
void local_set_read(struct engine *, const char *video, engine_set_cb *, void *arg);
void local_set_write(struct engine *, const char *video, uint64_t generation, const char *text,
                     engine_set_cb *, void *arg);
void local_settings_read(struct engine *, const char *const *videos, size_t count, engine_settings_cb *,
                         void *arg);
void local_settings_write(struct engine *, const char *video, const char *settings, engine_done_cb *,
                          void *arg);
void local_rooms_read(struct engine *, const char *const *videos, size_t count, engine_rooms_cb *, void *arg);
void local_room_write(struct engine *, const char *video, const struct engine_room *, const char *note,
                      engine_rooms_cb *, void *arg);
void local_ban_write(struct engine *, const char *video, const char *user, int64_t for_ms, bool shadow,
                     const char *note, engine_bans_cb *, void *arg);
void local_bans_read(struct engine *, const char *video, engine_bans_cb *, void *arg);
void local_held_read(struct engine *, const char *video, engine_held_cb *, void *arg);
void local_held_drop(struct engine *, const char *video, const char *id, const char *note, engine_drop_cb *,
                     void *arg);
void local_audit_read(struct engine *, const char *video, engine_audit_cb *, void *arg);
void local_watch(struct engine *, const char *const *videos, size_t count, bool watched);
void local_lease_renew(struct engine *, const struct engine_lease *, int ttl_ms, engine_lease_cb *,
                       void *arg);
void local_lease_drop(struct engine *, const char *reader_url, uint64_t generation, engine_done_cb *,
                      void *arg);
void local_leases(struct engine *, engine_leases_cb *, void *arg);
void local_counter_next(struct engine *, const char *name, engine_counter_cb *, void *arg);
void local_secret(struct engine *, const char *name, const unsigned char offered[ENGINE_SECRET],
                  int64_t keep_ms, engine_secret_cb *, void *arg);
void local_overview(struct engine *, engine_overview_cb *, void *arg);

// All slots of struct engine_ops but name, set_limits, ready, stats and close.
#define LOCAL_OPERATIONS                                                                                     \
    .append = local_append, .amend = local_amend, .subscribe = local_subscribe,                              \
    .unsubscribe = local_unsubscribe, .notify = local_notify, .listen = local_listen,                        \
    .unlisten = local_unlisten, .head = local_head, .range = local_range,                                    \
    .range_before = local_range_before, .replay = local_replay, .videos = local_videos,                      \
    .lookup = local_lookup, .assign = local_assign, .reassign = local_reassign, .release = local_release,    \
    .set_read = local_set_read, .set_write = local_set_write, .settings_read = local_settings_read,          \
    .settings_write = local_settings_write, .rooms_read = local_rooms_read, .room_write = local_room_write,  \
    .ban_write = local_ban_write, .bans_read = local_bans_read, .held_read = local_held_read,                \
    .held_drop = local_held_drop, .audit_read = local_audit_read, .watch = local_watch,                      \
    .lease_renew = local_lease_renew, .lease_drop = local_lease_drop, .leases = local_leases,                \
    .counter_next = local_counter_next, .secret = local_secret, .overview = local_overview

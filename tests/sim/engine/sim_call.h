// A call to the simulated store: an operation of engine.h with its arguments, on its way to the store; and
// its answer, on the way back. Both belong to the store, not to the process that calls: that may be killed
// while they travel. A server that repeats another's history carries out the same call again. One thread.
#pragma once

#include "engine/engine.h"

struct sim_engine;
struct sim_session;

// The body of an entry or a message, shared by all that hold it.
struct sim_body {
    size_t refs, len;
    char bytes[];
};

struct sim_body *sim_body_new(const void *bytes, size_t len);
struct sim_body *sim_body_ref(struct sim_body *);
void sim_body_unref(struct sim_body *);

struct sim_entry {
    struct position at, prev; // `at` not set: there is none
    enum entry_kind kind;
    struct sim_body *body; // NULL only if `at` is not set
    int64_t at_ms;         // by the server's wall clock
    int64_t bytes;         // of the video's bodies up to here
};

// Returns it as engine.h has it; borrows.
struct engine_entry sim_entry_view(const struct sim_entry *);

enum sim_op {
    SIM_APPEND,
    SIM_AMEND,
    SIM_HEAD,
    SIM_RANGE,
    SIM_RANGE_BEFORE,
    SIM_LOOKUP,
    SIM_ASSIGN,
    SIM_REASSIGN,
    SIM_RELEASE,
    SIM_SET_READ,
    SIM_SET_WRITE,
    SIM_SETTINGS_READ,
    SIM_SETTINGS_WRITE,
    SIM_ROOMS_READ,
    SIM_ROOM_WRITE,
    SIM_BAN_WRITE,
    SIM_BANS_READ,
    SIM_HELD_READ,
    SIM_HELD_DROP,
    SIM_AUDIT_READ,
    SIM_WATCH,
    SIM_LEASE_RENEW,
    SIM_LEASE_DROP,
    SIM_LEASES,
    SIM_COUNTER,
    SIM_SECRET,
    SIM_OVERVIEW,
    SIM_NOTIFY
};

struct sim_answer {
    enum engine_status status;
    struct sim_entry entry, loss; // what was stored; the loss before it
    bool repeated;
    size_t taken; // comments that were taken out
    int64_t first_at_ms;
    struct position head, before;
    bool over; // with the head
    struct sim_entry *entries;
    size_t count;
    bool more;
    char *reader; // or the text of a set
    bool changed;
    struct engine_lease_answer lease; // instance_id owned
    struct engine_lease *leases;      // count; strings owned
    uint64_t number, mappings;        // number: a counter's, a set's generation, or of comments
    struct engine_mapping *mapped;    // mapped_count; strings owned. Of settings: text in place of a URL
    unsigned char secret[ENGINE_SECRET];
    size_t mapped_count;
    struct engine_refusal refusal;
    struct engine_room *rooms; // count of them
    struct engine_ban *bans;   // ban_count; users owned
    size_t ban_count;
    struct engine_held *held; // held_count; strings owned
    size_t held_count;
    const char **notes; // note_count; owned
    size_t note_count;
};

void sim_answer_release(struct sim_answer *);

struct sim_call {
    unsigned refs;
    enum sim_op op;
    // Arguments; owned by a copy.
    const char *name; // a video, a reader's URL, a counter or a topic
    const char *reader_url, *expected, *public_url, *instance_id, *load;
    struct position at;     // known, after or before
    struct position target; // of an amendment
    const char *user;       // of an amendment
    const char *note;       // for the audit trail
    uint64_t seen_epoch;    // highest that the engine has seen of any video
    size_t limit;
    bool watched, has_token, has_gate, shadow;
    struct engine_token token; // old_name is not used
    struct engine_gate gate;   // author, badges and id are owned by a copy
    struct engine_room room;
    int64_t for_ms;
    enum entry_kind kind;
    const char *text; // an entry, a message, settings, or the videos that are asked for, each ended by a NUL;
                      // only until it is copied: what is in body then
    size_t text_len;
    struct sim_body *body;
    struct engine_lease lease; // its numbers and claim; strings as above. Of a set: the generation
    unsigned char offered[ENGINE_SECRET];
    int ttl_ms;
    struct engine_limits limits;
    int64_t deadline_ms; // by the server's wall clock: not carried out later. 0: whenever
    // Of its being carried out, the same wherever it is repeated.
    int64_t wall_ms, steady_ms; // the server's clocks; only `wall` is stepped
    uint64_t run;

    // The way of an answer.
    struct sim_session *session; // NULL: none is wanted any more
    struct sim_answer answer;
    void (*on_answer)(struct sim_engine *, struct sim_call *); // in the process
    void (*cb)(void);                                          // of the operation, of the type it has
    void *arg;
    int64_t sent_us;
    struct sim_call *prev, *next; // pending in its session
};

// Returns a copy of a call's arguments, with one reference.
struct sim_call *sim_call_copy(const struct sim_call *);
struct sim_call *sim_call_ref(struct sim_call *);
void sim_call_unref(struct sim_call *);

// Returns whether it changes what is stored, so that a replica has to repeat it.
bool sim_call_writes(const struct sim_call *);

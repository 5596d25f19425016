// A request on its way through the embedded engine: made on the control loop, carried out on the store's
// thread, answered on the control loop. It belongs to one thread at a time, and lists are how it is handed
// over. Together with the strings it was given it is one allocation; what an answer points to is the
// request's too.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

enum request_kind {
    REQUEST_APPEND,
    REQUEST_HEAD,
    REQUEST_RANGE,
    REQUEST_LOOKUP,
    REQUEST_ASSIGN,
    REQUEST_REASSIGN,
    REQUEST_RELEASE,
    REQUEST_WATCH,
    REQUEST_LEASE_RENEW,
    REQUEST_LEASE_DROP,
    REQUEST_LEASES,
    REQUEST_COUNTER_NEXT,
    REQUEST_OVERVIEW,
    REQUEST_KINDS
};

// Room in front of a comment's JSON for the members that the store adds:
// `{"id":"` 41 `","prev":"` 41 `","kind":` 3 `,` is 112 bytes.
enum { REQUEST_PREFIX_ROOM = 120 };

struct request {
    struct request *next;
    enum request_kind kind;
    enum engine_status status;
    size_t bytes; // the allocation, for the bound on what waits
    size_t held_bytes;
    struct request_chunk *held; // see request_hold()
    size_t copied;

    const char *name; // of the video, or of the counter
    union {
        struct {
            enum entry_kind kind;
            bool has_token;
            struct engine_token token;
            const char *old_token; // its old_name
            struct position known;
            char *body; // behind the room for the prefix; without the opening brace
            size_t body_len;
        } append;
        struct position known; // of a head
        struct {
            struct position after;
            size_t limit;
        } range;
        struct {
            const char *reader_url;
            const char *expected;
        } mapping;
        struct {
            struct engine_lease what;
            int ttl_ms;
        } lease;
        bool watched;
    } in;

    union {
        struct {
            struct engine_entry entry;
            struct engine_first first; // if repeated
            bool repeated;             // it is an earlier append's: nothing to publish
        } append;
        struct engine_head head;
        struct engine_range range;
        struct {
            const char *reader_url;
            bool changed;
        } mapping;
        struct {
            const struct engine_lease *list;
            size_t count;
        } leases;
        struct engine_lease_answer lease;
        uint64_t counter;
        struct engine_overview overview;
    } out;
    struct engine_entry loss; // published before the answer's own; `at` not set: none

    union engine_cb on;
    void *arg;

    char text[]; // the strings it was given
};

// Returns a zeroed request with room for `text_room` bytes of strings.
struct request *request_new(enum request_kind, size_t text_room);
void request_free(struct request *);

// Takes n bytes of that room.
char *request_room(struct request *, size_t n);

// Copies a string into that room; NULL stays NULL.
const char *request_copy(struct request *, const char *string);
size_t request_copy_size(const char *string);

// Returns aligned memory that is freed with the request: for what an answer points to.
void *request_hold(struct request *, size_t n);

// Returns a NUL-terminated copy of n bytes, held.
char *request_hold_text(struct request *, const void *bytes, size_t n);

// Forgets an answer, so that the request can be carried out anew.
void request_reset(struct request *);

// A queue; zero-initialised is empty.
struct request_list {
    struct request *first, *last;
    size_t count;
};

void request_list_add(struct request_list *, struct request *);
struct request *request_list_take(struct request_list *); // the oldest, or NULL

// Moves all of `from` behind what `to` has.
void request_list_move(struct request_list *to, struct request_list *from);

// The tickets (identity/ticket.h) that a reader gives to viewers that it redirects, and takes from those that
// come: once, within 30 s; and from one that resumes at any time, until its session ends. The keys that they
// are signed with are shared by all readers, through the engine, and replaced every week; those of three
// weeks are known: the last one, this one, and the next, for clocks that differ. Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "identity/ticket.h"
#include "spent_nonces.h"

struct buf;

enum { TICKET_KEYS = 3 };

struct tickets {
    struct engine *engine;
    const char *reader_url; // borrowed
    int64_t started_ms, asked_ms;
    struct ticket_key {
        struct tickets *tickets;
        int64_t week; // since 1970
        bool known;
        unsigned char bytes[TICKET_KEY];
    } keys[TICKET_KEYS];  // at week modulo their number
    unsigned outstanding; // queries of the engine
    struct spent_nonces spent;
};

enum ticket_verdict {
    TICKET_GOOD,
    TICKET_OVER, // good, but its session has ended
    TICKET_REFUSED,
    TICKET_UNKNOWN // its key is not known yet
};

// Asks for the keys. Without it there are no tickets. `now_ms`, here and below: wall time.
void tickets_start(struct tickets *, struct engine *, const char *reader_url, int64_t now_ms);
void tickets_sweep(struct tickets *, int64_t now_ms); // to be called every few seconds: asks for missing keys
bool tickets_are_settled(const struct tickets *);     // whether the engine has answered all queries
void tickets_release(struct tickets *);

// Adds a ticket for the reader of this URL. Returns false if no key is known.
bool tickets_write(struct tickets *, struct buf *, const char *reader_url, const char *user,
                   const char *video, int64_t until_s, int64_t now_ms);

enum ticket_verdict tickets_read(struct tickets *, const char *text, bool resumes, int64_t now_ms,
                                 struct ticket *);

// Spends the ticket of a viewer that does not resume. Returns false if it has been spent. `now_s`: monotonic.
bool tickets_spend(struct tickets *, uint64_t nonce, int64_t now_s);

// Gives orders as `chorus ctl` does, at the control sockets of processes: moves videos, drains readers and
// has them stay, asks for plans and has them applied; one thing after the other. A drain counts once the
// status shows it, and is ordered again until then. When all is calm it takes all drains back; and then, as
// the seed says, it drains one reader, moves every video, or does nothing. Loop thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "crowd.h"
#include "http_call.h"
#include "net/loop.h"

enum order_verb { ORDER_MOVE, ORDER_DRAIN, ORDER_STAY, ORDER_PLAN, ORDER_APPLY, ORDER_STOP, ORDER_VERBS };

// The words of JOURNAL_ORDER.
extern const char *const order_words[ORDER_VERBS];

struct ctl {
    struct crowd *crowd;
    struct prng prng; // its own: what else a seed does stays as it is
    enum { CTL_IDLE, CTL_GIVING, CTL_LOOKING } state;
    enum order_verb verb;
    uint32_t video, reader; // that it is about; 0: none
    unsigned looks;         // since it was ordered
    uint32_t drained;       // 0: none
    uint32_t last_moved;    // when all is calm
    bool has_tidied, drains_last, moves_last;
    struct http_call call;
    struct buf answer;
    struct loop_timer timer;
};

// It is zeroed.
void ctl_start(struct ctl *, struct crowd *);
void ctl_release(struct ctl *);

// Asks a comment API for the statistics, once, and notes how many comments they say were ever logged; then
// the statistics service for the ledger of each video. Each question is noted, and each answer. Loop thread
// only.
#pragma once

#include "crowd.h"
#include "http_call.h"

// Embedded in its owner.
struct count {
    struct crowd *crowd;
    struct http_call call;
    struct buf answer;
    uint32_t video; // whose ledger is asked for; 0: none yet
};

void count_init(struct count *, struct crowd *);
void count_ask(struct count *);
void count_release(struct count *);

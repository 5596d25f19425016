// Chooses a reader for a video: pure functions, used by the manager, by readers and by the simulation. Any
// thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct policy_candidate {
    const char *reader_url;
    uint64_t load; // in a unit that is the same for all: viewers, or millionths of what a reader can do
    uint64_t hash; // of the URL
};

enum placement_policy {
    POLICY_ROUND_ROBIN,  // new videos go to the readers in turn
    POLICY_LEAST_LOADED, // the less loaded of two that are drawn (the power of two choices)
    POLICY_HASH, // rendezvous hashing (Thaler and Ravishankar 1998): each reader's score for a video is a
                 // hash of both, and the highest wins; so if a reader dies, only its own videos move
};

enum { POLICIES = POLICY_HASH + 1 };

// The URL is borrowed.
struct policy_candidate policy_candidate(const char *reader_url, uint64_t load);

// Returns the index of the reader for a video; count > 0, candidates in a stable order. `turn`: the number of
// videos placed before. But for round-robin, one with more than 1.25 times the average load is passed over
// (Mirrokni, Thorup and Zadimoghaddam 2018). The hash is the same in every process and version, so two
// managers agree, as long as they see no such reader. A client that chooses video ids can choose their
// reader, too; all it can do is unbalance the readers.
size_t policy_pick(enum placement_policy, const struct policy_candidate *, size_t count, const char *video,
                   uint64_t turn);

const char *policy_name(enum placement_policy);

// Reads a name of `len` bytes; least-viewers is an earlier name of least-loaded. Returns false if no policy
// has it.
bool policy_by_name(const char *name, size_t len, enum placement_policy *);

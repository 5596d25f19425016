// Chooses a reader for a video: pure functions, used by the manager, by readers and by the simulation. Any
// thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct policy_candidate {
    const char *reader_url;
    uint64_t viewers;
    uint64_t hash; // of the URL
};

enum placement_policy {
    POLICY_ROUND_ROBIN, // new videos go to the readers in turn
    POLICY_HASH, // rendezvous hashing (Thaler and Ravishankar 1998): each reader's score for a video is a
                 // hash of both, and the highest wins; so if a reader dies, only its own videos move
    POLICY_LEAST_VIEWERS // the reader with the fewest viewers; in turn among several that have as few
};

enum { POLICIES = POLICY_LEAST_VIEWERS + 1 };

// The URL is borrowed.
struct policy_candidate policy_candidate(const char *reader_url, uint64_t viewers);

// Returns the index of the reader for a video; count > 0, candidates in a stable order. `turn`: the number of
// videos placed before. The hash is the same in every process and version, so two managers agree. A client
// that chooses video ids can choose their reader, too; all it can do is unbalance the readers.
size_t policy_pick(enum placement_policy, const struct policy_candidate *, size_t count, const char *video,
                   uint64_t turn);

const char *policy_name(enum placement_policy);

// Reads a name of `len` bytes. Returns false if no policy has it.
bool policy_by_name(const char *name, size_t len, enum placement_policy *);

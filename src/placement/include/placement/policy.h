// How a video is given to a reader: pure functions, used by the manager, by readers and by the simulation.
// Any thread.
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
    POLICY_ROUND_ROBIN, // the n-th new video goes to the n-th reader, over and over
    POLICY_HASH, // rendezvous hashing (Thaler and Ravishankar 1998): each reader's score for the video is
                 // a hash of both, the highest wins; so without a reader only its own videos move
    POLICY_LEAST_VIEWERS // the reader with the fewest viewers; turn by turn where several have as few
};

enum { POLICIES = POLICY_LEAST_VIEWERS + 1 };

// The URL is borrowed.
struct policy_candidate policy_candidate(const char *reader_url, uint64_t viewers);

// Returns the index of the reader for a video; count > 0, candidates in a stable order. `turn` counts the
// videos placed before. The hash is the same in every process and version: two managers agree. Who chooses
// video ids can so choose their reader, too; that unbalances readers, and no more.
size_t policy_pick(enum placement_policy, const struct policy_candidate *, size_t count, const char *video,
                   uint64_t turn);

const char *policy_name(enum placement_policy);

// Reads a name of `len` bytes. Returns false if it is none.
bool policy_by_name(const char *name, size_t len, enum placement_policy *);

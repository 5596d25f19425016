// Viewers, writers and a moderator, on one loop, as one program: they use the system under test as clients
// do, by its HTTP addresses, and write what they do and see into a journal. How they behave is determined by
// the seed.
//
// The same against the real loop and real processes, and in the simulation.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prng.h"
#include "journal.h"

struct loop;
struct moderator;
struct ctl;
struct viewer;
struct writer;

enum { CROWD_PLACES = 4, CROWD_NUMBERS = 1000 };

struct crowd_config {
    uint64_t seed;
    unsigned number;                   // of several crowds, from 0: viewers and writers are numbered apart
    const char *apis[CROWD_PLACES];    // comment APIs, http://ADDRESS:PORT
    const char *readers[CROWD_PLACES]; // readers
    size_t api_count, reader_count;
    const char *controls[CROWD_PLACES]; // control sockets, as addresses
    size_t control_count;               // 0: nobody gives orders
    bool may_drain;                     // a reader for good, when all is calm: the others have room
    const char *statistics;             // the statistics service; NULL: nothing is asked of it
    unsigned videos, viewers, writers;
    unsigned comments;       // about so many of this crowd until all is calm
    bool many_slow;          // of the viewers
    unsigned crowds;         // that moderate, each a part of the videos; 0: nobody does
    int64_t calm_ms, end_ms; // since the crowd began: from then on it only watches; it ends
    int64_t stay_ms;         // about how long a viewer keeps a stream; 0: as long as it lives
    int64_t turn_ms;         // for so long most viewers that come choose the same video; 0: they never do
    struct journal *journal;
};

struct crowd {
    const struct crowd_config *config;
    struct loop *loop;
    struct prng prng;
    int64_t begin_ms;
    bool calm, quiet; // no fault is left; nothing more is posted
    struct viewer *viewers;
    struct writer *writers;
    struct moderator *moderator; // NULL: none
    struct ctl *ctl;             // NULL: none
    uint32_t next_viewer;        // number
    struct crowd_times *times;
};

// Runs until end_ms. Returns an exit code. `config` is a struct crowd_config.
int crowd_run(void *config);

// For viewers and writers.

// Adds an event with the time of now.
void crowd_note(struct crowd *, const struct journal_event *);

uint64_t crowd_random(struct crowd *, uint64_t below);
bool crowd_chance(struct crowd *, unsigned percent);

// Returns a random time whose mean is `mean_ms`, at most four times that.
int64_t crowd_some_ms(struct crowd *, int64_t mean_ms);

// Returns the video that the next viewer watches.
uint32_t crowd_choose_video(struct crowd *);

const char *crowd_api(struct crowd *);    // any of them
const char *crowd_reader(struct crowd *); // any of them

// Something happens to a video, and perhaps to a writer (else 0), at this moment: some of the viewers come
// back, and the writer posts.
void crowd_stir(struct crowd *, uint32_t video, uint32_t writer);

// Returns the name of a video, static for its number until the next call.
const char *crowd_video(uint32_t video);

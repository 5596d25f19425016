// The comments of a video as lines of JSON, each with its offset in time (GET /videos/:videoid/replay): of
// the log and, where the engine has one, of the archive. A page of entries is read when the client has taken
// the page before, so a replay of any length needs the memory of about one page. Clients that read slowly do
// not keep others from theirs: only REPLAY_READS of them read from the store at a time, in turn, and the
// others wait without a place there; one client's address has a few at a time; and where there are as many as
// there may be, a new one cuts the one whose client has read nothing for longest. Control loop only.
#pragma once

#include <stdint.h>

struct engine;
struct http_exchange;
struct replay;

enum { REPLAYS = 512, REPLAYS_OF_ADDRESS = 8, REPLAY_READS = 64, REPLAY_PAGE = 64 };

// Zero-initialise, except for the engine.
struct replays {
    struct engine *engine;
    uint64_t revision;   // another one after something was taken out of which the engine has no entry
    struct replay *list; // those that are under way, at most REPLAYS; those that want to read in the order
                         // in which they will
    unsigned count, reading;
    uint64_t begun, lines, missed; // missed: numbers that were neither in log nor archive
};

// Make the get() of three rows, and the rows, of a service: those of its `struct type`, which has `replays`,
// and whose metrics begin with chorus_PART_.
#define METRICS_OF_REPLAYS(type)                                                                             \
    static double replays_begun(struct service *s) {                                                         \
        return (double)((const struct type *)s)->replays.begun;                                              \
    }                                                                                                        \
    static double replays_lines(struct service *s) {                                                         \
        return (double)((const struct type *)s)->replays.lines;                                              \
    }                                                                                                        \
    static double replays_missed(struct service *s) {                                                        \
        return (double)((const struct type *)s)->replays.missed;                                             \
    }
#define METRIC_ROWS_OF_REPLAYS(part)                                                                         \
    {"chorus_" part "_replays_total", "replays", METRIC_COUNTER, "Replays begun, GET /videos/VIDEO/replay.", \
     .get = replays_begun},                                                                                  \
        {"chorus_" part "_replayed_lines_total", "lines", METRIC_COUNTER, "Lines of replays sent.",          \
         .get = replays_lines},                                                                              \
    {                                                                                                        \
        "chorus_" part "_replay_missed_entries_total", "entries", METRIC_COUNTER,                            \
            "Entries in gaps of replays: neither in the log nor in an archive.", .get = replays_missed       \
    }

// Answers the request, whose client may read the video. Its query is checked here.
void replays_answer(struct replays *, struct http_exchange *, const char *video);

// Cuts those that are under way. Once the engine has been closed.
void replays_stop(struct replays *);

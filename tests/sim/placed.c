#include "placed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engines.h"
#include "judge/crowd.h"
#include "redis_actor.h"
#include "sim.h"

enum { LOOK_US = 100000, VIDEOS_MAX = 16, READERS = 9 };

static struct {
    enum cluster_engine engine;
    struct journal *journal;
    unsigned videos;
    struct journal_event last[VIDEOS_MAX + 1];
} placed;

// Returns the number in the name of the reader that has this URL, 0 if none has.
static uint32_t reader_of(const char *url, size_t len) {
    char host[16], of[64];
    for (unsigned i = 1; i <= READERS; i++) {
        snprintf(host, sizeof host, "reader-%u", i);
        if (!sim_process_on(host)) continue;
        int size = snprintf(of, sizeof of, "http://%s:4001", sim_address(host));
        if ((size_t)size == len && !memcmp(of, url, len)) return i;
    }
    return 0;
}

// A digit for each member of a set that is in force, in its order.
static uint32_t members_of(const char *set) {
    uint32_t members = 0, count = 0;
    for (size_t len; *set; set += len + (set[len] == ' ')) {
        len = strcspn(set, " ");
        members = 10 * members + reader_of(set, len);
        count++;
    }
    return count > 1 ? members : 0;
}

static void placed_look(unsigned video, struct journal_event *e) {
    const char *reader = NULL, *set = NULL, *name = crowd_video(video);
    char text[100];
    if (placed.engine == CLUSTER_SIM) {
        sim_store_placed(engines_store(), name, &reader, &set, &e->count);
    } else {
        snprintf(text, sizeof text, "video:%s:reader", name);
        reader = redis_actor_string(text);
        snprintf(text, sizeof text, "{video:%s}:set", name);
        set = redis_actor_string(text);
        if (set && sscanf(set, "%" SCNu64, &e->count) == 1) set += strcspn(set, " ");
        if (set && *set) set++;
    }
    e->place = reader ? reader_of(reader, strlen(reader)) : 0;
    e->number = set ? members_of(set) : 0;
}

static void placed_on_time(void *arg) {
    (void)arg;
    for (unsigned i = 1; i <= placed.videos; i++) {
        struct journal_event e = {.kind = JOURNAL_PLACED, .video = i}, *last = &placed.last[i];
        placed_look(i, &e);
        if (e.place == last->place && e.number == last->number && e.count == last->count) continue;
        *last = e;
        journal_add(placed.journal, &e);
    }
    sim_at(LOOK_US, placed_on_time, NULL);
}

void placed_start(enum cluster_engine engine, struct journal *journal, unsigned videos) {
    placed.engine = engine;
    placed.journal = journal;
    placed.videos = videos < VIDEOS_MAX ? videos : VIDEOS_MAX;
    if (engine == CLUSTER_SIM || engine == CLUSTER_REDIS) placed_on_time(NULL);
}

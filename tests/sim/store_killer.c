#include "store_killer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"

enum {
    FIRST_US = 4000000, // all have come
    MS = 1000,
    SECOND = 1000000,
    EVENTS_MIN = 4,
    VIDEOS = 16, // at least as many as there are
    LEAST_US = 100,
    MOST_US = 2 * MS,
    CLOCK_MOST_S = 1740
};

struct store_event_kind {
    const char *name;
    unsigned weight;
    int64_t least_us, most_us; // how long
    void (*begin)(struct store_event *);
    void (*end)(struct store_event *); // may be NULL
};

static uint64_t event_choose(struct store_event *e, uint64_t below) {
    struct prng p = {e->number++};
    return prng_below(&p, below);
}

// How calls and messages fare

// Most seeds have a few kinds of fault, now and then.
static unsigned killer_chance(struct store_killer *k, uint64_t most) {
    return prng_below(&k->prng, 3) ? 0 : (unsigned)prng_below(&k->prng, most);
}

static struct sim_faults killer_weather(struct store_killer *k, unsigned strength) {
    return (struct sim_faults){.least_us = LEAST_US,
                               .most_us = MOST_US,
                               .slow = killer_chance(k, strength * 20000),
                               .slow_us = (int64_t)prng_below(&k->prng, 2500) * MS,
                               .lost_before = killer_chance(k, strength * 10000),
                               .lost_after = killer_chance(k, strength * 10000),
                               .lost_later = killer_chance(k, strength * 10000),
                               .doubled = killer_chance(k, strength * 30000),
                               .failed = killer_chance(k, strength * 10000),
                               .cut = killer_chance(k, strength * 2000),
                               .publish_dropped = killer_chance(k, strength * 5000),
                               .publish_late = killer_chance(k, strength * 20000),
                               .publish_late_us = (int64_t)prng_below(&k->prng, 1500) * MS,
                               .deaf = killer_chance(k, strength * 1000),
                               .cut_subscriber = killer_chance(k, strength * 1000)};
}

static void event_storm(struct store_event *e) {
    *sim_store_faults(e->killer->store) = killer_weather(e->killer, 20);
}

static void event_usual(struct store_event *e) {
    *sim_store_faults(e->killer->store) = e->killer->usual;
}

static void event_full(struct store_event *e) {
    sim_store_faults(e->killer->store)->full = true;
}

static void event_read_only(struct store_event *e) {
    sim_store_faults(e->killer->store)->read_only = true;
}

static void event_lease_lost(struct store_event *e) {
    sim_store_faults(e->killer->store)->lease_lost = 1000000;
}

// Connections

static const struct sim_process *event_process(struct store_event *e) {
    const struct cluster *c = e->killer->cluster;
    return c->services[event_choose(e, c->count)].process;
}

static void event_isolate(struct store_event *e) {
    sim_store_isolate(e->killer->store, event_process(e), e->length_us);
}

static void event_cut(struct store_event *e) {
    sim_store_cut(e->killer->store, event_choose(e, 4) ? event_process(e) : NULL);
}

static void event_outage(struct store_event *e) {
    sim_store_outage(e->killer->store, e->length_us, event_choose(e, 2));
}

// Its data

// A position may be lost where no comment was: of a video that was only looked at. Viewers are told, as
// nothing says that there was none.
static void event_note_positions(const struct store_event *e) {
    for (unsigned video = 1; video <= VIDEOS; video++)
        journal_add(e->killer->journal, &(struct journal_event){.kind = JOURNAL_LOST, .video = video});
}

static void event_failover(struct store_event *e) {
    size_t forget = event_choose(e, 2) ? (size_t)event_choose(e, 6) : 0;
    if (forget) event_note_positions(e);
    sim_store_failover(e->killer->store, forget, false);
}

// Some processes go on with the old server, until it joins the new one.
static void event_split(struct store_event *e) {
    event_note_positions(e);
    sim_store_failover(e->killer->store, (size_t)event_choose(e, 3), true);
}

static void event_failback(struct store_event *e) {
    event_note_positions(e);
    sim_store_failback(e->killer->store, event_choose(e, 2));
}

static void event_rejoin(struct store_event *e) {
    sim_store_rejoin(e->killer->store);
}

static void event_restart(struct store_event *e) {
    uint64_t choice = event_choose(e, 8);
    size_t forget = choice == 0 ? SIZE_MAX : choice < 4 ? (size_t)event_choose(e, 6) : 0;
    if (forget) event_note_positions(e);
    sim_store_restart(e->killer->store, forget, e->length_us);
}

// Never so far in all that entries expire, which are kept for an hour by this clock.
static void event_step_clock(struct store_event *e) {
    static const int64_t steps_s[] = {-1700, -60, -5, -2, -1, 1, 2, 5, 60, 1700};
    struct store_killer *k = e->killer;
    int64_t step_s = steps_s[event_choose(e, sizeof steps_s / sizeof *steps_s)];
    if (llabs(k->stepped_s + step_s) > CLOCK_MOST_S) step_s = -step_s;
    k->stepped_s += step_s;
    sim_store_step_clock(k->store, step_s * SECOND);
}

static const struct store_event_kind kinds[] = {
    {"storm", 20, 200 * MS, 5 * SECOND, event_storm, event_usual},
    {"full", 6, 200 * MS, 5 * SECOND, event_full, event_usual},
    {"read-only", 6, 200 * MS, 5 * SECOND, event_read_only, event_usual},
    {"leases-lost", 8, 1 * SECOND, 8 * SECOND, event_lease_lost, event_usual},
    {"isolated", 16, 50 * MS, 8 * SECOND, event_isolate, NULL},
    {"cut", 12, 0, 0, event_cut, NULL},
    {"outage", 12, 50 * MS, 6 * SECOND, event_outage, NULL},
    {"split", 6, 100 * MS, 8 * SECOND, event_split, event_rejoin},
    {"failover", 16, 100 * MS, 8 * SECOND, event_failover, event_rejoin},
    {"failback", 10, 100 * MS, 8 * SECOND, event_failback, event_rejoin},
    {"restart", 10, 10 * MS, 4 * SECOND, event_restart, NULL},
    {"clock", 8, 0, 0, event_step_clock, NULL},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

// The plan

static const struct store_event_kind *killer_choose(struct store_killer *k) {
    unsigned sum = 0, i = 0;
    for (size_t n = 0; n < KINDS; n++) sum += kinds[n].weight;
    unsigned at = (unsigned)prng_below(&k->prng, sum);
    while (at >= kinds[i].weight) at -= kinds[i++].weight;
    return &kinds[i];
}

static void event_begin(void *arg) {
    struct store_event *e = arg;
    struct journal_event note = {.kind = JOURNAL_FAULT};
    if (e->killer->calm) return;
    snprintf(note.word, sizeof note.word, "store-%s", e->kind->name);
    journal_add(e->killer->journal, &note);
    e->kind->begin(e);
}

static void event_end(void *arg) {
    struct store_event *e = arg;
    if (!e->killer->calm && e->kind->end) e->kind->end(e);
}

static void killer_plan(struct store_killer *k, int64_t until_us) {
    k->count = EVENTS_MIN + (size_t)prng_below(&k->prng, STORE_EVENTS_MAX - EVENTS_MIN + 1);
    for (size_t i = 0; i < k->count; i++) {
        struct store_event *e = &k->events[i];
        *e = (struct store_event){.killer = k, .kind = killer_choose(k)};
        e->number = prng_below(&k->prng, UINT32_MAX);
        int64_t begin_us = FIRST_US + (int64_t)prng_below(&k->prng, (uint64_t)(until_us - FIRST_US));
        uint64_t most = (uint64_t)(e->kind->most_us - e->kind->least_us) + 1;
        e->length_us = e->kind->least_us + (int64_t)prng_below(&k->prng, prng_below(&k->prng, most) + 1);
        sim_at(begin_us, event_begin, e);
        sim_at(begin_us + e->length_us, event_end, e);
    }
}

static void killer_calm(void *arg) {
    struct store_killer *k = arg;
    k->calm = true;
    sim_store_heal(k->store, LEAST_US, MOST_US);
}

// A loss goes into the journal as the numbers of a video, which has one in its name.
static void killer_note_loss(void *arg, const struct sim_record *r) {
    struct store_killer *k = arg;
    unsigned video = 0;
    if (sscanf(r->video, "video%u", &video) != 1) return;
    journal_add(k->journal,
                &(struct journal_event){.kind = JOURNAL_LOST, .video = video, .from = r->at, .at = r->at});
}

void store_killer_start(struct store_killer *k, uint64_t seed, struct sim_store *store,
                        const struct cluster *cluster, struct journal *journal, int64_t calm_us) {
    *k = (struct store_killer){
        .prng.state = seed ^ 0x73746f72, .store = store, .cluster = cluster, .journal = journal};
    k->usual = killer_weather(k, 1);
    *sim_store_faults(store) = k->usual;
    sim_store_watch_losses(store, killer_note_loss, k);
    killer_plan(k, calm_us - SECOND);
    sim_at(calm_us - 1, killer_calm, k);
}

#include "audience.h"

#include <stdio.h>
#include <string.h>

#include "base/prng.h"

enum {
    MODERATED = 2,      // one in so many worlds
    BEGIN_US = 1000000, // after the cluster
    VIEWERS_MIN = 50,
    VIEWERS_MAX = 300,
    COMMENTS_MIN = 380,
    COMMENTS_MAX = 500,
    ALONE_PERCENT = 140,    // where one process has all parts, nothing is accepted while it is down
    MODERATED_PERCENT = 150 // some are refused
};

// A number from least to most, mostly near the least.
static unsigned near_least(struct prng *p, unsigned least, unsigned most) {
    uint64_t a = prng_below(p, most - least + 1), b = prng_below(p, a + 1), c = prng_below(p, b + 1);
    return least + (unsigned)c;
}

static void audience_on_event(void *arg, const struct journal_event *e) {
    struct buf line = {0};
    (void)arg;
    journal_write(&line, e);
    sim_trace_text(strchr(buf_string(&line), ' ') + 1); // the world knows the time
    buf_release(&line);
}

// The comment APIs and readers that there are.
static void audience_find_places(struct audience *a, const struct cluster *c) {
    struct crowd_config *config = &a->crowds[0];
    bool is_one = c->count == 1;
    for (size_t i = 0; i < c->count; i++) {
        const char *host = c->services[i].host;
        size_t used = config->api_count + config->reader_count;
        if (is_one || !strncmp(host, "comment", 7)) {
            snprintf(a->urls[used], sizeof a->urls[used], "http://%s:3000", sim_address(host));
            config->apis[config->api_count++] = a->urls[used++];
        }
        bool has_control = is_one || !strncmp(host, "manager", 7) || !strcmp(host, "comment-1");
        if (c->hot.orders && has_control) {
            char *url = a->controls[config->control_count];
            snprintf(url, sizeof *a->controls, "http://%s:%d", sim_address(host), CLUSTER_CONTROL);
            config->controls[config->control_count++] = url;
        }
        if (is_one || !strcmp(host, "statistics"))
            snprintf(a->statistics, sizeof a->statistics, "http://%s:5000", sim_address(host));
        if (is_one || !strncmp(host, "reader", 6)) {
            snprintf(a->urls[used], sizeof a->urls[used], "http://%s:4001", sim_address(host));
            config->readers[config->reader_count++] = a->urls[used];
        }
    }
}

// Chance of its own: what else a seed does stays as it is.
static bool is_moderated(uint64_t seed) {
    struct prng p = {seed ^ 0x6d6f64};
    return !prng_below(&p, MODERATED);
}

void audience_init(struct audience *a, uint64_t seed, const struct cluster *cluster, int64_t calm_ms) {
    struct prng p = {seed ^ 0x617564};
    *a = (struct audience){.journal = {.now_us = sim_now_us, .on_event = audience_on_event}};
    journal_add(&a->journal, &(struct journal_event){.kind = JOURNAL_KEPT, .count = cluster->kept});
    if (cluster->hot.sets)
        journal_add(&a->journal, &(struct journal_event){.kind = JOURNAL_MOST, .count = cluster->hot.most});
    audience_find_places(a, cluster);
    struct crowd_config *first = &a->crowds[0];
    first->seed = seed;
    first->videos = near_least(&p, 3, 12);
    if (cluster->tight) first->videos = 1;
    first->many_slow = cluster->tight;
    first->viewers = near_least(&p, VIEWERS_MIN, cluster->tight ? 2 * VIEWERS_MIN : VIEWERS_MAX) / CROWDS;
    first->writers = near_least(&p, 2, 6);
    first->comments = near_least(&p, COMMENTS_MIN, COMMENTS_MAX) / CROWDS;
    if (cluster->count == 1) first->comments = first->comments * ALONE_PERCENT / 100;
    first->stay_ms = near_least(&p, 3500, 9000);
    if (cluster->spares_streams || cluster->tight) first->stay_ms = near_least(&p, 2500, 4000);
    if (cluster->hot.sets) {
        first->viewers = cluster->hot.viewers / CROWDS;
        first->turn_ms = cluster->hot.turn_ms;
    }
    first->may_drain = hot_plan_may_drain(&cluster->hot) || cluster->count == 1;
    if (is_moderated(seed)) {
        first->crowds = CROWDS;
        first->comments = first->comments * MODERATED_PERCENT / 100;
    }
    first->calm_ms = calm_ms;
    first->end_ms = calm_ms + JUDGE_CALM_S * 1000 + 500;
    first->journal = &a->journal;
    a->calm_us = BEGIN_US + calm_ms * 1000;
    a->end_us = BEGIN_US + first->end_ms * 1000;
    for (unsigned i = 0; i < CROWDS; i++) {
        if (i) a->crowds[i] = *first;
        a->crowds[i].number = i;
        snprintf(a->hosts[i], sizeof a->hosts[i], "viewers-%u", i + 1);
    }
    first->statistics = a->statistics; // one of them asks
}

static void audience_begin(void *arg) {
    struct audience *a = arg;
    for (unsigned i = 0; i < CROWDS; i++) sim_start(a->hosts[i], crowd_run, &a->crowds[i]);
}

void audience_start(struct audience *a) {
    sim_at(BEGIN_US, audience_begin, a);
}

void audience_judge(struct audience *a, struct verdict *v) {
    journal_add(&a->journal, &(struct journal_event){.kind = JOURNAL_END});
    judge(v, &a->journal);
}

void audience_release(struct audience *a) {
    journal_release(&a->journal);
}

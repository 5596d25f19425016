#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "count.h"
#include "moderator.h"
#include "net/loop.h"
#include "ctl.h"
#include "viewer.h"
#include "writer.h"

enum {
    ARRIVE_MS = 2000,   // viewers come within this time
    SHUFFLE_MS = 17000, // after all is calm some viewers come again
    FAVOURITE_PERCENT = 75,
    QUIET_MS = 5000, // before the end nothing more is posted
    COUNT_MS = 2000  // before the end, the comments are counted, and the ledgers read
};

// What happens at a certain time.
struct crowd_times {
    struct crowd *crowd;
    struct loop_timer arrival, calm, shuffle, quiet, count, end;
    struct count total;
    unsigned arrived;
};

void crowd_note(struct crowd *c, const struct journal_event *e) {
    journal_add(c->config->journal, e);
}

uint64_t crowd_random(struct crowd *c, uint64_t below) {
    return prng_below(&c->prng, below);
}

bool crowd_chance(struct crowd *c, unsigned percent) {
    return crowd_random(c, 100) < percent;
}

// By a sum of whole numbers, as the logarithm need not be the same on each machine.
int64_t crowd_some_ms(struct crowd *c, int64_t mean_ms) {
    uint64_t most = (uint64_t)mean_ms + 1;
    int64_t ms = (int64_t)(crowd_random(c, most) + crowd_random(c, most));
    return crowd_chance(c, 15) ? 2 * ms : ms;
}

const char *crowd_api(struct crowd *c) {
    return c->config->apis[crowd_random(c, c->config->api_count)];
}

const char *crowd_reader(struct crowd *c) {
    return c->config->readers[crowd_random(c, c->config->reader_count)];
}

uint32_t crowd_choose_video(struct crowd *c) {
    uint64_t videos = c->config->videos;
    if (!c->config->turn_ms || !crowd_chance(c, FAVOURITE_PERCENT))
        return 1 + (uint32_t)crowd_random(c, videos);
    int64_t since_ms = loop_now_ms(c->loop) - c->begin_ms;
    return 1 + (uint32_t)((uint64_t)(since_ms / c->config->turn_ms) % videos);
}

const char *crowd_video(uint32_t video) {
    static __thread char name[24];
    snprintf(name, sizeof name, "video%u", (unsigned)video);
    return name;
}

void crowd_stir(struct crowd *c, uint32_t video, uint32_t writer) {
    for (unsigned i = 0; i < c->times->arrived; i++)
        if (c->viewers[i].video == video) viewer_hurry(&c->viewers[i]);
    for (unsigned i = 0; i < c->config->writers; i++) {
        struct writer *w = &c->writers[i];
        if (writer ? w->number == writer : w->video == video) writer_hurry(w);
    }
}

static void crowd_start_writers(struct crowd *c) {
    const struct crowd_config *config = c->config;
    int64_t each = config->comments ? config->calm_ms * config->writers / config->comments : config->calm_ms;
    uint32_t first = config->number * CROWD_NUMBERS + 1;
    for (unsigned i = 0; i < config->writers; i++) writer_start(&c->writers[i], c, first + i, each);
}

static void crowd_on_arrival(struct loop_timer *t) {
    struct crowd_times *times = container_of(t, struct crowd_times, arrival);
    struct crowd *c = times->crowd;
    if (times->arrived == c->config->viewers) return;
    viewer_start(&c->viewers[times->arrived++], c, c->next_viewer++);
    loop_timer_start(c->loop, t, (int64_t)crowd_random(c, 2 * ARRIVE_MS / c->config->viewers + 1));
}

static void crowd_on_calm(struct loop_timer *t) {
    struct crowd_times *times = container_of(t, struct crowd_times, calm);
    struct crowd *c = times->crowd;
    c->calm = true;
    for (unsigned i = 0; i < times->arrived; i++) viewer_calm(&c->viewers[i]);
}

static void crowd_on_shuffle(struct loop_timer *t) {
    struct crowd_times *times = container_of(t, struct crowd_times, shuffle);
    for (unsigned i = 0; i < times->arrived; i++) viewer_come_again(&times->crowd->viewers[i]);
}

static void crowd_on_quiet(struct loop_timer *t) {
    container_of(t, struct crowd_times, quiet)->crowd->quiet = true;
}

static void crowd_on_count(struct loop_timer *t) {
    count_ask(&container_of(t, struct crowd_times, count)->total);
}

static void crowd_on_end(struct loop_timer *t) {
    loop_stop(container_of(t, struct crowd_times, end)->crowd->loop);
}

static void crowd_start_times(struct crowd *c) {
    struct crowd_times *t = c->times;
    const struct crowd_config *config = c->config;
    *t = (struct crowd_times){.crowd = c,
                              .arrival.on_due = crowd_on_arrival,
                              .calm.on_due = crowd_on_calm,
                              .shuffle.on_due = crowd_on_shuffle,
                              .quiet.on_due = crowd_on_quiet,
                              .count.on_due = crowd_on_count,
                              .end.on_due = crowd_on_end};
    count_init(&t->total, c);
    loop_timer_start(c->loop, &t->arrival, 0);
    loop_timer_start(c->loop, &t->calm, config->calm_ms);
    loop_timer_start(c->loop, &t->shuffle, config->calm_ms + SHUFFLE_MS);
    loop_timer_start(c->loop, &t->quiet, config->end_ms - QUIET_MS);
    loop_timer_start(c->loop, &t->count, config->end_ms - COUNT_MS);
    loop_timer_start(c->loop, &t->end, config->end_ms);
}

static void crowd_release(struct crowd *c) {
    struct crowd_times *t = c->times;
    struct loop_timer *const timers[] = {&t->arrival, &t->calm, &t->shuffle, &t->quiet, &t->count, &t->end};
    for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) loop_timer_stop(c->loop, timers[i]);
    for (unsigned i = 0; i < t->arrived; i++) viewer_release(&c->viewers[i]);
    for (unsigned i = 0; i < c->config->writers; i++) writer_release(&c->writers[i]);
    if (c->moderator) moderator_release(c->moderator);
    if (c->ctl) ctl_release(c->ctl);
    count_release(&t->total);
    loop_drain(c->loop);
    free(c->viewers);
    free(c->writers);
    free(c->moderator);
    free(c->ctl);
    loop_free(c->loop);
}

int crowd_run(void *arg) {
    const struct crowd_config *config = arg;
    struct crowd_times times;
    struct crowd c = {.config = config, .loop = loop_new(), .times = &times};
    if (!c.loop) return 1;
    c.prng.state = config->seed + config->number;
    c.begin_ms = loop_now_ms(c.loop);
    c.next_viewer = config->number * CROWD_NUMBERS + 1;
    c.viewers = mem_zalloc((config->viewers + 1) * sizeof *c.viewers);
    c.writers = mem_zalloc((config->writers + 1) * sizeof *c.writers);
    crowd_start_times(&c);
    crowd_start_writers(&c);
    if (config->crowds) {
        c.moderator = mem_zalloc(sizeof *c.moderator);
        moderator_start(c.moderator, &c, config->number * CROWD_NUMBERS + 1);
    }
    if (config->control_count && !config->number) {
        c.ctl = mem_zalloc(sizeof *c.ctl);
        ctl_start(c.ctl, &c);
    }
    int error = loop_run(c.loop);
    crowd_release(&c);
    return error ? 1 : 0;
}

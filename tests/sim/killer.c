#include "killer.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "redis_actor.h"
#include "sim_disk.h"

enum {
    FIRST_US = 4000000, // all have come
    VIDEOS = 16,        // at least as many as there are
    SUPERVISE_US = 500000,
    SEND_BUFFER_LEAST = 4608,
    RECEIVE_BUFFER_LEAST = 2304, // Linux's least
    DOUBLINGS = 5,
    MILLISECOND = 1000,
    SECOND = 1000000
};

struct fault_kind {
    const char *name;
    unsigned weight;
    bool ends;                 // the process
    int64_t least_us, most_us; // how long
    void (*begin)(struct fault *);
    void (*end)(struct fault *); // may be NULL
    enum redis_fault redis;      // where it is one of the model of Redis
    enum sim_disk_fault disk;    // or of the disk
    bool is_redis, is_disk;
};

static void fault_end(void *);

static bool is_up(const struct service *s) {
    return s->process && sim_alive(s->process);
}

static void service_up(struct service *s) {
    if (!is_up(s)) cluster_restart(s);
}

static uint64_t fault_choose(struct fault *f, uint64_t below) {
    struct prng p = {f->number++};
    return prng_below(&p, below);
}

// Processes

static void fault_kill(struct fault *f) {
    if (is_up(f->service)) sim_kill(f->service->process);
}

static void killer_note_loss(void *arg, const char *name, uint64_t epoch, uint64_t seq) {
    struct killer *k = arg;
    struct journal_event e = {.kind = JOURNAL_LOST, .from = {epoch, seq}, .at = {epoch, seq}};
    if (sscanf(name, "video%u", &e.video) == 1) journal_add(&k->audience->journal, &e);
}

static void fault_cut_power(struct fault *f) {
    if (is_up(f->service)) sim_cut_power(f->service->process);
    sim_disk_cut_power(killer_note_loss, f->killer);
}

static void fault_terminate(struct fault *f) {
    f->process = f->service->process;
    if (is_up(f->service)) sim_signal(f->service->process, SIGTERM);
}

static void fault_restart(struct fault *f) {
    service_up(f->service);
}

// One that still gives its viewers to others is waited for.
static void fault_restart_ended(struct fault *f) {
    if (f->service->process == f->process && is_up(f->service))
        sim_at(SUPERVISE_US, fault_end, f);
    else
        service_up(f->service);
}

static void fault_pause(struct fault *f) {
    if (is_up(f->service)) sim_pause(f->service->process);
}

static void fault_continue(struct fault *f) {
    if (is_up(f->service) && sim_paused(f->service->process)) sim_continue(f->service->process);
}

static void fault_take_descriptors(struct fault *f) {
    if (is_up(f->service)) sim_limit_descriptors(f->service->process, (size_t)fault_choose(f, 8));
}

static void fault_give_descriptors(struct fault *f) {
    if (is_up(f->service)) sim_limit_descriptors(f->service->process, SIZE_MAX);
}

static void fault_take_memory(struct fault *f) {
    if (is_up(f->service)) sim_limit_memory(f->service->process, (size_t)fault_choose(f, 200000));
}

static void fault_give_memory(struct fault *f) {
    if (is_up(f->service))
        sim_limit_memory(f->service->process, SIZE_MAX);
    else
        service_up(f->service);
}

static void fault_step_clock(struct fault *f) {
    static const int64_t steps_s[] = {-3600, -60, -5, -1, 1, 5, 60, 3600};
    sim_step_clock(f->service->host, steps_s[fault_choose(f, sizeof steps_s / sizeof *steps_s)] * SECOND);
}

// The network. Between a service and another one, a crowd, or all.

static const char *fault_far_end(struct fault *f) {
    uint64_t choice = f->number % 4;
    if (choice == 0) return NULL;
    if (choice == 1) return f->killer->audience->hosts[f->number / 4 % CROWDS];
    if (choice == 2 && f->killer->cluster->engine == CLUSTER_REDIS) return "redis";
    return f->other != f->service ? f->other->host : NULL;
}

static void fault_cut(struct fault *f) {
    sim_cut(f->service->host, fault_far_end(f));
}

static void fault_heal(struct fault *f) {
    sim_heal(f->service->host, fault_far_end(f));
}

static void fault_set_path(struct fault *f, struct sim_path path) {
    const char *near = f->service->host, *far = fault_far_end(f);
    if (f->number & 16)
        sim_set_path(near, far, &path);
    else
        sim_set_path(far, near, &path);
}

static const struct sim_path usual_path = {.least_us = 100, .most_us = 2 * MILLISECOND};

static void fault_cut_one_way(struct fault *f) {
    struct sim_path path = usual_path;
    path.cut = true;
    fault_set_path(f, path);
}

static void fault_slow(struct fault *f) {
    fault_set_path(f, (struct sim_path){.least_us = 20 * MILLISECOND,
                                        .most_us = (int64_t)(50 + f->number % 900) * MILLISECOND});
}

static void fault_clog(struct fault *f) {
    struct sim_path path = usual_path;
    path.bytes_per_s = 500 + f->number % 20000;
    fault_set_path(f, path);
}

static void fault_tear(struct fault *f) {
    struct sim_path path = usual_path;
    path.reset_per_million = (unsigned)(1000 + f->number % 100000);
    fault_set_path(f, path);
}

static void fault_usual_path(struct fault *f) {
    fault_set_path(f, usual_path);
}

static void fault_reset(struct fault *f) {
    sim_reset_connections(f->service->host, fault_far_end(f));
}

// The model of Redis

static void fault_redis(struct fault *f) {
    redis_actor_begin(f->kind->redis, f->number);
}

static void fault_redis_over(struct fault *f) {
    redis_actor_end(f->kind->redis);
}

// Also what no comment stands for may be lost: the position of a video that was only looked at.
static void fault_redis_loss(struct fault *f) {
    for (unsigned video = 1; video <= VIDEOS; video++)
        journal_add(&f->killer->audience->journal,
                    &(struct journal_event){.kind = JOURNAL_LOST, .video = video});
    redis_actor_end(f->kind->redis);
}

// The disk

static void fault_disk(struct fault *f) {
    sim_disk_begin(f->kind->disk, f->number);
}

static void fault_disk_over(struct fault *f) {
    sim_disk_end(f->kind->disk);
}

#define REDIS(fault) .redis = (fault), .is_redis = true
#define DISK(fault)  .disk = (fault), .is_disk = true

static const struct fault_kind kinds[] = {
    {"kill", 20, true, 10 * MILLISECOND, 6 * SECOND, fault_kill, fault_restart},
    {"power", 6, true, 100 * MILLISECOND, 8 * SECOND, fault_cut_power, fault_restart},
    {"terminate", 6, true, 100 * MILLISECOND, 8 * SECOND, fault_terminate, fault_restart_ended},
    {"pause", 14, false, 50 * MILLISECOND, 8 * SECOND, fault_pause, fault_continue},
    {"descriptors", 5, false, 100 * MILLISECOND, 8 * SECOND, fault_take_descriptors, fault_give_descriptors},
    {"memory", 3, true, 100 * MILLISECOND, 5 * SECOND, fault_take_memory, fault_give_memory},
    {"clock", 6, false, 0, 0, fault_step_clock, NULL},
    {"cut", 12, false, 50 * MILLISECOND, 8 * SECOND, fault_cut, fault_heal},
    {"one-way", 8, false, 50 * MILLISECOND, 8 * SECOND, fault_cut_one_way, fault_usual_path},
    {"slow", 8, false, 500 * MILLISECOND, 10 * SECOND, fault_slow, fault_usual_path},
    {"clog", 6, false, 500 * MILLISECOND, 10 * SECOND, fault_clog, fault_usual_path},
    {"tear", 8, false, 500 * MILLISECOND, 10 * SECOND, fault_tear, fault_usual_path},
    {"reset", 14, false, 0, 0, fault_reset, NULL},
    {"redis-kill", 8, false, 10 * MILLISECOND, 4 * SECOND, fault_redis, fault_redis_over, REDIS(REDIS_KILL)},
    {"redis-freeze", 6, false, 50 * MILLISECOND, 5 * SECOND, fault_redis, fault_redis_over,
     REDIS(REDIS_FREEZE)},
    {"redis-failover", 6, false, 0, 0, fault_redis, NULL, REDIS(REDIS_FAILOVER)},
    {"redis-pause", 4, false, 0, 0, fault_redis, NULL, REDIS(REDIS_PAUSE)},
    {"redis-cut", 5, false, 0, 0, fault_redis, NULL, REDIS(REDIS_CUT_ALL)},
    {"redis-pubsub", 5, false, 0, 0, fault_redis, NULL, REDIS(REDIS_CUT_PUBSUB)},
    {"redis-lose", 6, false, 100 * MILLISECOND, 4 * SECOND, fault_redis, fault_redis_loss, REDIS(REDIS_LOSE)},
    {"redis-old", 5, false, 10 * MILLISECOND, 4 * SECOND, fault_redis, fault_redis_loss, REDIS(REDIS_OLD)},
    {"redis-scripts", 2, false, 0, 0, fault_redis, NULL, REDIS(REDIS_FORGET_SCRIPTS)},
    {"disk-full", 5, false, 50 * MILLISECOND, 5 * SECOND, fault_disk, fault_disk_over, DISK(SIM_DISK_FULL)},
    {"disk-errors", 6, false, 50 * MILLISECOND, 5 * SECOND, fault_disk, fault_disk_over,
     DISK(SIM_DISK_ERRORS)},
    {"disk-slow", 6, false, 500 * MILLISECOND, 8 * SECOND, fault_disk, fault_disk_over, DISK(SIM_DISK_SLOW)},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

// The plan

// What ends with its process is no store.
static unsigned killer_weight(const struct killer *k, const struct fault_kind *kind) {
    if (kind->ends && k->cluster->engine == CLUSTER_MEMORY) return 0;
    if (kind->is_redis && k->cluster->spares_streams) return 0;
    if (kind->is_disk && k->cluster->engine != CLUSTER_EMBEDDED) return 0;
    return kind->is_redis && k->cluster->engine != CLUSTER_REDIS ? 0 : kind->weight;
}

static const struct fault_kind *killer_choose(struct killer *k) {
    unsigned sum = 0, i = 0;
    for (size_t n = 0; n < KINDS; n++) sum += killer_weight(k, &kinds[n]);
    unsigned at = (unsigned)prng_below(&k->prng, sum);
    while (at >= killer_weight(k, &kinds[i])) at -= killer_weight(k, &kinds[i++]);
    return &kinds[i];
}

static void fault_begin(void *arg) {
    struct fault *f = arg;
    struct journal_event e = {.kind = JOURNAL_FAULT};
    if (f->killer->calm) return;
    bool of_service = !f->kind->is_redis && !f->kind->is_disk;
    snprintf(e.word, sizeof e.word, "%s%s%s", f->kind->name, of_service ? "_" : "",
             of_service ? f->service->host : "");
    journal_add(&f->killer->audience->journal, &e);
    f->kind->begin(f);
}

static void fault_end(void *arg) {
    struct fault *f = arg;
    if (!f->killer->calm && f->kind->end) f->kind->end(f);
}

static int64_t killer_length_us(struct killer *k, const struct fault_kind *kind) {
    uint64_t most = (uint64_t)(kind->most_us - kind->least_us) + 1;
    return kind->least_us + (int64_t)prng_below(&k->prng, prng_below(&k->prng, most) + 1);
}

static void killer_plan(struct killer *k, int64_t until_us) {
    struct cluster *c = k->cluster;
    k->count = FAULTS_MIN + (size_t)prng_below(&k->prng, FAULTS_MAX - FAULTS_MIN + 1);
    for (size_t i = 0; i < k->count; i++) {
        struct fault *f = &k->faults[i];
        f->killer = k;
        f->kind = killer_choose(k);
        f->service = &c->services[prng_below(&k->prng, c->spares_streams ? CLUSTER_SPARE : c->count)];
        f->other = &c->services[prng_below(&k->prng, c->count)];
        f->number = prng_below(&k->prng, UINT32_MAX);
        f->begin_us = FIRST_US + (int64_t)prng_below(&k->prng, (uint64_t)(until_us - FIRST_US));
        f->length_us = killer_length_us(k, f->kind);
        sim_at(f->begin_us, fault_begin, f);
        sim_at(f->begin_us + f->length_us, fault_end, f);
    }
}

// The last failover is one that loses what has not been repeated yet.
static void killer_calm_redis(struct killer *k) {
    if (k->cluster->engine != CLUSTER_REDIS || k->cluster->spares_streams) return;
    journal_add(&k->audience->journal, &(struct journal_event){.kind = JOURNAL_FAULT, .word = "redis-lag"});
    redis_actor_calm();
}

// Ends all that lasts. What is half open is reset: the other end answers by now.
static void killer_calm(void *arg) {
    struct killer *k = arg;
    struct sim_kernel kernel = sim_get_kernel();
    k->calm = true;
    sim_set_path(NULL, NULL, &usual_path);
    sim_heal(NULL, NULL);
    kernel.short_read_per_million = kernel.short_write_per_million = 0;
    kernel.again_per_million = kernel.refuse_per_million = 0;
    sim_set_kernel(&kernel);
    killer_calm_redis(k);
    sim_disk_calm();
    for (size_t i = 0; i < k->cluster->count; i++) {
        struct service *s = &k->cluster->services[i];
        if (is_up(s) && sim_paused(s->process)) sim_continue(s->process);
        if (is_up(s)) sim_limit_descriptors(s->process, SIZE_MAX);
        if (is_up(s)) sim_limit_memory(s->process, SIZE_MAX);
        service_up(s);
        for (unsigned n = 0; n < CROWDS; n++) sim_reset_connections(s->host, k->audience->hosts[n]);
    }
    journal_add(&k->audience->journal, &(struct journal_event){.kind = JOURNAL_CALM});
}

// As systemd does: a process that has ended by itself is started again, unless the killer keeps it down.
static void killer_supervise(void *arg) {
    struct killer *k = arg;
    for (size_t i = 0; i < k->cluster->count; i++) {
        struct service *s = &k->cluster->services[i];
        if (k->calm || (!is_up(s) && sim_exit_code(s->process) > 0)) service_up(s);
    }
    sim_at(SUPERVISE_US, killer_supervise, k);
}

// In every other world sockets hold a few KiB, so that frames are often half sent, and viewers fall behind.
// Chance of its own: what else a seed does stays as it is.
static void killer_narrow(struct sim_kernel *kernel, uint64_t seed, bool always) {
    struct prng p = {seed ^ 0x6e6172726f77};
    if (prng_below(&p, 2) && !always) return;
    kernel->send_buffer = (size_t)SEND_BUFFER_LEAST << (always ? 0 : prng_below(&p, DOUBLINGS));
    kernel->receive_buffer = (size_t)RECEIVE_BUFFER_LEAST << (always ? 0 : prng_below(&p, DOUBLINGS));
}

static void killer_disturb(struct killer *k, uint64_t seed) {
    struct sim_kernel kernel = sim_get_kernel();
    kernel.short_read_per_million = (unsigned)prng_below(&k->prng, 300000);
    kernel.short_write_per_million = (unsigned)prng_below(&k->prng, 300000);
    kernel.again_per_million = (unsigned)prng_below(&k->prng, 100000);
    kernel.refuse_per_million = (unsigned)prng_below(&k->prng, 20000);
    killer_narrow(&kernel, seed, k->cluster->tight);
    sim_set_kernel(&kernel);
    sim_set_path(NULL, NULL, &usual_path);
}

void killer_start(struct killer *k, uint64_t seed, struct cluster *cluster, struct audience *audience) {
    *k = (struct killer){.prng.state = seed ^ 0x6b696c6c, .cluster = cluster, .audience = audience};
    killer_disturb(k, seed);
    redis_actor_watch_losses(killer_note_loss, k);
    killer_plan(k, audience->calm_us - SECOND);
    sim_at(audience->calm_us, killer_calm, k);
    sim_at(SUPERVISE_US, killer_supervise, k);
}

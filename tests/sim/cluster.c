#include "cluster.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/up.h"
#include "base/mem.h"
#include "engines.h"
#include "judge/checker.h"
#include "redis_actor.h"
#include "sim_disk.h"

enum { ARGUMENT_SIZE = 160, VARIANTS = 6, KEPT = 1000, KEPT_FEW = 20 };

__attribute__((format(printf, 2, 3))) static void service_add(struct service *s, const char *format, ...) {
    char text[ARGUMENT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (s->argc == sizeof s->argv / sizeof *s->argv) abort();
    s->argv[s->argc++] = mem_strdup(text);
}

static struct service *cluster_add(struct cluster *c, const char *host, int (*run)(int, char **)) {
    struct service *s = &c->services[c->count++];
    *s = (struct service){.host = host, .main = run};
    service_add(s, "--bind=%s", sim_address(host));
    service_add(s, "--internal-from=10.0.0.0/8");
    return s;
}

static int service_run(void *arg) {
    struct service *s = arg;
    return s->main(s->argc, s->argv);
}

void cluster_restart(struct service *s) {
    sim_disk_restart();
    s->process = sim_start(s->host, service_run, s);
}

// Of little memory each worker has a part: what it keeps of a video for slow viewers is 8 or 16 KiB. One
// process alone has few viewers, unless videos are hot.
static void cluster_add_workers(const struct cluster *c, struct service *s, bool is_alone) {
    service_add(s, c->tight ? "--workers=8" : "--workers=2");
    if (c->tight) service_add(s, is_alone && !c->hot.sets ? "--memory=128k" : "--memory=256k");
}

// In one process all readers share its viewers, and there is no other one to send any to.
static void cluster_add_marks(const struct cluster *c, struct service *s, bool has_readers,
                              bool has_manager) {
    enum { ALONE = 2, SPARE_PERCENT = 120 };
    const struct hot_plan *hot = &c->hot;
    if (!hot->sets) return;
    unsigned all = hot->viewers * SPARE_PERCENT / 100, most = hot->most;
    if (has_readers && has_manager) most = ALONE * most > all ? ALONE * most : all;
    if (has_readers) service_add(s, "--max-viewers=%u", most);
    if (!has_manager) return;
    service_add(s, "--hot-after-ms=%u", hot->grow_ms);
    service_add(s, "--cool-after-ms=%u", hot->shrink_ms);
}

static void cluster_add_control(const struct cluster *c, struct service *s) {
    if (c->hot.orders) service_add(s, "--control=/%d", CLUSTER_CONTROL);
}

static struct service *cluster_add_all_in_one(struct cluster *c) {
    struct service *s = cluster_add(c, "up", up_main);
    cluster_add_workers(c, s, true);
    service_add(s, "--data=" SIM_DISK_FOLDER);
    if (c->hot.sets) service_add(s, "--hot-set");
    cluster_add_marks(c, s, true, true);
    cluster_add_control(c, s);
    return s;
}

// Every other seed writes through to the disk. Comments last for longer than clocks are stepped by: a process
// that starts cannot know that it was no such time for which it was away.
static void cluster_add_embedded(struct cluster *c) {
    struct service *s = cluster_add_all_in_one(c);
    bool durable = sim_random(2);
    service_add(s, "--log-age-ms=86400000");
    if (durable) service_add(s, "--durable");
    sim_disk_start(sim_random(UINT64_MAX), durable);
}

static void cluster_add_roles(struct cluster *c) {
    static const struct {
        const char *host;
        int (*run)(int, char **);
        bool reports, has_manager, has_workers;
    } roles[] = {
        {"statistics", statistics_main, false, false, false}, {"manager-1", manager_main, true, false, false},
        {"manager-2", manager_main, true, false, false},      {"comment-1", comment_main, true, true, false},
        {"comment-2", comment_main, true, true, false},       {"reader-1", reader_main, true, false, true},
        {"reader-2", reader_main, true, false, true},         {"reader-3", reader_main, true, false, true}};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        struct service *s = cluster_add(c, roles[i].host, roles[i].run);
        service_add(s, "--redis=redis://%s:6379", sim_address("redis"));
        service_add(s, "--instance-id=%s", roles[i].host);
        if (roles[i].reports) service_add(s, "--statistics-url=http://%s:5000", sim_address("statistics"));
        if (roles[i].has_manager)
            service_add(s, "--manager-url=http://%s:6000",
                        sim_address(roles[i].host[8] == '1' ? "manager-1" : "manager-2"));
        if (roles[i].has_workers) cluster_add_workers(c, s, false);
        cluster_add_marks(c, s, roles[i].has_workers, roles[i].run == manager_main);
        if (roles[i].has_workers && c->drains) service_add(s, "--connect-rate=%u", c->drains);
        if (roles[i].has_workers) service_add(s, "--drain-seconds=%d", JUDGE_DRAIN_S);
        if (roles[i].run == manager_main || !strcmp(roles[i].host, "comment-1")) cluster_add_control(c, s);
        if (c->kept == KEPT || !roles[i].has_manager) continue;
        service_add(s, "--log-entries=%u", c->kept);
        service_add(s, "--log-min-age-ms=0");
    }
}

void cluster_start(struct cluster *c, enum cluster_engine engine, uint64_t seed, bool may_be_hot) {
    *c = (struct cluster){.engine = engine, .kept = KEPT};
    if (may_be_hot) c->hot = hot_plan(seed);
    if (engine == CLUSTER_SIM && seed % VARIANTS == 0) c->kept = KEPT_FEW;
    c->tight = seed % VARIANTS == 3;
    c->drains = seed % 2 ? (unsigned)(20 + seed % 23) : 0;
    c->spares_streams = seed % VARIANTS == 1 && (engine == CLUSTER_SIM || engine == CLUSTER_REDIS);
    if (engine == CLUSTER_SIM) engines_start_store();
    if (engine == CLUSTER_REDIS) redis_actor_start();
    if (engine == CLUSTER_MEMORY) engines_use_memory();
    switch (engine) {
    case CLUSTER_MEMORY: cluster_add_all_in_one(c); break;
    case CLUSTER_EMBEDDED: cluster_add_embedded(c); break;
    case CLUSTER_REDIS:
    case CLUSTER_SIM: cluster_add_roles(c); break;
    }
    for (size_t i = 0; i < c->count; i++) cluster_restart(&c->services[i]);
}

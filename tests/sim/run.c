#include "run.h"

#include <stdio.h>
#include <stdlib.h>

#include "audience.h"
#include "engines.h"
#include "killer.h"
#include "placed.h"
#include "service/json_start.h"
#include "sim_disk.h"
#include "store_killer.h"

// The first finding is the run's failure.
static void run_check(struct audience *a, struct run_result *r) {
    struct verdict *v = calloc(1, sizeof *v);
    if (!v) abort();
    audience_judge(a, v);
    if (v->count)
        sim_fail("%s: %s (%.3f s; %zu findings)", v->findings[0].code, v->findings[0].text,
                 (double)v->findings[0].at_us / 1e6, v->count);
    for (size_t i = 1; i < v->count && i < FINDINGS_KEPT; i++)
        sim_note("%.6f %s: %s", (double)v->findings[i].at_us / 1e6, v->findings[i].code, v->findings[i].text);
    if (!v->counted && !sim_has_failed()) sim_fail("uncounted: neither the comments nor a ledger");
    r->comments = v->comments;
    r->deliveries = v->deliveries;
    r->reconnects = v->reconnects;
    r->faults = v->faults;
    for (int i = 0; i < 3; i++) r->gaps[i] = v->gaps[i];
    free(v);
}

void run_seed(const struct run_plan *plan, struct run_result *result) {
    static struct cluster cluster;
    static struct audience audience;
    static struct killer killer;
    static struct store_killer store_killer;
    clearenv(); // options are read from it, too
    json_start(1);
    sim_world_start(plan->seed, plan->trace);
    cluster_start(&cluster, plan->engine, plan->seed, plan->hot);
    audience_init(&audience, plan->seed, &cluster, plan->seconds * 1000);
    audience_start(&audience);
    killer_start(&killer, plan->seed, &cluster, &audience);
    if (cluster.hot.sets || cluster.hot.orders)
        placed_start(plan->engine, &audience.journal, audience.crowds[0].videos);
    if (engines_store() && !cluster.spares_streams)
        store_killer_start(&store_killer, plan->seed, engines_store(), &cluster, &audience.journal,
                           audience.calm_us);
    sim_world_run(audience.end_us);
    *result = (struct run_result){.seed = plan->seed, .seconds = sim_now_us() / 1000000};
    run_check(&audience, result);
    struct sim_counts c = sim_counts();
    result->hash = sim_hash();
    result->connections = c.connections;
    result->turns = c.turns;
    result->failed = sim_has_failed();
    result->complete = true;
    snprintf(result->failure, sizeof result->failure, "%s", sim_failure());
    audience_release(&audience);
    sim_disk_free();
    sim_world_free();
}

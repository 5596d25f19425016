#include "run.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/clients_main.h"

enum { FIRST_CLIENT_US = 1000000 };

static int run_clients(void *arg) {
    const struct run_plan *plan = arg;
    char comment[80], manager[80], statistics[80], duration[40];
    snprintf(comment, sizeof comment, "--comment-url=http://%s:3000", sim_address("up"));
    snprintf(manager, sizeof manager, "--manager-url=http://%s:6000", sim_address("up"));
    snprintf(statistics, sizeof statistics, "--statistics-url=http://%s:5000", sim_address("up"));
    snprintf(duration, sizeof duration, "--duration=%d", (int)plan->seconds - 10);
    char *argv[] = {comment, manager, statistics, duration, (char *)"--viewers=50", (char *)"--rate=5"};
    return clients_main(sizeof argv / sizeof *argv, argv);
}

static void start_clients(void *arg) {
    sim_start("clients", run_clients, arg);
}

void run_seed(const struct run_plan *plan, struct run_result *result) {
    struct cluster cluster;
    clearenv(); // options are read from it, too
    json_set_alloc_funcs(malloc, free);
    json_object_seed(1);
    sim_world_start(plan->seed, plan->trace);
    cluster_start(&cluster, plan->engine);
    sim_at(FIRST_CLIENT_US, start_clients, (void *)plan);
    sim_world_run(plan->seconds * 1000000);
    struct sim_counts c = sim_counts();
    *result = (struct run_result){.seed = plan->seed,
                                  .hash = sim_hash(),
                                  .faults = c.faults,
                                  .connections = c.connections,
                                  .turns = c.turns,
                                  .seconds = sim_now_us() / 1000000,
                                  .failed = sim_has_failed(),
                                  .complete = true};
    snprintf(result->failure, sizeof result->failure, "%s", sim_failure());
    sim_world_free();
}

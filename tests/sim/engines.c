// The linker leads redis_open() and embedded_open() here (--wrap). The store is common to all processes. The
// engine of tests/memory is compiled with another name here, memory_open().
#include "engines.h"

#include "engine/embedded.h"
#include "engine/redis.h"
#include "engine/sim_store_world.h"
#include "sim.h"

static struct sim_store *store;
static struct prng store_numbers;
static bool in_memory;

struct engine *__real_embedded_open(struct loop *, const struct embedded_config *, char *why,
                                    size_t why_size);
struct engine *__wrap_embedded_open(struct loop *, const struct embedded_config *, char *why,
                                    size_t why_size);
struct engine *memory_open(struct loop *, const struct embedded_config *, char *why, size_t why_size);
struct engine *__real_redis_open(struct loop *, const struct redis_config *);
struct engine *__wrap_redis_open(struct loop *, const struct redis_config *);

struct engine *__wrap_embedded_open(struct loop *loop, const struct embedded_config *config, char *why,
                                    size_t why_size) {
    return in_memory ? memory_open(loop, config, why, why_size)
                     : __real_embedded_open(loop, config, why, why_size);
}

struct engine *__wrap_redis_open(struct loop *loop, const struct redis_config *config) {
    return store ? sim_engine_open(store, loop, &config->limits) : __real_redis_open(loop, config);
}

// The world of the store

static int64_t store_now_us(void *arg) {
    (void)arg;
    return sim_now_us();
}

static int64_t store_wall_ms(void *arg) {
    (void)arg;
    return sim_wall_us("redis") / 1000;
}

static void store_at(void *arg, int64_t delay_us, void (*run)(void *), void *run_arg) {
    (void)arg;
    sim_at(delay_us, run, run_arg);
}

static bool store_sees_alive(void *arg, const void *process) {
    (void)arg;
    return sim_alive(process);
}

static void *store_step_out(void *arg) {
    (void)arg;
    return sim_step_out();
}

static void store_step_in(void *arg, void *process) {
    (void)arg;
    sim_step_in(process);
}

static void store_trace(void *arg, const char *line) {
    (void)arg;
    sim_trace("%s", line);
}

void engines_use_memory(void) {
    in_memory = true;
}

struct sim_store *engines_start_store(void) {
    static const struct sim_store_world world = {.now_us = store_now_us,
                                                 .wall_ms = store_wall_ms,
                                                 .at = store_at,
                                                 .alive = store_sees_alive,
                                                 .step_out = store_step_out,
                                                 .step_in = store_step_in,
                                                 .trace = store_trace};
    store_numbers.state = sim_random(UINT64_MAX);
    store = sim_store_new(&world, &store_numbers, SIM_PATHS_MAX);
    sim_store_faults(store)->least_us = 100;
    sim_store_faults(store)->most_us = 2000;
    return store;
}

struct sim_store *engines_store(void) {
    return store;
}

void engines_end(void) {
    if (store) sim_store_free(store);
    store = NULL;
}

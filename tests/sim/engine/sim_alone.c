// The simulated engine in a real loop, without faults: it replaces embedded_open() at link time, as the
// engine in memory does, so that the tests of engines run on it. A store belongs to a folder, whose name is
// all that is used of it, and keeps its data until the program ends: an engine that is opened again finds it.
#include "engine/embedded.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/uthash.h"
#include "engine/engine.h"
#include "sim_store.h"
#include "sim_store_loop.h"

struct alone {
    char *folder;
    struct loop *loop;
    struct sim_store_loop *world;
    struct prng prng;
    struct sim_store *store;
    struct alone *next;
};

static struct alone *stores;

__attribute__((destructor)) static void alone_free_all(void) {
    struct alone *a, *next;
    LL_FOREACH_SAFE(stores, a, next) {
        sim_store_free(a->store);
        free(a->world); // its loop has ended, and nothing is due where nothing takes time
        free(a->folder);
        free(a);
    }
}

static struct alone *alone_of(const char *folder, struct loop *loop) {
    struct alone *a;
    LL_FOREACH(stores, a) {
        if (!strcmp(a->folder, folder) && a->loop == loop) return a;
    }
    a = mem_zalloc(sizeof *a);
    a->folder = mem_strdup(folder);
    a->loop = loop;
    a->world = sim_store_loop_new(loop);
    a->store = sim_store_new(sim_store_loop_world(a->world), &a->prng, 1);
    LL_PREPEND(stores, a);
    return a;
}

struct engine *embedded_open(struct loop *loop, const struct embedded_config *config, char *why,
                             size_t why_size) {
    (void)why, (void)why_size;
    return sim_engine_open(alone_of(config->folder, loop)->store, loop, &config->limits);
}

#include "sqlite_memory.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdlib.h>

// In front of each block, and as aligned as malloc()'s.
union head {
    int size;
    max_align_t aligned;
};

static void *memory_alloc(int size) {
    union head *h = malloc(sizeof *h + (size_t)size);
    if (!h) return NULL;
    h->size = size;
    return h + 1;
}

static void *memory_realloc(void *old, int size) {
    union head *h = realloc((union head *)old - 1, sizeof *h + (size_t)size);
    if (!h) return NULL;
    h->size = size;
    return h + 1;
}

static void memory_free(void *p) {
    if (p) free((union head *)p - 1);
}

static int memory_size(void *p) {
    return p ? ((union head *)p - 1)->size : 0;
}

static int memory_round_up(int size) {
    return (size + 7) & ~7;
}

static int memory_init(void *arg) {
    (void)arg;
    return SQLITE_OK;
}

static void memory_shut_down(void *arg) {
    (void)arg;
}

void sqlite_memory_install(void) {
    static const sqlite3_mem_methods methods = {.xMalloc = memory_alloc,
                                                .xFree = memory_free,
                                                .xRealloc = memory_realloc,
                                                .xSize = memory_size,
                                                .xRoundup = memory_round_up,
                                                .xInit = memory_init,
                                                .xShutdown = memory_shut_down};
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}

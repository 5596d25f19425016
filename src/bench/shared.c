#include "bench/shared.h"

#include <sys/mman.h>

static void *share(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

struct bench_shared *bench_shared_new(const struct bench_plan *plan) {
    struct bench_shared *s = share(sizeof *s + plan->processes * sizeof *s->load);
    if (!s) return NULL;
    s->videos = plan->videos;
    s->newest = share(plan->processes * plan->videos * sizeof *s->newest);
    s->numbers = share(plan->videos * sizeof *s->numbers);
    return s->newest && s->numbers ? s : NULL;
}

#include "bench/shared.h"

#include <sys/mman.h>
#include <unistd.h>

static void *share(size_t size) {
    int fd = memfd_create("chorus-bench", MFD_CLOEXEC);
    if (fd < 0) return NULL;
    void *memory =
        ftruncate(fd, (off_t)size) ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED) memory = NULL;
    return memory;
}

struct bench_shared *bench_shared_new(const struct bench_plan *plan) {
    struct bench_shared *s = share(sizeof *s + plan->processes * sizeof *s->load);
    if (!s) return NULL;
    s->newest = share(plan->videos * sizeof *s->newest);
    s->numbers = share(plan->videos * sizeof *s->numbers);
    return s->newest && s->numbers ? s : NULL;
}

void bench_shared_note(struct bench_shared *s, unsigned video, struct position p) {
    struct bench_newest *newest = &s->newest[video];
    while (atomic_exchange(&newest->busy, true)) continue;
    if (position_compare(p, newest->at) > 0) newest->at = p;
    newest->busy = false;
}

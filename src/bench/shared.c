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
    s->videos = plan->videos;
    s->newest = share(plan->processes * plan->videos * sizeof *s->newest);
    s->numbers = share(plan->videos * sizeof *s->numbers);
    return s->newest && s->numbers ? s : NULL;
}

#include "bench/shared.h"

#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LOOK_MS = 100, LOOK_MS_MAX = 500, LOOK_MS_PER_PROCESS = 5 };

static void *share(size_t size) {
    int fd = memfd_create("chorus-bench", MFD_CLOEXEC);
    if (fd < 0) return NULL;
    void *memory =
        ftruncate(fd, (off_t)size) ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED) memory = NULL;
    return memory;
}

static void draw_videos(struct bench_shared *s, const struct bench_plan *plan) {
    struct prng prng = {.state = plan->seed};
    if (plan->law.kind != DISTRIBUTION_UNIFORM) s->law = distribution_new(plan->law, plan->videos);
    for (size_t i = 0; i < plan->viewers; i++) {
        size_t video = s->law ? distribution_choose(s->law, &prng) : i % plan->videos;
        s->video_of[i] = (uint32_t)video;
        s->watched += s->place[video] == PLACE_UNWATCHED;
        s->place[video] = PLACE_UNKNOWN;
    }
}

struct bench_shared *bench_shared_new(const struct bench_plan *plan) {
    struct bench_shared *s = share(sizeof *s + plan->processes * sizeof *s->load);
    if (!s) return NULL;
    s->endpoints = share(sizeof *s->endpoints);
    s->video_of = share(plan->viewers * sizeof *s->video_of);
    s->place = share(plan->videos * sizeof *s->place);
    s->newest = share(plan->videos * sizeof *s->newest);
    s->numbers = share(plan->videos * sizeof *s->numbers);
    if (!s->endpoints || !s->video_of || !s->place || !s->newest || !s->numbers) return NULL;
    draw_videos(s, plan);
    return s;
}

int bench_look_ms(const struct bench_plan *plan) {
    int ms = (int)plan->processes * LOOK_MS_PER_PROCESS;
    return ms < LOOK_MS ? LOOK_MS : ms > LOOK_MS_MAX ? LOOK_MS_MAX : ms;
}

const struct endpoint *bench_shared_endpoint(const struct bench_shared *s, unsigned video) {
    unsigned place = s->place[video];
    return place < PLACE_FIRST ? NULL : &s->endpoints->at[place - PLACE_FIRST];
}

void bench_shared_note(struct bench_shared *s, unsigned video, struct position p) {
    struct bench_newest *newest = &s->newest[video];
    while (atomic_exchange(&newest->busy, true)) sched_yield();
    if (position_compare(p, newest->at) > 0) newest->at = p;
    newest->busy = false;
}

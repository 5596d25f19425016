#include "shared.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
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

static size_t size_of(const struct bench_plan *plan) {
    return sizeof(struct bench_shared) + plan->processes * sizeof(struct bench_load);
}

struct bench_shared *bench_shared_new(const struct bench_plan *plan) {
    struct bench_shared *s = share(size_of(plan));
    if (!s) return NULL;
    s->endpoints = share(sizeof *s->endpoints);
    s->video_of = share(plan->viewers * sizeof *s->video_of);
    s->place = share(plan->videos * sizeof *s->place);
    s->newest = share(plan->videos * sizeof *s->newest);
    s->numbers = share(plan->videos * sizeof *s->numbers);
    if (!s->endpoints || !s->video_of || !s->place || !s->newest || !s->numbers) {
        bench_shared_free(s, plan);
        return NULL;
    }
    draw_videos(s, plan);
    return s;
}

static void give_back(void *memory, size_t size) {
    if (memory) munmap(memory, size);
}

void bench_shared_free(struct bench_shared *s, const struct bench_plan *plan) {
    distribution_free(s->law);
    give_back(s->endpoints, sizeof *s->endpoints);
    give_back(s->video_of, plan->viewers * sizeof *s->video_of);
    give_back((void *)s->place, plan->videos * sizeof *s->place);
    give_back(s->newest, plan->videos * sizeof *s->newest);
    give_back((void *)s->numbers, plan->videos * sizeof *s->numbers);
    munmap(s, size_of(plan));
}

void bench_note_error(char error[BENCH_ERROR_SIZE], const char *format, ...) {
    va_list args;
    if (*error) return;
    va_start(args, format);
    vsnprintf(error, BENCH_ERROR_SIZE, format, args);
    va_end(args);
    for (char *c = error; *c; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f) *c = '?';
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
    newest->answered++;
    if (position_compare(p, newest->at) > 0) newest->at = p;
    newest->busy = false;
}

#include "shared.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { POLL_MS = 100, POLL_MS_MAX = 500, POLL_MS_PER_PROCESS = 5 };

static void *shared_alloc(size_t size) {
    int fd = memfd_create("chorus-bench", MFD_CLOEXEC);
    if (fd < 0) return NULL;
    void *memory =
        ftruncate(fd, (off_t)size) ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED) memory = NULL;
    return memory;
}

static void shared_draw_videos(struct bench_shared *s, const struct bench_plan *plan) {
    struct prng prng = {.state = plan->seed};
    if (plan->law.kind != DISTRIBUTION_UNIFORM) s->law = distribution_new(plan->law, plan->videos);
    for (size_t i = 0; i < plan->viewers; i++) {
        size_t video = s->law ? distribution_choose(s->law, &prng) : i % plan->videos;
        s->video_of[i] = (uint32_t)video;
        s->watched += s->place[video] == PLACE_UNWATCHED;
        s->place[video] = PLACE_UNKNOWN;
    }
}

static size_t shared_size(const struct bench_plan *plan) {
    return sizeof(struct bench_shared) + plan->processes * sizeof(struct bench_load);
}

struct bench_shared *bench_shared_new(const struct bench_plan *plan) {
    struct bench_shared *s = shared_alloc(shared_size(plan));
    if (!s) return NULL;
    s->endpoints = shared_alloc(sizeof *s->endpoints);
    s->video_of = shared_alloc(plan->viewers * sizeof *s->video_of);
    s->place = shared_alloc(plan->videos * sizeof *s->place);
    s->newest = shared_alloc(plan->videos * sizeof *s->newest);
    s->numbers = shared_alloc(plan->videos * sizeof *s->numbers);
    if (!s->endpoints || !s->video_of || !s->place || !s->newest || !s->numbers) {
        bench_shared_free(s, plan);
        return NULL;
    }
    shared_draw_videos(s, plan);
    return s;
}

static void shared_unmap(void *memory, size_t size) {
    if (memory) munmap(memory, size);
}

void bench_shared_free(struct bench_shared *s, const struct bench_plan *plan) {
    distribution_free(s->law);
    shared_unmap(s->endpoints, sizeof *s->endpoints);
    shared_unmap(s->video_of, plan->viewers * sizeof *s->video_of);
    shared_unmap((void *)s->place, plan->videos * sizeof *s->place);
    shared_unmap(s->newest, plan->videos * sizeof *s->newest);
    shared_unmap((void *)s->numbers, plan->videos * sizeof *s->numbers);
    munmap(s, shared_size(plan));
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

int bench_poll_ms(const struct bench_plan *plan) {
    int ms = (int)plan->processes * POLL_MS_PER_PROCESS;
    return ms < POLL_MS ? POLL_MS : ms > POLL_MS_MAX ? POLL_MS_MAX : ms;
}

const struct endpoint *bench_shared_endpoint(const struct bench_shared *s, unsigned video) {
    unsigned place = s->place[video];
    return place < PLACE_FIRST ? NULL : &s->endpoints->at[place - PLACE_FIRST];
}

void bench_shared_record_answer(struct bench_shared *s, unsigned video, struct position p) {
    struct bench_newest *newest = &s->newest[video];
    while (atomic_exchange(&newest->busy, true)) sched_yield();
    newest->answered++;
    if (position_compare(p, newest->at) > 0) newest->at = p;
    newest->busy = false;
}

// Threads as coroutines: each has a stack, and only sim_world_run(), on the stack of main(), chooses which
// goes on.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core.h"
#include "switch.h"

#if defined __SANITIZE_ADDRESS__
#define WITH_ASAN 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif

#ifdef WITH_ASAN
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/asan_interface.h>
#else
static void __sanitizer_start_switch_fiber(void **fake, const void *bottom, size_t size) {
    (void)fake, (void)bottom, (void)size;
}
static void __sanitizer_finish_switch_fiber(void *fake, const void **bottom, size_t *size) {
    (void)fake, (void)bottom, (void)size;
}
static void __asan_unpoison_memory_region(void *p, size_t size) {
    (void)p, (void)size;
}
#endif

enum { STACK_BYTES = 512 << 10, GUARD_BYTES = 4096, TURN_LEAST_US = 1, TURN_MOST_US = 12 };

static struct sim_thread **ready;
static size_t ready_count, ready_room;
static void **spare_stacks; // the first word of a spare one points to the next
static void *main_pointer, *main_fake;
static const void *main_bottom;
static size_t main_size;

static void *stack_new(void) {
    void *stack = spare_stacks;
    if (stack) {
        spare_stacks = *(void **)((char *)stack + GUARD_BYTES);
        return stack;
    }
    stack =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED || mprotect(stack, GUARD_BYTES, PROT_NONE)) abort();
    return stack;
}

static void stack_spare(void *stack) {
    __asan_unpoison_memory_region((char *)stack + GUARD_BYTES, STACK_BYTES - GUARD_BYTES);
    *(void **)((char *)stack + GUARD_BYTES) = spare_stacks;
    spare_stacks = stack;
}

void threads_release(void) {
    while (spare_stacks) {
        void *stack = spare_stacks;
        spare_stacks = *(void **)((char *)stack + GUARD_BYTES);
        munmap(stack, STACK_BYTES);
    }
    kernel_free(ready);
    ready = NULL;
    ready_count = ready_room = 0;
}

// The list of those that are ready

static void thread_list(struct sim_thread *t) {
    if (t->listed || t->process->is_paused) return;
    if (ready_count == ready_room) {
        ready_room = ready_room ? ready_room * 2 : 64;
        ready = kernel_grow(ready, ready_room * sizeof(struct sim_thread *));
    }
    ready[ready_count++] = t;
    t->listed = true;
}

static struct sim_thread *ready_take(size_t i) {
    struct sim_thread *t = ready[i];
    ready[i] = ready[--ready_count];
    t->listed = false;
    return t;
}

void threads_unlist(struct sim_process *p) {
    for (size_t i = ready_count; i--;)
        if (ready[i]->process == p) ready_take(i);
}

void threads_list(struct sim_process *p) {
    for (struct sim_thread *t = p->threads; t; t = t->next)
        if (t->state == THREAD_READY) thread_list(t);
}

bool threads_are_ready(void) {
    return ready_count > 0;
}

// Switching

static void thread_switch_out(struct sim_thread *t) {
    bool ends = t->state == THREAD_ENDED;
    __sanitizer_start_switch_fiber(ends ? NULL : &t->fake_stack, main_bottom, main_size);
    switch_stack(&t->stack_pointer, main_pointer);
    __sanitizer_finish_switch_fiber(t->fake_stack, &main_bottom, &main_size);
}

static void thread_switch_in(struct sim_thread *t) {
    process_switch_variables(t->process);
    world.running = t;
    world.self = t->process;
    __sanitizer_start_switch_fiber(&main_fake, (char *)t->stack + GUARD_BYTES, STACK_BYTES - GUARD_BYTES);
    switch_stack(&main_pointer, t->stack_pointer);
    __sanitizer_finish_switch_fiber(main_fake, NULL, NULL);
    world.running = NULL;
    world.self = NULL;
}

void threads_run_one(void) {
    struct sim_thread *t = ready_take(ready_count > 1 ? (size_t)sim_random(ready_count) : 0);
    world.now_us += TURN_LEAST_US + (int64_t)(world.random[1] % TURN_MOST_US);
    world.counts.turns++;
    thread_switch_in(t);
    if (t->state == THREAD_ENDED && t->detached && t->process->state == PROCESS_ALIVE) thread_free(t);
}

// Life

static void thread_entry(void) {
    struct sim_thread *t = world.running;
    __sanitizer_finish_switch_fiber(NULL, &main_bottom, &main_size);
    t->result = t->run(t->arg);
    t->state = THREAD_ENDED;
    thread_wake_all(t->process, t);
    thread_leave();
}

void thread_leave(void) {
    world.running->state = THREAD_ENDED;
    thread_switch_out(world.running);
    abort(); // it never runs again
}

static void on_thread_due(struct event *e) {
    thread_wake((struct sim_thread *)((char *)e - offsetof(struct sim_thread, due)));
}

struct sim_thread *thread_start(struct sim_process *p, void *(*run)(void *), void *arg) {
    struct sim_thread *t = kernel_alloc(sizeof *t);
    *t = (struct sim_thread){.process = p, .next = p->threads, .run = run, .arg = arg};
    t->due.run = on_thread_due;
    t->stack = stack_new();
    t->stack_pointer = switch_prepare((char *)t->stack + STACK_BYTES, thread_entry);
    p->threads = t;
    thread_list(t);
    return t;
}

void thread_free(struct sim_thread *t) {
    struct sim_thread **at = &t->process->threads;
    while (*at != t) at = &(*at)->next;
    *at = t->next;
    event_stop(&t->due);
    stack_spare(t->stack);
    kernel_free(t);
}

void thread_wait(const void *what, int64_t due_us) {
    struct sim_thread *t = world.running;
    t->state = THREAD_WAITING;
    t->waits_for = what;
    if (due_us != INT64_MAX) event_start(&t->due, due_us);
    thread_switch_out(t);
    t->waits_for = NULL;
}

void thread_yield(void) {
    struct sim_thread *t = world.running;
    thread_list(t);
    thread_switch_out(t);
}

void sim_sleep(int64_t us) {
    thread_wait(world.running, world.now_us + us);
}

void thread_wake(struct sim_thread *t) {
    if (t->state != THREAD_WAITING) return;
    event_stop(&t->due);
    t->state = THREAD_READY;
    thread_list(t);
}

void thread_wake_all(struct sim_process *p, const void *what) {
    for (struct sim_thread *t = p->threads; t; t = t->next)
        if (t->state == THREAD_WAITING && t->waits_for == what) thread_wake(t);
}

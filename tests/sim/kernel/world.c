#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core.h"

struct world world;

int64_t sim_now_us(void) {
    return world.now_us;
}

static uint64_t rotate_left(uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
}

// xoshiro256** (Blackman and Vigna 2018)
static uint64_t random_next(void) {
    uint64_t *s = world.random, result = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

static uint64_t mix(uint64_t z) { // splitmix64
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t sim_random(uint64_t below) {
    return (uint64_t)(((unsigned __int128)random_next() * below) >> 64);
}

bool sim_chance(unsigned per_million) {
    return per_million && sim_random(1000000) < per_million;
}

// The hash

static void hash_add(const char *text, size_t len) {
    uint64_t h = world.hash ^ (uint64_t)world.now_us * 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < len; i++) h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
    world.hash = mix(h);
}

uint64_t sim_hash(void) {
    uint64_t h = world.hash ^ world.counts.bytes ^ rotate_left(world.counts.turns, 32);
    return mix(h ^ world.random[0]);
}

static void trace_print(const char *text) {
    const char *name = world.self ? world.self->host->name : "-";
    printf("%10.6f %-12s %s\n", (double)world.now_us / 1e6, name, text);
}

bool sim_is_traced(void) {
    return world.traced;
}

void sim_trace_text(const char *text) {
    hash_add(text, strlen(text));
    if (world.traced) trace_print(text);
}

void sim_trace(const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sim_trace_text(text);
}

void sim_note(const char *format, ...) {
    char text[2048];
    if (!world.traced) return;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    trace_print(text);
}

// The end

void sim_fail(const char *format, ...) {
    if (world.failed) return;
    world.failed = true;
    va_list args;
    va_start(args, format);
    vsnprintf(world.failure, sizeof world.failure, format, args);
    va_end(args);
    sim_trace("FAILED: %s", world.failure);
    sim_end();
}

bool sim_has_failed(void) {
    return world.failed;
}

const char *sim_failure(void) {
    return world.failure;
}

void sim_end(void) {
    world.ended = true;
}

struct sim_counts sim_counts(void) {
    return world.counts;
}

void sim_count_fault(void) {
    world.counts.faults++;
}

void sim_set_kernel(const struct sim_kernel *k) {
    world.kernel = *k;
}

struct sim_kernel sim_get_kernel(void) {
    return world.kernel;
}

// The run

void sim_world_start(uint64_t seed, bool trace) {
    world = (struct world){.seed = seed, .traced = trace};
    world.kernel = (struct sim_kernel){.send_buffer = 256 << 10, .receive_buffer = 128 << 10};
    for (unsigned i = 0; i < 4; i++) world.random[i] = mix(seed + (i + 1) * (uint64_t)0x9e3779b97f4a7c15u);
    memory_init(&world.memory);
}

// What is due comes first: a thread that is ready never keeps a packet from arriving.
void sim_world_run(int64_t until_us) {
    world.ended = false;
    while (!world.ended) {
        processes_reap();
        int64_t next_us = events_run_due();
        if (world.ended) break;
        if (threads_are_ready()) {
            threads_run_one();
        } else if (next_us > until_us) {
            world.now_us = until_us;
            break;
        } else if (next_us > world.now_us) {
            world.now_us = next_us;
        }
        if (world.now_us > until_us) break;
    }
    processes_reap();
}

void sim_world_free(void) {
    processes_release();
    network_release();
    threads_release();
    memory_release(&world.memory);
    for (uint32_t i = 0; i < world.host_count; i++) kernel_free(world.hosts[i]);
    kernel_free(world.hosts);
    kernel_free(world.heap);
    world.hosts = NULL;
    world.heap = NULL;
    world.host_count = world.events = world.heap_room = 0;
}

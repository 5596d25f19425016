// Memory of processes: the functions of base/mem.h, and free(), which the linker leads here (--wrap).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "core.h"
#include "pool.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *p);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t len);

void *kernel_grow(void *old, size_t size) {
    void *p = __real_realloc(old, size);
    if (!p) abort();
    return p;
}

void *kernel_alloc(size_t size) {
    void *p = __real_calloc(1, size);
    if (!p) abort();
    return p;
}

void kernel_free(void *p) {
    __real_free(p);
}

// Blocks of any size: small ones from the pool, large ones as pages of their own, which the kernel clears
// when they are touched. A process that starts has some that it hardly uses.
enum { MAPPED_BYTES = 256 << 10 };

static struct block *block_take(size_t size, bool zero) {
    if (size >= MAPPED_BYTES) {
        struct block *b =
            mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        return b == MAP_FAILED ? NULL : b;
    }
    if (!pool_has(size)) return zero ? __real_calloc(1, size) : __real_malloc(size);
    struct block *b = pool_take(size);
    return zero ? memset(b, 0, size) : b;
}

static void block_give(struct block *b) {
    size_t size = sizeof *b + b->size;
    if (size >= MAPPED_BYTES)
        munmap(b, size);
    else if (pool_has(size))
        pool_give(b, size);
    else
        __real_free(b);
}

// Returns the block with room for `size`, which includes its head; it may have moved.
static struct block *block_resize(struct block *b, size_t size) {
    size_t before = sizeof *b + b->size;
    if (pool_is_alike(before, size)) return b;
    if (before >= MAPPED_BYTES && size >= MAPPED_BYTES) {
        struct block *grown = mremap(b, before, size, MREMAP_MAYMOVE);
        if (grown == MAP_FAILED) abort();
        return grown;
    }
    struct block *moved = block_take(size, false);
    if (!moved) abort();
    memcpy(moved, b, before < size ? before : size);
    block_give(b);
    return moved;
}

void memory_init(struct memory *m) {
    m->blocks.prev = m->blocks.next = &m->blocks;
    m->max = SIZE_MAX;
}

void memory_release(struct memory *m) {
    for (struct block *b = m->blocks.next, *next; b != &m->blocks; b = next) {
        next = b->next;
        block_give(b);
    }
    m->blocks.prev = m->blocks.next = &m->blocks;
    m->used = 0;
}

static struct memory *memory_here(void) {
    return world.self ? &world.self->memory : &world.memory;
}

static void block_link(struct block *b) {
    struct block *head = &b->owner->blocks;
    b->prev = head->prev;
    b->next = head;
    b->prev->next = b;
    head->prev = b;
    b->owner->used += b->size;
}

static void block_unlink(struct block *b) {
    b->prev->next = b->next;
    b->next->prev = b->prev;
    b->owner->used -= b->size;
}

static void *block_new(size_t size, bool zero) {
    struct memory *m = memory_here();
    if (m->used + size > m->max) return NULL;
    struct block *b = block_take(sizeof *b + size, zero);
    if (!b) return NULL;
    b->owner = m;
    b->size = size;
    block_link(b);
    return b + 1;
}

void *__wrap_malloc(size_t size) {
    return block_new(size, false);
}

void *__wrap_calloc(size_t count, size_t size) {
    return block_new(count * size, true);
}

void *__wrap_realloc(void *old, size_t size) {
    if (!old) return __wrap_malloc(size);
    struct block *b = (struct block *)old - 1;
    if (size > b->size && b->owner->used + (size - b->size) > b->owner->max) return NULL;
    block_unlink(b);
    b = block_resize(b, sizeof *b + size);
    b->size = size;
    block_link(b);
    return b + 1;
}

void __wrap_free(void *p) {
    if (!p) return;
    struct block *b = (struct block *)p - 1;
    block_unlink(b);
    block_give(b);
}

char *__wrap_strndup(const char *s, size_t len) {
    len = strnlen(s, len);
    char *copy = __wrap_malloc(len + 1);
    if (!copy) return NULL;
    memcpy(copy, s, len);
    copy[len] = 0;
    return copy;
}

char *__wrap_strdup(const char *s) {
    return __wrap_strndup(s, strlen(s));
}

// base/mem.h

void mem_abort(const char *what) {
    if (!world.self) {
        fprintf(stderr, "chorus_sim: out of memory: %s\n", what);
        abort();
    }
    sim_trace("out of memory: %s", what);
    sim_kill(world.self);
    abort(); // never reached
}

void *mem_alloc(size_t size) {
    void *p = __wrap_malloc(size);
    if (!p) mem_abort("malloc");
    return p;
}

void *mem_zalloc(size_t size) {
    void *p = block_new(size, true);
    if (!p) mem_abort("malloc");
    return p;
}

void *mem_realloc(void *old, size_t size) {
    void *p = __wrap_realloc(old, size);
    if (!p) mem_abort("realloc");
    return p;
}

char *mem_strndup(const char *s, size_t len) {
    char *copy = mem_alloc(len + 1);
    memcpy(copy, s, len);
    copy[len] = 0;
    return copy;
}

char *mem_strdup(const char *s) {
    return mem_strndup(s, strlen(s));
}

void sim_limit_memory(struct sim_process *p, size_t left) {
    size_t most = SIZE_MAX - p->memory.used;
    p->memory.max = left < most ? p->memory.used + left : SIZE_MAX;
}

size_t sim_memory_used(const struct sim_process *p) {
    return p->memory.used;
}

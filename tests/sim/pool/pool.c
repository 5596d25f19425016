#include "pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// glibc's own, also in a program that leads malloc() and free() elsewhere.
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *p);

// Sizes are rounded up to 16 bytes, and from 512 bytes on to an eighth of a power of two.
enum { STEP = 16, STEPS_MAX = 512, CLASSES = 128, PAGES_BYTES = 8 << 20, HUGE_PAGE = 2 << 20 };

struct free_block {
    struct free_block *next;
};

static struct free_block *free_blocks[CLASSES];
static char *pages, *pages_end;

static unsigned class_of(size_t size) {
    size_t last = size - 1;
    if (last < STEPS_MAX) return (unsigned)(last / STEP);
    unsigned shift = 63 - (unsigned)__builtin_clzll(last) - 3; // 6 for 512
    return STEPS_MAX / STEP + (shift - 6) * 8 + (unsigned)(last >> shift) - 8;
}

static size_t class_bytes(size_t size) {
    size_t last = size - 1, step = STEP;
    if (last >= STEPS_MAX) step = (size_t)1 << (63 - __builtin_clzll(last) - 3);
    return (last / step + 1) * step;
}

// Large pages, as a run touches nearly all, and each fault costs as much as many comments.
static void pool_grow(void) {
    char *p = mmap(NULL, PAGES_BYTES + HUGE_PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) abort();
    pages = (char *)(((uintptr_t)p + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
    pages_end = pages + PAGES_BYTES;
    madvise(pages, PAGES_BYTES, MADV_HUGEPAGE);
}

void *pool_take(size_t size) {
    struct free_block **list = &free_blocks[class_of(size)], *b = *list;
    if (b) {
        *list = b->next;
        return b;
    }
    size_t bytes = class_bytes(size);
    if (bytes > (size_t)(pages_end - pages)) pool_grow();
    char *cut = pages;
    pages += bytes;
    return cut;
}

void pool_give(void *p, size_t size) {
    struct free_block **list = &free_blocks[class_of(size)], *b = p;
    b->next = *list;
    *list = b;
}

bool pool_is_alike(size_t size, size_t other) {
    return pool_has(size) && pool_has(other) && class_of(size) == class_of(other);
}

void *pool_resize(void *old, size_t old_size, size_t size) {
    if (!pool_has(old_size) && !pool_has(size)) {
        if (size) return __libc_realloc(old, size);
        __libc_free(old);
        return NULL;
    }
    if (pool_is_alike(old_size, size)) return old;
    void *p = pool_has(size) ? pool_take(size) : size ? __libc_realloc(NULL, size) : NULL;
    if (size && !p) return NULL;
    if (p && old) memcpy(p, old, old_size < size ? old_size : size);
    if (pool_has(old_size))
        pool_give(old, old_size);
    else
        __libc_free(old);
    return p;
}

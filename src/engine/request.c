#include "engine/request.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

// Held memory comes in chunks that grow, so that a mapping's answer is small and a range of 1,000 entries is
// not 1,000 allocations.
enum { SMALLEST_CHUNK = 512, LARGEST_CHUNK = 64 * 1024 };

struct request_chunk {
    struct request_chunk *next;
    size_t size, used;
    alignas(max_align_t) char bytes[];
};

void *request_new(size_t size, size_t text_room, request_carry_out *carry_out, request_call_back *call_back,
                  void *arg) {
    struct request *r = mem_alloc(size + text_room);
    memset(r, 0, size);
    r->carry_out = carry_out;
    r->call_back = call_back;
    r->arg = arg;
    r->bytes = size + text_room;
    r->copied = size;
    return r;
}

void request_reset(struct request *r) {
    while (r->held) {
        struct request_chunk *chunk = r->held;
        r->held = chunk->next;
        free(chunk);
    }
    r->held_bytes = 0;
    r->status = ENGINE_OK;
}

void request_free(struct request *r) {
    request_reset(r);
    free(r);
}

char *request_room(struct request *r, size_t n) {
    assert(r->copied + n <= r->bytes);
    char *room = (char *)r + r->copied;
    r->copied += n;
    return room;
}

size_t request_copy_size(const char *string) {
    return string ? strlen(string) + 1 : 0;
}

const char *request_copy(struct request *r, const char *string) {
    if (!string) return NULL;
    size_t size = strlen(string) + 1;
    return memcpy(request_room(r, size), string, size);
}

static struct request_chunk *request_add_chunk(struct request *r, size_t at_least) {
    size_t size = r->held ? r->held->size * 2 : SMALLEST_CHUNK;
    if (size > LARGEST_CHUNK) size = LARGEST_CHUNK;
    if (size < at_least) size = at_least;
    struct request_chunk *chunk = mem_alloc(sizeof *chunk + size);
    *chunk = (struct request_chunk){.next = r->held, .size = size};
    r->held = chunk;
    r->held_bytes += size;
    return chunk;
}

void *request_hold(struct request *r, size_t n) {
    size_t unit = alignof(max_align_t);
    n = (n + unit - 1) / unit * unit;
    struct request_chunk *chunk = r->held;
    if (!chunk || chunk->size - chunk->used < n) chunk = request_add_chunk(r, n);
    void *place = chunk->bytes + chunk->used;
    chunk->used += n;
    return place;
}

char *request_hold_text(struct request *r, const void *bytes, size_t n) {
    char *text = request_hold(r, n + 1);
    if (n) memcpy(text, bytes, n);
    text[n] = 0;
    return text;
}

void request_list_add(struct request_list *l, struct request *r) {
    r->next = NULL;
    if (l->last)
        l->last->next = r;
    else
        l->first = r;
    l->last = r;
    l->count++;
}

struct request *request_list_take(struct request_list *l) {
    struct request *r = l->first;
    if (!r) return NULL;
    l->first = r->next;
    if (!l->first) l->last = NULL;
    l->count--;
    return r;
}

void request_list_move(struct request_list *to, struct request_list *from) {
    if (!from->first) return;
    if (to->last)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    to->count += from->count;
    *from = (struct request_list){0};
}

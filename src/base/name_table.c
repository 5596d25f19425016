#include "base/name_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

enum { SMALLEST = 8 };

static size_t name_table_bucket(const struct name_table *t, const char *name) {
    return (size_t)hash_bytes(name, strlen(name)) & (t->bucket_count - 1);
}

void name_table_release(struct name_table *t) {
    free(t->buckets);
    *t = (struct name_table){0};
}

struct name_entry *name_table_find(const struct name_table *t, const char *name) {
    if (!t->count) return NULL;
    struct name_entry *e = t->buckets[name_table_bucket(t, name)];
    while (e && strcmp(e->name, name) != 0) e = e->next;
    return e;
}

static void name_table_link(struct name_table *t, struct name_entry *e) {
    struct name_entry **bucket = &t->buckets[name_table_bucket(t, e->name)];
    e->next = *bucket;
    *bucket = e;
}

static void name_table_grow(struct name_table *t) {
    struct name_table grown = {.bucket_count = t->bucket_count ? t->bucket_count * 2 : SMALLEST,
                               .count = t->count};
    grown.buckets = mem_zalloc(grown.bucket_count * sizeof(struct name_entry *));
    for (size_t i = 0; i < t->bucket_count; i++) {
        for (struct name_entry *e = t->buckets[i], *next; e; e = next) {
            next = e->next;
            name_table_link(&grown, e);
        }
    }
    free(t->buckets);
    *t = grown;
}

void name_table_add(struct name_table *t, struct name_entry *e) {
    if (t->count == t->bucket_count) name_table_grow(t);
    name_table_link(t, e);
    t->count++;
}

void name_table_remove(struct name_table *t, struct name_entry *e) {
    struct name_entry **at = &t->buckets[name_table_bucket(t, e->name)];
    while (*at != e) {
        assert(*at);
        at = &(*at)->next;
    }
    *at = e->next;
    if (!--t->count) name_table_release(t);
}

struct name_entry *name_table_next(const struct name_table *t, const struct name_entry *entry) {
    if (entry && entry->next) return entry->next;
    size_t i = entry ? name_table_bucket(t, entry->name) + 1 : 0;
    while (i < t->bucket_count && !t->buckets[i]) i++;
    return i < t->bucket_count ? t->buckets[i] : NULL;
}

#include "base/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

enum { SMALLEST = 8 };

static size_t place_of(const struct table *t, const char *name) {
    return (size_t)hash_bytes(name, strlen(name)) & (t->room - 1);
}

void table_release(struct table *t) {
    free(t->places);
    *t = (struct table){0};
}

struct table_entry *table_find(const struct table *t, const char *name) {
    if (!t->count) return NULL;
    struct table_entry *e = t->places[place_of(t, name)];
    while (e && strcmp(e->name, name) != 0) e = e->next;
    return e;
}

static void put(struct table *t, struct table_entry *e) {
    struct table_entry **place = &t->places[place_of(t, e->name)];
    e->next = *place;
    *place = e;
}

static void grow(struct table *t) {
    struct table grown = {.room = t->room ? t->room * 2 : SMALLEST, .count = t->count};
    grown.places = mem_zalloc(grown.room * sizeof(struct table_entry *));
    for (size_t i = 0; i < t->room; i++) {
        for (struct table_entry *e = t->places[i], *next; e; e = next) {
            next = e->next;
            put(&grown, e);
        }
    }
    free(t->places);
    *t = grown;
}

void table_add(struct table *t, struct table_entry *e) {
    if (t->count == t->room) grow(t);
    put(t, e);
    t->count++;
}

void table_remove(struct table *t, struct table_entry *e) {
    struct table_entry **at = &t->places[place_of(t, e->name)];
    while (*at != e) {
        assert(*at);
        at = &(*at)->next;
    }
    *at = e->next;
    if (!--t->count) table_release(t);
}

struct table_entry *table_next(const struct table *t, const struct table_entry *entry) {
    if (entry && entry->next) return entry->next;
    size_t i = entry ? place_of(t, entry->name) + 1 : 0;
    while (i < t->room && !t->places[i]) i++;
    return i < t->room ? t->places[i] : NULL;
}

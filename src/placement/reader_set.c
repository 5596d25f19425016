#include "placement/reader_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "placement/readers.h"

struct reader_set *reader_set_read(const struct engine_set *from) {
    size_t size = strlen(from->text) + 1;
    struct reader_set *s = mem_zalloc(sizeof *s + size);
    s->references = 1;
    s->generation = from->generation;
    memcpy(s->text, from->text, size);
    char *at = s->text;
    while (*at && s->count < READER_SET_MAX) {
        size_t len = strcspn(at, " ");
        char *next = at[len] ? at + len + 1 : at + len;
        at[len] = 0;
        if (placement_url_is_plain(at) && !reader_set_has(s, at)) s->urls[s->count++] = at;
        at = next;
    }
    return s;
}

void reader_set_unref(struct reader_set *s) {
    if (s && !--s->references) free(s);
}

bool reader_set_take(struct reader_set **set, const struct engine_set *from) {
    if (*set && (*set)->generation == from->generation) return false;
    reader_set_unref(*set);
    *set = from->generation ? reader_set_read(from) : NULL;
    return true;
}

size_t reader_set_find(const struct reader_set *s, const char *url) {
    size_t i = 0;
    while (s && i < s->count && strcmp(s->urls[i], url) != 0) i++;
    return i;
}

bool reader_set_has(const struct reader_set *s, const char *url) {
    return s && reader_set_find(s, url) < s->count;
}

void reader_set_write(struct buf *b, const char *const *urls, size_t count) {
    for (size_t i = 0; i < count; i++) buf_printf(b, "%s%s", i ? " " : "", urls[i]);
}

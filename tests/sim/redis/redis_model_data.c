#include "redis_model_data.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

// Bytes

struct model_text *model_text_new(const void *bytes, size_t len) {
    struct model_text *t = mem_alloc(sizeof *t + len + 1);
    t->len = len;
    if (len) memcpy(t->at, bytes, len);
    t->at[len] = 0;
    return t;
}

struct model_bytes model_bytes_of(const struct model_text *t) {
    return (struct model_bytes){t->at, t->len};
}

struct model_bytes model_bytes_of_string(const char *string) {
    return (struct model_bytes){string, strlen(string)};
}

int model_bytes_compare(struct model_bytes a, struct model_bytes b) {
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool model_bytes_equal(struct model_bytes a, struct model_bytes b) {
    return a.len == b.len && !memcmp(a.at, b.at, a.len);
}

bool model_bytes_are(struct model_bytes b, const char *word) {
    return strlen(word) == b.len && !strncasecmp(b.at, word, b.len);
}

bool model_bytes_integer(struct model_bytes b, int64_t *out) {
    char text[32], *end;
    bool negative = b.len && b.at[0] == '-';
    if (b.len <= negative || b.len >= sizeof text) return false;
    char first = b.at[negative];
    if (first < '0' || first > '9' || (first == '0' && b.len > 1)) return false;
    memcpy(text, b.at, b.len);
    text[b.len] = 0;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return !errno && end == text + b.len;
}

bool model_bytes_match(struct model_bytes b, const char *pattern) {
    struct model_text *text = model_text_new(b.at, b.len);
    bool matches = !fnmatch(pattern, text->at, 0);
    free(text);
    return matches;
}

// Keys

struct model_key *model_key_find(struct model_key *keys, struct model_bytes name) {
    struct model_key *k;
    HASH_FIND(hh, keys, name.at, name.len, k);
    return k;
}

struct model_key *model_key_add(struct model_key **keys, struct model_bytes name, enum model_type type) {
    struct model_key *k = mem_zalloc(sizeof *k + name.len + 1);
    k->type = type;
    k->len = name.len;
    memcpy(k->name, name.at, name.len);
    HASH_ADD_KEYPTR(hh, *keys, k->name, k->len, k);
    return k;
}

static void model_value_release(struct model_key *k) {
    struct model_field *f, *next;
    free(k->string);
    for (size_t i = 0; i < k->list.count; i++) free(k->list.at[i]);
    free(k->list.at);
    HASH_ITER(hh, k->fields, f, next) {
        HASH_DEL(k->fields, f);
        free(f->value);
        free(f);
    }
    free(k->order);
    model_stream_release(&k->stream);
}

void model_key_remove(struct model_key **keys, struct model_key *k) {
    HASH_DEL(*keys, k);
    model_value_release(k);
    free(k);
}

void model_keys_clear(struct model_key **keys) {
    struct model_key *k, *next;
    HASH_ITER(hh, *keys, k, next) model_key_remove(keys, k);
}

void model_key_rename(struct model_key **keys, struct model_key *k, struct model_bytes name) {
    struct model_key *old = model_key_find(*keys, name);
    if (old == k) return;
    if (old) model_key_remove(keys, old);
    struct model_key *renamed = model_key_add(keys, name, k->type);
    renamed->expires_ms = k->expires_ms;
    renamed->string = k->string;
    renamed->list = k->list;
    renamed->fields = k->fields;
    renamed->order = k->order;
    renamed->order_room = k->order_room;
    renamed->stream = k->stream;
    HASH_DEL(*keys, k);
    free(k);
}

void model_key_set_string(struct model_key *k, struct model_bytes value) {
    struct model_text *text = model_text_new(value.at, value.len); // `value` may be part of what is replaced
    free(k->string);
    k->string = text;
}

bool model_key_is_empty(const struct model_key *k) {
    switch (k->type) {
    case MODEL_STRING:
    case MODEL_STREAM: return false;
    case MODEL_LIST: return !k->list.count;
    case MODEL_SET:
    case MODEL_HASH:
    case MODEL_ZSET: return !k->fields;
    }
    return false;
}

size_t model_key_bytes(const struct model_key *k) {
    size_t bytes = 64 + k->len + (k->string ? k->string->len : 0) + k->stream.bytes;
    for (size_t i = 0; i < k->list.count; i++) bytes += 16 + k->list.at[i]->len;
    for (const struct model_field *f = k->fields; f; f = f->hh.next)
        bytes += 16 + f->len + (f->value ? f->value->len : 0);
    return bytes;
}

// Hashes, sets and sorted sets

struct model_field *model_field_find(const struct model_key *k, struct model_bytes name) {
    struct model_field *f;
    HASH_FIND(hh, k->fields, name.at, name.len, f);
    return f;
}

struct model_field *model_field_add(struct model_key *k, struct model_bytes name) {
    struct model_field *f = mem_zalloc(sizeof *f + name.len + 1);
    f->len = name.len;
    memcpy(f->name, name.at, name.len);
    HASH_ADD_KEYPTR(hh, k->fields, f->name, f->len, f);
    return f;
}

void model_field_set(struct model_field *f, struct model_bytes value) {
    free(f->value);
    f->value = model_text_new(value.at, value.len);
}

size_t model_field_count(const struct model_key *k) {
    return HASH_COUNT(k->fields);
}

static int model_member_compare(const struct model_field *a, const struct model_field *b) {
    if (a->score != b->score) return a->score < b->score ? -1 : 1;
    return model_bytes_compare((struct model_bytes){a->name, a->len}, (struct model_bytes){b->name, b->len});
}

// Returns where a member of a sorted set is, or belongs.
static size_t model_member_rank(const struct model_key *k, size_t count, const struct model_field *f) {
    size_t low = 0;
    for (size_t high = count; low < high;) {
        size_t middle = (low + high) / 2;
        if (model_member_compare(k->order[middle], f) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void model_order_remove(struct model_key *k, size_t count, const struct model_field *f) {
    size_t rank = model_member_rank(k, count, f);
    memmove(k->order + rank, k->order + rank + 1, (count - rank - 1) * sizeof *k->order);
}

static void model_order_add(struct model_key *k, size_t count, struct model_field *f) {
    if (count == k->order_room) {
        k->order_room = count ? 2 * count : 8;
        k->order = mem_realloc(k->order, k->order_room * sizeof *k->order);
    }
    size_t rank = model_member_rank(k, count, f);
    memmove(k->order + rank + 1, k->order + rank, (count - rank) * sizeof *k->order);
    k->order[rank] = f;
}

struct model_field *model_member_set(struct model_key *k, struct model_bytes name, double score) {
    struct model_field *f = model_field_find(k, name);
    size_t count = model_field_count(k);
    if (f)
        model_order_remove(k, count--, f);
    else
        f = model_field_add(k, name);
    f->score = score;
    model_order_add(k, count, f);
    return f;
}

void model_field_remove(struct model_key *k, struct model_field *f) {
    if (k->type == MODEL_ZSET) model_order_remove(k, model_field_count(k), f);
    HASH_DEL(k->fields, f);
    free(f->value);
    free(f);
}

// Lists

void model_slice(int64_t start, int64_t stop, size_t count, size_t *first, size_t *length) {
    int64_t n = (int64_t)count;
    if (start < 0) start = start + n < 0 ? 0 : start + n;
    if (stop < 0) stop += n;
    if (stop >= n) stop = n - 1;
    bool empty = start > stop || start >= n;
    *first = empty ? 0 : (size_t)start;
    *length = empty ? 0 : (size_t)(stop - start + 1);
}

void model_list_insert(struct model_list *l, size_t at, struct model_bytes value) {
    if (l->count == l->room) {
        l->room = l->room ? 2 * l->room : 8;
        l->at = mem_realloc(l->at, l->room * sizeof *l->at);
    }
    memmove(l->at + at + 1, l->at + at, (l->count - at) * sizeof *l->at);
    l->at[at] = model_text_new(value.at, value.len);
    l->count++;
}

void model_list_keep(struct model_list *l, size_t first, size_t count) {
    for (size_t i = 0; i < l->count; i++)
        if (i < first || i >= first + count) free(l->at[i]);
    if (count) memmove(l->at, l->at + first, count * sizeof *l->at);
    l->count = count;
}

size_t model_list_remove(struct model_list *l, struct model_bytes value) {
    size_t kept = 0, count = l->count;
    for (size_t i = 0; i < count; i++) {
        if (model_bytes_equal(model_bytes_of(l->at[i]), value))
            free(l->at[i]);
        else
            l->at[kept++] = l->at[i];
    }
    l->count = kept;
    return count - kept;
}

// Streams

int model_id_compare(struct model_id a, struct model_id b) {
    if (a.ms != b.ms) return a.ms < b.ms ? -1 : 1;
    return (a.seq > b.seq) - (a.seq < b.seq);
}

size_t model_stream_length(const struct model_stream *s) {
    return s->end - s->first;
}

size_t model_stream_find(const struct model_stream *s, struct model_id id) {
    size_t low = s->first;
    for (size_t high = s->end; low < high;) {
        size_t middle = (low + high) / 2;
        if (model_id_compare(s->at[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void model_stream_grow(struct model_stream *s) {
    if (s->first > s->end / 2) {
        memmove(s->at, s->at + s->first, model_stream_length(s) * sizeof *s->at);
        s->end -= s->first;
        s->first = 0;
    } else {
        s->room = s->room ? 2 * s->room : 8;
        s->at = mem_realloc(s->at, s->room * sizeof *s->at);
    }
}

static size_t model_entry_bytes(const struct model_entry *e) {
    size_t bytes = 24;
    for (size_t i = 0; i < e->count; i++) bytes += 4 + e->texts[i]->len;
    return bytes;
}

void model_stream_add(struct model_stream *s, struct model_id id, const struct model_bytes *texts,
                      size_t count) {
    if (s->end == s->room) model_stream_grow(s);
    struct model_entry *e = &s->at[s->end++];
    *e = (struct model_entry){.id = id, .count = count, .texts = mem_alloc(count * sizeof *e->texts)};
    for (size_t i = 0; i < count; i++) e->texts[i] = model_text_new(texts[i].at, texts[i].len);
    s->last = id;
    s->bytes += model_entry_bytes(e);
}

static void model_entry_release(struct model_stream *s, struct model_entry *e) {
    s->bytes -= model_entry_bytes(e);
    for (size_t i = 0; i < e->count; i++) free(e->texts[i]);
    free(e->texts);
}

void model_stream_remove(struct model_stream *s, size_t index) {
    if (model_id_compare(s->last_deleted, s->at[index].id) < 0) s->last_deleted = s->at[index].id;
    model_entry_release(s, &s->at[index]);
    memmove(s->at + index, s->at + index + 1, (s->end - index - 1) * sizeof *s->at);
    s->end--;
}

void model_stream_trim(struct model_stream *s, size_t count) {
    for (; count; count--) model_entry_release(s, &s->at[s->first++]);
}

void model_stream_release(struct model_stream *s) {
    model_stream_trim(s, model_stream_length(s));
    free(s->at);
}

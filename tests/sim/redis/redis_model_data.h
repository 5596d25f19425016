// Private to the model of Redis: keys and their values, as data. Iteration is in the order of insertion.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uthash.h"

// Borrowed bytes.
struct model_bytes {
    const char *at;
    size_t len;
};

// Owned bytes, followed by a NUL.
struct model_text {
    size_t len;
    char at[];
};

enum model_type { MODEL_STRING, MODEL_LIST, MODEL_SET, MODEL_HASH, MODEL_ZSET, MODEL_STREAM };

// A field of a hash, or a member of a set.
struct model_field {
    UT_hash_handle hh;
    struct model_text *value; // of a hash
    double score;             // of a sorted set
    size_t len;
    char name[];
};

struct model_list {
    struct model_text **at;
    size_t count, room;
};

struct model_id {
    uint64_t ms, seq;
};

struct model_entry {
    struct model_id id;
    size_t count;
    struct model_text **texts;
};

struct model_stream {
    struct model_entry *at; // sorted; those before `first` have been trimmed
    size_t first, end, room;
    struct model_id last, last_deleted;
    size_t bytes;
};

struct model_key {
    UT_hash_handle hh;
    enum model_type type;
    int64_t expires_ms; // 0: never
    struct model_text *string;
    struct model_list list;
    struct model_field *fields; // of a set, hash or sorted set
    struct model_field **order; // of a sorted set: by score and name
    size_t order_room;
    struct model_stream stream;
    size_t len;
    char name[];
};

struct model_text *model_text_new(const void *bytes, size_t len);
struct model_bytes model_bytes_of(const struct model_text *);
struct model_bytes model_bytes_of_string(const char *);
bool model_bytes_equal(struct model_bytes, struct model_bytes);
int model_bytes_compare(struct model_bytes, struct model_bytes); // as memcmp(), the shorter first
bool model_bytes_are(struct model_bytes, const char *word);      // in any case

// Reads a decimal number as Redis writes it: without leading zeros, a plus sign or white space.
bool model_bytes_integer(struct model_bytes, int64_t *);

// Whether it matches a pattern of KEYS. Backslashes and classes as fnmatch(3) has them.
bool model_bytes_match(struct model_bytes, const char *pattern);

struct model_key *model_key_find(struct model_key *keys, struct model_bytes name);
struct model_key *model_key_add(struct model_key **keys, struct model_bytes name, enum model_type);
void model_key_remove(struct model_key **keys, struct model_key *);
void model_keys_clear(struct model_key **keys);

// Gives an existing key another name; what has that name is replaced.
void model_key_rename(struct model_key **keys, struct model_key *, struct model_bytes name);

void model_key_set_string(struct model_key *, struct model_bytes);

struct model_field *model_field_find(const struct model_key *, struct model_bytes name);
struct model_field *model_field_add(struct model_key *, struct model_bytes name); // of a hash or set
void model_field_set(struct model_field *, struct model_bytes value);
void model_field_remove(struct model_key *, struct model_field *);
size_t model_field_count(const struct model_key *);

// A sorted set: gives a member its score, and adds it if it is new.
struct model_field *model_member_set(struct model_key *, struct model_bytes name, double score);

// Where a list or sorted set is to be cut: turns indices of Redis (negative ones from the end) into `first`
// and `count`.
void model_slice(int64_t start, int64_t stop, size_t count, size_t *first, size_t *length);

// `at`: 0 before the first, or the count for behind the last.
void model_list_insert(struct model_list *, size_t at, struct model_bytes);
void model_list_keep(struct model_list *, size_t first, size_t count);
size_t model_list_remove(struct model_list *, struct model_bytes); // all that equal it; how many

// Whether nothing is left, so that Redis deletes the key. (A stream may be empty.)
bool model_key_is_empty(const struct model_key *);

// About how much memory it takes.
size_t model_key_bytes(const struct model_key *);

// Streams

int model_id_compare(struct model_id, struct model_id);
size_t model_stream_length(const struct model_stream *);

// Returns the index of the first entry that is not before `id`.
size_t model_stream_find(const struct model_stream *, struct model_id id);

// Adds an entry, whose id is higher than the last one.
void model_stream_add(struct model_stream *, struct model_id, const struct model_bytes *texts, size_t count);
void model_stream_remove(struct model_stream *, size_t index);
void model_stream_trim(struct model_stream *, size_t count); // the oldest `count` entries
void model_stream_release(struct model_stream *);

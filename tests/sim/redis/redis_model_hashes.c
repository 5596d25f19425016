// Commands on hashes, sets and lists.
#include <inttypes.h>
#include <stdio.h>

#include "redis_model_server.h"

static struct model_bytes model_name_of(const struct model_field *f) {
    return (struct model_bytes){f->name, f->len};
}

// Hashes

static void model_hset(struct model_call *c) {
    struct model_key *k;
    int64_t added = 0;
    if (c->argc % 2) {
        model_reply_error(c, "ERR wrong number of arguments for 'hset' command");
        return;
    }
    if (!model_find_or_add(c, MODEL_HASH, &k)) return;
    for (int i = 2; i < c->argc; i += 2) {
        struct model_field *f = model_field_find(k, c->argv[i]);
        added += !f;
        if (!f) f = model_field_add(k, c->argv[i]);
        model_field_set(f, c->argv[i + 1]);
    }
    c->changed = true;
    model_reply_integer(c, added);
}

static void model_reply_field(struct model_call *c, const struct model_key *k, struct model_bytes name) {
    const struct model_field *f = k ? model_field_find(k, name) : NULL;
    if (f)
        model_reply_bytes(c, model_bytes_of(f->value));
    else
        model_reply_nil(c);
}

static void model_hget(struct model_call *c) {
    struct model_key *k;
    if (model_find_typed(c, MODEL_HASH, &k)) model_reply_field(c, k, c->argv[2]);
}

static void model_hmget(struct model_call *c) {
    struct model_key *k;
    if (!model_find_typed(c, MODEL_HASH, &k)) return;
    model_reply_array(c, (size_t)c->argc - 2);
    for (int i = 2; i < c->argc; i++) model_reply_field(c, k, c->argv[i]);
}

static void model_hexists(struct model_call *c) {
    struct model_key *k;
    if (model_find_typed(c, MODEL_HASH, &k)) model_reply_integer(c, k && model_field_find(k, c->argv[2]));
}

static void model_hlen(struct model_call *c) {
    struct model_key *k;
    if (model_find_typed(c, MODEL_HASH, &k)) model_reply_integer(c, k ? (int64_t)model_field_count(k) : 0);
}

static void model_reply_fields(struct model_call *c, bool with_values) {
    struct model_key *k;
    if (!model_find_typed(c, MODEL_HASH, &k)) return;
    model_reply_array(c, k ? model_field_count(k) * (with_values ? 2 : 1) : 0);
    for (const struct model_field *f = k ? k->fields : NULL; f; f = f->hh.next) {
        model_reply_bytes(c, model_name_of(f));
        if (with_values) model_reply_bytes(c, model_bytes_of(f->value));
    }
}

static void model_hkeys(struct model_call *c) {
    model_reply_fields(c, false);
}

static void model_hgetall(struct model_call *c) {
    model_reply_fields(c, true);
}

static void model_hincrby(struct model_call *c) {
    struct model_key *k;
    int64_t by, n = 0;
    char text[24];
    if (!model_arg_integer(c, 3, &by) || !model_find_typed(c, MODEL_HASH, &k)) return;
    struct model_field *f = k ? model_field_find(k, c->argv[2]) : NULL;
    if (f && !model_bytes_integer(model_bytes_of(f->value), &n)) {
        model_reply_error(c, "ERR hash value is not an integer");
        return;
    }
    if (__builtin_add_overflow(n, by, &n)) {
        model_reply_error(c, "ERR increment or decrement would overflow");
        return;
    }
    if (!k) k = model_key_add(model_keys(c), c->argv[1], MODEL_HASH);
    if (!f) f = model_field_add(k, c->argv[2]);
    snprintf(text, sizeof text, "%" PRId64, n);
    model_field_set(f, model_bytes_of_string(text));
    c->changed = true;
    model_reply_integer(c, n);
}

// HDEL, ZREM
void model_remove_fields(struct model_call *c) {
    struct model_key *k;
    int64_t count = 0;
    if (!model_find_typed(c, c->command->name[0] == 'z' ? MODEL_ZSET : MODEL_HASH, &k)) return;
    for (int i = 2; k && i < c->argc; i++) {
        struct model_field *f = model_field_find(k, c->argv[i]);
        if (!f) continue;
        model_field_remove(k, f);
        count++;
    }
    if (k) model_delete_if_empty(c, k);
    c->changed = count > 0;
    model_reply_integer(c, count);
}

static void model_sadd(struct model_call *c) {
    struct model_key *k;
    int64_t added = 0;
    if (!model_find_or_add(c, MODEL_SET, &k)) return;
    for (int i = 2; i < c->argc; i++) {
        if (model_field_find(k, c->argv[i])) continue;
        model_field_add(k, c->argv[i]);
        added++;
    }
    c->changed = added > 0;
    model_reply_integer(c, added);
}

const struct model_command model_hash_commands[] = {
    {"hset", -4, MODEL_WRITE | MODEL_DENYOOM, 1, 1, 1, model_hset},
    {"hget", 3, MODEL_READONLY, 1, 1, 1, model_hget},
    {"hmget", -3, MODEL_READONLY, 1, 1, 1, model_hmget},
    {"hexists", 3, MODEL_READONLY, 1, 1, 1, model_hexists},
    {"hlen", 2, MODEL_READONLY, 1, 1, 1, model_hlen},
    {"hkeys", 2, MODEL_READONLY, 1, 1, 1, model_hkeys},
    {"hgetall", 2, MODEL_READONLY, 1, 1, 1, model_hgetall},
    {"hincrby", 4, MODEL_WRITE | MODEL_DENYOOM, 1, 1, 1, model_hincrby},
    {"hdel", -3, MODEL_WRITE, 1, 1, 1, model_remove_fields},
    {"sadd", -3, MODEL_WRITE | MODEL_DENYOOM, 1, 1, 1, model_sadd},
    {0},
};

// Lists

static void model_push(struct model_call *c, bool left) {
    struct model_key *k;
    if (!model_find_or_add(c, MODEL_LIST, &k)) return;
    for (int i = 2; i < c->argc; i++) model_list_insert(&k->list, left ? 0 : k->list.count, c->argv[i]);
    c->changed = true;
    model_reply_integer(c, (int64_t)k->list.count);
}

static void model_lpush(struct model_call *c) {
    model_push(c, true);
}

static void model_rpush(struct model_call *c) {
    model_push(c, false);
}

static void model_llen(struct model_call *c) {
    struct model_key *k;
    if (model_find_typed(c, MODEL_LIST, &k)) model_reply_integer(c, k ? (int64_t)k->list.count : 0);
}

static void model_lrange(struct model_call *c) {
    struct model_key *k;
    int64_t start, stop;
    size_t first, count;
    if (!model_arg_integer(c, 2, &start) || !model_arg_integer(c, 3, &stop) ||
        !model_find_typed(c, MODEL_LIST, &k))
        return;
    model_slice(start, stop, k ? k->list.count : 0, &first, &count);
    model_reply_array(c, count);
    for (size_t i = 0; i < count; i++) model_reply_bytes(c, model_bytes_of(k->list.at[first + i]));
}

static void model_ltrim(struct model_call *c) {
    struct model_key *k;
    int64_t start, stop;
    size_t first, count;
    if (!model_arg_integer(c, 2, &start) || !model_arg_integer(c, 3, &stop) ||
        !model_find_typed(c, MODEL_LIST, &k))
        return;
    if (k) {
        model_slice(start, stop, k->list.count, &first, &count);
        model_list_keep(&k->list, first, count);
        model_delete_if_empty(c, k);
        c->changed = true;
    }
    model_reply_status(c, "OK");
}

// Only all of them: a count of 0.
static void model_lrem(struct model_call *c) {
    struct model_key *k;
    int64_t count;
    if (!model_arg_integer(c, 2, &count) || !model_find_typed(c, MODEL_LIST, &k)) return;
    size_t removed = k ? model_list_remove(&k->list, c->argv[3]) : 0;
    if (k) model_delete_if_empty(c, k);
    c->changed = removed > 0;
    model_reply_integer(c, (int64_t)removed);
}

const struct model_command model_list_commands[] = {
    {"lpush", -3, MODEL_WRITE | MODEL_DENYOOM, 1, 1, 1, model_lpush},
    {"rpush", -3, MODEL_WRITE | MODEL_DENYOOM, 1, 1, 1, model_rpush},
    {"llen", 2, MODEL_READONLY, 1, 1, 1, model_llen},
    {"lrange", 4, MODEL_READONLY, 1, 1, 1, model_lrange},
    {"lrem", 4, MODEL_WRITE, 1, 1, 1, model_lrem},
    {"ltrim", 4, MODEL_WRITE, 1, 1, 1, model_ltrim},
    {0},
};

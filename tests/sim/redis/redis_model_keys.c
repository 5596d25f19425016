// Keys whatever their type: how commands find them, expiry, and the commands on keys.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "redis_model_server.h"

#define B(text) ((struct model_bytes){text, sizeof text - 1})

struct model_key **model_keys(struct model_call *c) {
    return &c->server->keys[c->db];
}

// Deletes a key, and replicates that in these words.
static void model_delete_as(struct model_call *c, struct model_key *k, const char *word) {
    model_history_add(c->server, c->db, 2,
                      (struct model_bytes[]){model_bytes_of_string(word), {k->name, k->len}}, false);
    model_key_remove(model_keys(c), k);
}

// A replica leaves it to its primary to delete what has expired, and does as if it had.
struct model_key *model_find(struct model_call *c, struct model_bytes name) {
    struct model_key *k = model_key_find(*model_keys(c), name);
    if (!k || !k->expires_ms || c->obeys || c->now_ms <= k->expires_ms) return k;
    if (!c->server->link.primary) model_delete_as(c, k, "UNLINK");
    return NULL;
}

bool model_find_typed(struct model_call *c, enum model_type type, struct model_key **found) {
    *found = model_find(c, c->argv[1]);
    if (!*found || (*found)->type == type) return true;
    model_reply_error(c, MODEL_WRONGTYPE);
    return false;
}

bool model_find_or_add(struct model_call *c, enum model_type type, struct model_key **found) {
    if (!model_find_typed(c, type, found)) return false;
    if (!*found) *found = model_key_add(model_keys(c), c->argv[1], type);
    return true;
}

void model_delete_if_empty(struct model_call *c, struct model_key *k) {
    if (model_key_is_empty(k)) model_key_remove(model_keys(c), k);
}

static void model_del(struct model_call *c) {
    int64_t count = 0;
    for (int i = 1; i < c->argc; i++) {
        struct model_key *k = model_find(c, c->argv[i]);
        if (!k) continue;
        model_key_remove(model_keys(c), k);
        count++;
    }
    c->changed = count > 0;
    model_reply_integer(c, count);
}

static void model_exists(struct model_call *c) {
    int64_t count = 0;
    for (int i = 1; i < c->argc; i++) count += model_find(c, c->argv[i]) != NULL;
    model_reply_integer(c, count);
}

static void model_type(struct model_call *c) {
    static const char *const names[] = {
        [MODEL_STRING] = "string", [MODEL_LIST] = "list", [MODEL_SET] = "set",
        [MODEL_HASH] = "hash",     [MODEL_ZSET] = "zset", [MODEL_STREAM] = "stream"};
    const struct model_key *k = model_find(c, c->argv[1]);
    model_reply_status(c, k ? names[k->type] : "none");
}

static void model_rename(struct model_call *c) {
    struct model_key *k = model_find(c, c->argv[1]);
    if (!k) {
        model_reply_error(c, "ERR no such key");
        return;
    }
    model_find(c, c->argv[2]);
    model_key_rename(model_keys(c), k, c->argv[2]);
    c->changed = true;
    model_reply_status(c, "OK");
}

static void model_keys_matching(struct model_call *c) {
    size_t count = 0;
    struct model_text *pattern = model_text_new(c->argv[1].at, c->argv[1].len);
    for (int pass = 0; pass < 2; pass++) {
        struct model_key *k, *next;
        if (pass) model_reply_array(c, count);
        HASH_ITER(hh, *model_keys(c), k, next) {
            struct model_bytes name = {k->name, k->len};
            if (!model_bytes_match(name, pattern->at) || !model_find(c, name)) continue;
            if (pass) model_reply_bytes(c, name);
            count++;
        }
    }
    free(pattern);
}

static void model_dbsize(struct model_call *c) {
    model_reply_integer(c, HASH_COUNT(*model_keys(c)));
}

static void model_flushall(struct model_call *c) {
    for (int db = 0; db < MODEL_DATABASES; db++) model_keys_clear(&c->server->keys[db]);
    c->changed = true;
    model_reply_status(c, "OK");
}

static void model_flushdb(struct model_call *c) {
    model_keys_clear(model_keys(c));
    c->changed = true;
    model_reply_status(c, "OK");
}

// Expiry

static void model_replicate_expiry(struct model_call *c, const struct model_key *k) {
    char at[24];
    snprintf(at, sizeof at, "%" PRId64, k->expires_ms);
    model_replicate(c, 3,
                    (struct model_bytes[]){B("PEXPIREAT"), {k->name, k->len}, model_bytes_of_string(at)});
}

enum { EXPIRE_NX = 1, EXPIRE_XX = 2, EXPIRE_GT = 4, EXPIRE_LT = 8 };

static bool model_expire_options(struct model_call *c, unsigned *options) {
    static const char *const words[] = {"NX", "XX", "GT", "LT"};
    *options = 0;
    for (int i = 3; i < c->argc; i++) {
        size_t word = 0;
        while (word < 4 && !model_arg_is(c, i, words[word])) word++;
        if (word == 4) {
            model_reply_error(c, "ERR Unsupported option %.*s", (int)c->argv[i].len, c->argv[i].at);
            return false;
        }
        *options |= 1u << word;
    }
    bool nx = *options & EXPIRE_NX, others = *options & ~(unsigned)EXPIRE_NX;
    if (nx && others)
        model_reply_error(c, "ERR NX and XX, GT or LT options at the same time are not compatible");
    else if ((*options & EXPIRE_GT) && (*options & EXPIRE_LT))
        model_reply_error(c, "ERR GT and LT options at the same time are not compatible");
    else
        return true;
    return false;
}

static bool model_expire_applies(const struct model_key *k, unsigned options, int64_t at_ms) {
    int64_t now_ms = k->expires_ms;
    if ((options & EXPIRE_NX) && now_ms) return false;
    if ((options & EXPIRE_XX) && !now_ms) return false;
    if ((options & EXPIRE_GT) && (!now_ms || at_ms <= now_ms)) return false;
    return !(options & EXPIRE_LT) || !now_ms || at_ms < now_ms;
}

static void model_expire_in(struct model_call *c, int64_t unit_ms, int64_t base_ms) {
    int64_t value, at_ms;
    unsigned options;
    if (!model_expire_options(c, &options) || !model_arg_integer(c, 2, &value)) return;
    if (__builtin_mul_overflow(value, unit_ms, &at_ms) || __builtin_add_overflow(at_ms, base_ms, &at_ms)) {
        model_reply_error(c, "ERR invalid expire time in '%s' command", c->command->name);
        return;
    }
    struct model_key *k = model_find(c, c->argv[1]);
    if (!k || !model_expire_applies(k, options, at_ms)) {
        model_reply_integer(c, 0);
        return;
    }
    if (at_ms <= c->now_ms && !c->obeys) {
        model_delete_as(c, k, "UNLINK");
        c->replicated = true;
    } else {
        k->expires_ms = at_ms;
        model_replicate_expiry(c, k);
    }
    c->changed = true;
    model_reply_integer(c, 1);
}

static void model_expire(struct model_call *c) {
    model_expire_in(c, 1000, c->now_ms);
}

static void model_pexpire(struct model_call *c) {
    model_expire_in(c, 1, c->now_ms);
}

static void model_expireat(struct model_call *c) {
    model_expire_in(c, 1000, 0);
}

static void model_pexpireat(struct model_call *c) {
    model_expire_in(c, 1, 0);
}

static void model_left(struct model_call *c, int64_t unit_ms) {
    const struct model_key *k = model_find(c, c->argv[1]);
    int64_t left_ms = k && k->expires_ms ? k->expires_ms - c->now_ms : 0;
    if (left_ms < 0) left_ms = 0;
    if (!k)
        model_reply_integer(c, -2);
    else
        model_reply_integer(c, k->expires_ms ? (left_ms + unit_ms / 2) / unit_ms : -1);
}

static void model_pttl(struct model_call *c) {
    model_left(c, 1);
}

static void model_ttl(struct model_call *c) {
    model_left(c, 1000);
}

static void model_persist(struct model_call *c) {
    struct model_key *k = model_find(c, c->argv[1]);
    c->changed = k && k->expires_ms;
    if (k) k->expires_ms = 0;
    model_reply_integer(c, c->changed);
}

const struct model_command model_key_commands[] = {
    {"del", -2, MODEL_WRITE, 1, -1, 1, model_del},
    {"unlink", -2, MODEL_WRITE, 1, -1, 1, model_del},
    {"exists", -2, MODEL_READONLY, 1, -1, 1, model_exists},
    {"type", 2, MODEL_READONLY, 1, 1, 1, model_type},
    {"rename", 3, MODEL_WRITE, 1, 2, 1, model_rename},
    {"keys", 2, MODEL_READONLY | MODEL_DANGEROUS, 0, 0, 0, model_keys_matching},
    {"dbsize", 1, MODEL_READONLY, 0, 0, 0, model_dbsize},
    {"flushall", -1, MODEL_WRITE | MODEL_DANGEROUS, 0, 0, 0, model_flushall},
    {"flushdb", -1, MODEL_WRITE | MODEL_DANGEROUS, 0, 0, 0, model_flushdb},
    {"expire", -3, MODEL_WRITE, 1, 1, 1, model_expire},
    {"pexpire", -3, MODEL_WRITE, 1, 1, 1, model_pexpire},
    {"expireat", -3, MODEL_WRITE, 1, 1, 1, model_expireat},
    {"pexpireat", -3, MODEL_WRITE, 1, 1, 1, model_pexpireat},
    {"ttl", 2, MODEL_READONLY, 1, 1, 1, model_ttl},
    {"pttl", 2, MODEL_READONLY, 1, 1, 1, model_pttl},
    {"persist", 2, MODEL_WRITE, 1, 1, 1, model_persist},
    {0},
};

// Commands on sorted sets.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "redis_model_server.h"

static bool model_read_double(struct model_bytes b, double *out) {
    char text[128], *end;
    if (!b.len || b.len >= sizeof text || b.at[0] == ' ') return false;
    memcpy(text, b.at, b.len);
    text[b.len] = 0;
    *out = strtod(text, &end);
    return end == text + b.len && !isnan(*out);
}

// The options of ZADD before the scores. Returns where these begin, or 0 after an error.
static int model_zadd_options(struct model_call *c, bool *nx, bool *xx, bool *ch) {
    int i = 2;
    for (; i < c->argc; i++) {
        if (model_arg_is(c, i, "NX"))
            *nx = true;
        else if (model_arg_is(c, i, "XX"))
            *xx = true;
        else if (model_arg_is(c, i, "CH"))
            *ch = true;
        else
            break;
    }
    int rest = c->argc - i;
    if (rest % 2 || !rest)
        model_reply_error(c, MODEL_SYNTAX);
    else if (*nx && *xx)
        model_reply_error(c, "ERR XX and NX options at the same time are not compatible");
    else
        return i;
    return 0;
}

static void model_zadd(struct model_call *c) {
    bool nx = false, xx = false, ch = false;
    int64_t added = 0, moved = 0;
    double score;
    struct model_key *k;
    int first = model_zadd_options(c, &nx, &xx, &ch);
    if (!first) return;
    for (int i = first; i < c->argc; i += 2) {
        if (model_read_double(c->argv[i], &score)) continue;
        model_reply_error(c, "ERR value is not a valid float");
        return;
    }
    if (!model_find_typed(c, MODEL_ZSET, &k)) return;
    if (!k && !xx) k = model_key_add(model_keys(c), c->argv[1], MODEL_ZSET);
    for (int i = first; k && i < c->argc; i += 2) {
        const struct model_field *f = model_field_find(k, c->argv[i + 1]);
        model_read_double(c->argv[i], &score);
        if (f ? nx || f->score == score : xx) continue;
        moved += f != NULL;
        added += !f;
        model_member_set(k, c->argv[i + 1], score);
    }
    c->changed = added + moved > 0;
    model_reply_integer(c, ch ? added + moved : added);
}

static void model_zscore(struct model_call *c) {
    struct model_key *k;
    if (!model_find_typed(c, MODEL_ZSET, &k)) return;
    const struct model_field *f = k ? model_field_find(k, c->argv[2]) : NULL;
    if (f)
        model_reply_double(c, f->score);
    else
        model_reply_nil(c);
}

static void model_zrank(struct model_call *c) {
    struct model_key *k;
    size_t rank = 0;
    if (!model_find_typed(c, MODEL_ZSET, &k)) return;
    const struct model_field *f = k ? model_field_find(k, c->argv[2]) : NULL;
    if (!f) {
        model_reply_nil(c);
        return;
    }
    while (k->order[rank] != f) rank++;
    model_reply_integer(c, (int64_t)rank);
}

static void model_zcard(struct model_call *c) {
    struct model_key *k;
    if (model_find_typed(c, MODEL_ZSET, &k)) model_reply_integer(c, k ? (int64_t)model_field_count(k) : 0);
}

// By rank only.
static void model_reply_ranks(struct model_call *c, bool reverse) {
    struct model_key *k;
    int64_t start, stop;
    size_t first, length;
    bool with_scores = model_arg_is(c, 4, "WITHSCORES");
    if (c->argc > 5 || (c->argc == 5 && !with_scores)) {
        model_reply_error(c, MODEL_SYNTAX);
        return;
    }
    if (!model_arg_integer(c, 2, &start) || !model_arg_integer(c, 3, &stop) ||
        !model_find_typed(c, MODEL_ZSET, &k))
        return;
    size_t count = k ? model_field_count(k) : 0;
    model_slice(start, stop, count, &first, &length);
    model_reply_array(c, with_scores ? 2 * length : length);
    for (size_t i = first; i < first + length; i++) {
        const struct model_field *f = k->order[reverse ? count - 1 - i : i];
        model_reply_bytes(c, (struct model_bytes){f->name, f->len});
        if (with_scores) model_reply_double(c, f->score);
    }
}

static void model_zrange(struct model_call *c) {
    model_reply_ranks(c, false);
}

static void model_zrevrange(struct model_call *c) {
    model_reply_ranks(c, true);
}

struct model_bound {
    double score;
    bool open;
};

static bool model_read_bound(struct model_bytes b, struct model_bound *out) {
    out->open = b.len && b.at[0] == '(';
    return model_read_double((struct model_bytes){b.at + out->open, b.len - out->open}, &out->score);
}

static bool model_is_within(double score, struct model_bound low, struct model_bound high) {
    bool above = low.open ? score > low.score : score >= low.score;
    return above && (high.open ? score < high.score : score <= high.score);
}

static void model_by_score(struct model_call *c, bool removes) {
    struct model_key *k;
    struct model_bound low, high;
    int64_t found = 0;
    if (!model_read_bound(c->argv[2], &low) || !model_read_bound(c->argv[3], &high)) {
        model_reply_error(c, "ERR min or max is not a float");
        return;
    }
    if (!model_find_typed(c, MODEL_ZSET, &k)) return;
    for (size_t i = k ? model_field_count(k) : 0; i-- > 0;) {
        if (!model_is_within(k->order[i]->score, low, high)) continue;
        if (removes) model_field_remove(k, k->order[i]);
        found++;
    }
    if (k) model_delete_if_empty(c, k);
    c->changed = removes && found;
    model_reply_integer(c, found);
}

static void model_zremrangebyscore(struct model_call *c) {
    model_by_score(c, true);
}

static void model_zcount(struct model_call *c) {
    model_by_score(c, false);
}

// LIMIT only, as the last option.
static void model_zrangebyscore(struct model_call *c) {
    struct model_key *k;
    struct model_bound low, high;
    int64_t skip = 0, most = -1;
    bool limits = c->argc == 7 && model_arg_is(c, 4, "LIMIT");
    if (c->argc != 4 && !limits) {
        model_reply_error(c, MODEL_SYNTAX);
        return;
    }
    if (limits && (!model_arg_integer(c, 5, &skip) || !model_arg_integer(c, 6, &most))) return;
    if (!model_read_bound(c->argv[2], &low) || !model_read_bound(c->argv[3], &high)) {
        model_reply_error(c, "ERR min or max is not a float");
        return;
    }
    if (!model_find_typed(c, MODEL_ZSET, &k)) return;
    size_t count = k && skip >= 0 ? model_field_count(k) : 0, first = 0, end;
    while (first < count && !model_is_within(k->order[first]->score, low, high)) first++;
    for (end = first; end < count && model_is_within(k->order[end]->score, low, high);) end++;
    first = (uint64_t)skip < end - first ? first + (size_t)skip : end;
    if (most >= 0 && (uint64_t)most < end - first) end = first + (size_t)most;
    model_reply_array(c, end - first);
    for (; first < end; first++) {
        const struct model_field *f = k->order[first];
        model_reply_bytes(c, (struct model_bytes){f->name, f->len});
    }
}

static void model_zremrangebyrank(struct model_call *c) {
    struct model_key *k;
    int64_t start, stop;
    size_t first = 0, length = 0;
    if (!model_arg_integer(c, 2, &start) || !model_arg_integer(c, 3, &stop) ||
        !model_find_typed(c, MODEL_ZSET, &k))
        return;
    if (k) model_slice(start, stop, model_field_count(k), &first, &length);
    for (size_t i = first + length; i-- > first;) model_field_remove(k, k->order[i]);
    if (k) model_delete_if_empty(c, k);
    c->changed = length > 0;
    model_reply_integer(c, (int64_t)length);
}

const struct model_command model_zset_commands[] = {
    {"zadd", -4, MODEL_WRITE | MODEL_DENYOOM, 1, 1, 1, model_zadd},
    {"zscore", 3, MODEL_READONLY, 1, 1, 1, model_zscore},
    {"zrank", 3, MODEL_READONLY, 1, 1, 1, model_zrank},
    {"zcard", 2, MODEL_READONLY, 1, 1, 1, model_zcard},
    {"zcount", 4, MODEL_READONLY, 1, 1, 1, model_zcount},
    {"zrem", -3, MODEL_WRITE, 1, 1, 1, model_remove_fields},
    {"zrange", -4, MODEL_READONLY, 1, 1, 1, model_zrange},
    {"zrevrange", -4, MODEL_READONLY, 1, 1, 1, model_zrevrange},
    {"zrangebyscore", -4, MODEL_READONLY, 1, 1, 1, model_zrangebyscore},
    {"zremrangebyrank", 4, MODEL_WRITE, 1, 1, 1, model_zremrangebyrank},
    {"zremrangebyscore", 4, MODEL_WRITE, 1, 1, 1, model_zremrangebyscore},
    {0},
};

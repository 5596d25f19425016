// Commands on streams. Trimming is always exact.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redis_model_server.h"

#define B(text) ((struct model_bytes){text, sizeof text - 1})
#define BAD_ID  "ERR Invalid stream ID specified as stream command argument"

enum { MODEL_ID_TEXT = 44 };

static void model_id_format(struct model_id id, char text[MODEL_ID_TEXT]) {
    snprintf(text, MODEL_ID_TEXT, "%" PRIu64 "-%" PRIu64, id.ms, id.seq);
}

// As strtoull(3) reads it, for Redis does the same with an id.
static bool model_read_unsigned(const char *text, size_t len, uint64_t *out) {
    char copy[128], *end;
    if (!len || len >= sizeof copy) return false;
    memcpy(copy, text, len);
    copy[len] = 0;
    errno = 0;
    *out = strtoull(copy, &end, 10);
    return !errno && end == copy + len;
}

// An id without its second part has `missing` there.
static bool model_read_id(struct model_bytes b, uint64_t missing, struct model_id *id) {
    const char *dash = b.len ? memchr(b.at, '-', b.len) : NULL;
    size_t ms_len = dash ? (size_t)(dash - b.at) : b.len;
    id->seq = missing;
    return model_read_unsigned(b.at, ms_len, &id->ms) &&
           (!dash || model_read_unsigned(dash + 1, b.len - ms_len - 1, &id->seq));
}

// Trimming

struct model_trim {
    bool given, by_id;
    int64_t length;
    struct model_id id;
};

// Reads MAXLEN or MINID at `*i`, and leaves it behind them. Returns false after an error.
static bool model_read_trim(struct model_call *c, int *i, struct model_trim *t) {
    t->by_id = model_arg_is(c, *i, "MINID");
    t->given = true;
    if (model_arg_is(c, ++*i, "=")) ++*i;
    if (*i >= c->argc) {
        model_reply_error(c, MODEL_SYNTAX);
        return false;
    }
    if (t->by_id) {
        if (model_read_id(c->argv[(*i)++], 0, &t->id)) return true;
        model_reply_error(c, BAD_ID);
        return false;
    }
    if (!model_arg_integer(c, (*i)++, &t->length)) return false;
    if (t->length >= 0) return true;
    model_reply_error(c, "ERR The MAXLEN argument must be >= 0.");
    return false;
}

static size_t model_trim_now(struct model_stream *s, const struct model_trim *t) {
    size_t length = model_stream_length(s), gone = 0;
    if (t->by_id)
        gone = model_stream_find(s, t->id) - s->first;
    else if (length > (uint64_t)t->length)
        gone = length - (size_t)t->length;
    model_stream_trim(s, gone);
    return gone;
}

static bool model_is_trim(const struct model_call *c, int i) {
    return model_arg_is(c, i, "MAXLEN") || model_arg_is(c, i, "MINID");
}

static void model_xtrim(struct model_call *c) {
    struct model_trim t = {0};
    struct model_key *k;
    int i = 2;
    if (!model_is_trim(c, i)) {
        model_reply_error(c, MODEL_SYNTAX);
        return;
    }
    if (!model_read_trim(c, &i, &t)) return;
    if (i < c->argc) {
        bool limit = model_arg_is(c, i, "LIMIT") && i + 2 == c->argc;
        int64_t at_most = 0;
        if (limit && !model_arg_integer(c, i + 1, &at_most)) return;
        model_reply_error(c, "%s",
                          at_most < 0 ? "ERR The LIMIT argument must be >= 0."
                          : limit     ? MODEL_SYNTAX ", LIMIT cannot be used without the special ~ option"
                                      : MODEL_SYNTAX);
        return;
    }
    if (!model_find_typed(c, MODEL_STREAM, &k)) return;
    size_t gone = k ? model_trim_now(&k->stream, &t) : 0;
    c->changed = gone > 0;
    model_reply_integer(c, (int64_t)gone);
}

// Adding

// The next id for `*` and `<ms>-*`, or the one that is given.
static bool model_xadd_id(struct model_call *c, struct model_bytes text, const struct model_stream *s,
                          struct model_id *id) {
    bool any = text.len == 1 && text.at[0] == '*';
    bool any_seq = text.len > 2 && !memcmp(text.at + text.len - 2, "-*", 2);
    if (any) {
        *id = (struct model_id){(uint64_t)c->now_ms, 0};
        if (s && model_id_compare(*id, s->last) <= 0) *id = (struct model_id){s->last.ms, s->last.seq + 1};
        return true;
    }
    if (!model_read_id(any_seq ? (struct model_bytes){text.at, text.len - 2} : text, 0, id)) return false;
    if (any_seq && s && id->ms == s->last.ms) id->seq = s->last.seq + 1;
    return true;
}

static bool model_xadd_is_valid(struct model_call *c, int first) {
    struct model_id id = {0};
    bool given = !memchr(c->argv[first].at, '*', c->argv[first].len);
    if (!model_xadd_id(c, c->argv[first], NULL, &id))
        model_reply_error(c, BAD_ID);
    else if (c->argc - first < 3 || (c->argc - first) % 2 == 0)
        model_reply_error(c, "ERR wrong number of arguments for 'xadd' command");
    else if (given && !id.ms && !id.seq)
        model_reply_error(c, "ERR The ID specified in XADD must be greater than 0-0");
    else
        return true;
    return false;
}

static void model_replicate_xadd(struct model_call *c, int first, struct model_bytes id) {
    struct model_bytes *argv = mem_alloc((size_t)c->argc * sizeof *argv);
    for (int i = 0; i < c->argc; i++) argv[i] = i == first ? id : c->argv[i];
    model_replicate(c, c->argc, argv);
    free(argv);
}

static void model_xadd(struct model_call *c) {
    struct model_trim t = {0};
    struct model_key *k;
    struct model_id id;
    char text[MODEL_ID_TEXT];
    bool makes = true;
    int i = 2;
    for (; i < c->argc; i++) {
        if (model_is_trim(c, i)) {
            if (!model_read_trim(c, &i, &t)) return;
            i--;
        } else if (model_arg_is(c, i, "NOMKSTREAM")) {
            makes = false;
        } else {
            break;
        }
    }
    if (i == c->argc) {
        model_reply_error(c, "ERR wrong number of arguments for 'xadd' command");
        return;
    }
    if (!model_xadd_is_valid(c, i) || !model_find_typed(c, MODEL_STREAM, &k)) return;
    if (!k && !makes) {
        model_reply_nil(c);
        return;
    }
    if (!k) k = model_key_add(model_keys(c), c->argv[1], MODEL_STREAM);
    model_xadd_id(c, c->argv[i], &k->stream, &id);
    if (model_id_compare(id, k->stream.last) <= 0) {
        model_reply_error(c,
                          "ERR The ID specified in XADD is equal or smaller than the target stream top item");
        return;
    }
    model_stream_add(&k->stream, id, c->argv + i + 1, (size_t)(c->argc - i - 1));
    if (t.given) model_trim_now(&k->stream, &t);
    model_id_format(id, text);
    c->changed = true;
    model_replicate_xadd(c, i, model_bytes_of_string(text));
    model_reply_string(c, text);
}

// Reading

static void model_xlen(struct model_call *c) {
    struct model_key *k;
    if (model_find_typed(c, MODEL_STREAM, &k))
        model_reply_integer(c, k ? (int64_t)model_stream_length(&k->stream) : 0);
}

static void model_reply_entry(struct model_call *c, const struct model_entry *e) {
    char id[MODEL_ID_TEXT];
    model_id_format(e->id, id);
    model_reply_array(c, 2);
    model_reply_string(c, id);
    model_reply_array(c, e->count);
    for (size_t i = 0; i < e->count; i++) model_reply_bytes(c, model_bytes_of(e->texts[i]));
}

// A bound of a range: `-`, `+`, an id, or one after `(`.
static bool model_read_range_id(struct model_bytes b, uint64_t missing, struct model_id *id, bool *open) {
    *open = b.len > 1 && b.at[0] == '(';
    if (*open) b = (struct model_bytes){b.at + 1, b.len - 1};
    if (b.len == 1 && b.at[0] == '-')
        *id = (struct model_id){0, 0};
    else if (b.len == 1 && b.at[0] == '+')
        *id = (struct model_id){UINT64_MAX, UINT64_MAX};
    else
        return model_read_id(b, missing, id);
    return !*open;
}

static bool model_id_next(struct model_id *id) {
    if (id->seq == UINT64_MAX && id->ms == UINT64_MAX) return false;
    id->ms += ++id->seq == 0;
    return true;
}

static bool model_id_before(struct model_id *id) {
    if (!id->seq && !id->ms) return false;
    id->ms -= id->seq-- == 0;
    return true;
}

// Reads the bounds of a range, or replies with an error.
static bool model_read_range(struct model_call *c, bool reverse, struct model_id *from, struct model_id *to) {
    const char *problem = NULL;
    bool open;
    if (!model_read_range_id(c->argv[reverse ? 3 : 2], 0, from, &open))
        problem = BAD_ID;
    else if (open && !model_id_next(from))
        problem = "ERR invalid start ID for the interval";
    else if (!model_read_range_id(c->argv[reverse ? 2 : 3], UINT64_MAX, to, &open))
        problem = BAD_ID;
    else if (open && !model_id_before(to))
        problem = "ERR invalid end ID for the interval";
    if (problem) model_reply_error(c, "%s", problem);
    return !problem;
}

// Reads COUNT; without it `*count` is -1.
static bool model_read_count(struct model_call *c, int64_t *count) {
    *count = -1;
    for (int i = 4; i < c->argc; i += 2) {
        if (!model_arg_is(c, i, "COUNT") || i + 1 >= c->argc) {
            model_reply_error(c, MODEL_SYNTAX);
            return false;
        }
        if (!model_arg_integer(c, i + 1, count)) return false;
        if (*count < 0) *count = 0;
    }
    return true;
}

static void model_reply_range(struct model_call *c, bool reverse) {
    struct model_key *k;
    struct model_id from, to;
    int64_t most;
    if (!model_read_range(c, reverse, &from, &to) || !model_read_count(c, &most) ||
        !model_find_typed(c, MODEL_STREAM, &k))
        return;
    if (!most) {
        if (k)
            model_reply_nil_array(c);
        else
            model_reply_array(c, 0);
        return;
    }
    const struct model_stream *s = k ? &k->stream : NULL;
    size_t first = s ? model_stream_find(s, from) : 0, end = s ? model_stream_find(s, to) : 0;
    if (s && end < s->end && !model_id_compare(s->at[end].id, to)) end++;
    size_t count = end > first ? end - first : 0;
    if (most > 0 && count > (uint64_t)most) count = (size_t)most;
    model_reply_array(c, count);
    for (size_t i = 0; i < count; i++) model_reply_entry(c, &s->at[reverse ? end - 1 - i : first + i]);
}

static void model_xrange(struct model_call *c) {
    model_reply_range(c, false);
}

static void model_xrevrange(struct model_call *c) {
    model_reply_range(c, true);
}

// Deleting

static void model_xdel(struct model_call *c) {
    struct model_key *k;
    struct model_id id;
    int64_t count = 0;
    if (!model_find_typed(c, MODEL_STREAM, &k)) return;
    for (int i = 2; k && i < c->argc; i++) {
        if (model_read_id(c->argv[i], 0, &id)) continue;
        model_reply_error(c, BAD_ID);
        return;
    }
    for (int i = 2; k && i < c->argc; i++) {
        model_read_id(c->argv[i], 0, &id);
        size_t at = model_stream_find(&k->stream, id);
        if (at == k->stream.end || model_id_compare(k->stream.at[at].id, id) != 0) continue;
        model_stream_remove(&k->stream, at);
        count++;
    }
    c->changed = count > 0;
    model_reply_integer(c, count);
}

static void model_xsetid(struct model_call *c) {
    struct model_key *k;
    struct model_id id;
    if (c->argc > 3 || !model_read_id(c->argv[2], 0, &id)) {
        model_reply_error(c, "%s", c->argc > 3 ? MODEL_SYNTAX : BAD_ID);
        return;
    }
    k = model_find(c, c->argv[1]);
    if (!k) {
        model_reply_error(c, "ERR no such key");
        return;
    }
    if (!model_find_typed(c, MODEL_STREAM, &k)) return;
    struct model_stream *s = &k->stream;
    if (s->end > s->first && model_id_compare(id, s->at[s->end - 1].id) < 0) {
        model_reply_error(c, "ERR The ID specified in XSETID is smaller than the target stream top item");
        return;
    }
    s->last = id;
    c->changed = true;
    model_reply_status(c, "OK");
}

const struct model_command model_stream_commands[] = {
    {"xadd", -5, MODEL_WRITE | MODEL_DENYOOM, 1, 1, 1, model_xadd},
    {"xlen", 2, MODEL_READONLY, 1, 1, 1, model_xlen},
    {"xrange", -4, MODEL_READONLY, 1, 1, 1, model_xrange},
    {"xrevrange", -4, MODEL_READONLY, 1, 1, 1, model_xrevrange},
    {"xtrim", -4, MODEL_WRITE, 1, 1, 1, model_xtrim},
    {"xdel", -3, MODEL_WRITE, 1, 1, 1, model_xdel},
    {"xsetid", -3, MODEL_WRITE | MODEL_DENYOOM, 1, 1, 1, model_xsetid},
    {0},
};

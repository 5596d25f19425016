#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redis_model_server.h"

#define B(text) ((struct model_bytes){text, sizeof text - 1})

// The options of SET and GETEX.
struct model_set_options {
    bool nx, xx, get, keep_ttl, persist;
    int64_t expires_ms; // 0: none is given
};

static const struct model_unit {
    const char *word;
    int64_t unit_ms;
    bool absolute;
} model_units[] = {{"EX", 1000, false}, {"PX", 1, false}, {"EXAT", 1000, true}, {"PXAT", 1, true}};

// Reads an option with a time at `i`. Returns false if it is another one.
static const struct model_unit *model_unit_at(const struct model_call *c, int i) {
    for (size_t u = 0; u < sizeof model_units / sizeof *model_units; u++)
        if (model_arg_is(c, i, model_units[u].word)) return &model_units[u];
    return NULL;
}

static bool model_read_expiry(struct model_call *c, const struct model_unit *unit, int at,
                              int64_t *expires_ms) {
    int64_t value, ms;
    if (!model_arg_integer(c, at, &value)) return false;
    if (value > 0 && !__builtin_mul_overflow(value, unit->unit_ms, &ms) &&
        !__builtin_add_overflow(ms, unit->absolute ? 0 : c->now_ms, &ms)) {
        *expires_ms = ms;
        return true;
    }
    model_reply_error(c, "ERR invalid expire time in '%s' command", c->command->name);
    return false;
}

// One that has no meaning together with those before is an error of syntax.
static bool model_read_option(struct model_call *c, int i, bool is_set, struct model_set_options *o,
                              bool has_time) {
    if (is_set && model_arg_is(c, i, "NX") && !o->xx)
        o->nx = true;
    else if (is_set && model_arg_is(c, i, "XX") && !o->nx)
        o->xx = true;
    else if (is_set && model_arg_is(c, i, "GET"))
        o->get = true;
    else if (is_set && model_arg_is(c, i, "KEEPTTL") && !has_time)
        o->keep_ttl = true;
    else if (!is_set && model_arg_is(c, i, "PERSIST") && !has_time)
        o->persist = true;
    else
        return false;
    return true;
}

// Reads the options from `i` on, or replies with an error.
static bool model_read_options(struct model_call *c, int i, bool is_set, struct model_set_options *o) {
    const struct model_unit *unit = NULL;
    int time_at = 0;
    *o = (struct model_set_options){0};
    for (; i < c->argc; i++) {
        const struct model_unit *u = model_unit_at(c, i);
        bool fits = !unit && !o->keep_ttl && !o->persist && i + 1 < c->argc;
        if (u && fits) {
            unit = u;
            time_at = ++i;
        } else if (u || !model_read_option(c, i, is_set, o, unit != NULL)) {
            model_reply_error(c, MODEL_SYNTAX);
            return false;
        }
    }
    return !unit || model_read_expiry(c, unit, time_at, &o->expires_ms);
}

static void model_replicate_set(struct model_call *c, const struct model_key *k) {
    char at[24];
    snprintf(at, sizeof at, "%" PRId64, k->expires_ms);
    model_replicate(c, k->expires_ms ? 5 : 3,
                    (struct model_bytes[]){B("SET"), c->argv[1], model_bytes_of(k->string), B("PXAT"),
                                           model_bytes_of_string(at)});
}

static void model_set(struct model_call *c) {
    struct model_set_options o;
    if (!model_read_options(c, 3, true, &o)) return;
    struct model_key *k = model_find(c, c->argv[1]);
    if (o.get && k && k->type != MODEL_STRING) {
        model_reply_error(c, MODEL_WRONGTYPE);
        return;
    }
    if (o.get) {
        if (k)
            model_reply_bytes(c, model_bytes_of(k->string));
        else
            model_reply_nil(c);
    }
    if ((o.nx && k) || (o.xx && !k)) {
        if (!o.get) model_reply_nil(c);
        return;
    }
    int64_t kept_ms = k && o.keep_ttl ? k->expires_ms : 0;
    if (k) model_key_remove(model_keys(c), k);
    k = model_key_add(model_keys(c), c->argv[1], MODEL_STRING);
    model_key_set_string(k, c->argv[2]);
    k->expires_ms = o.expires_ms ? o.expires_ms : kept_ms;
    c->changed = true;
    model_replicate_set(c, k);
    if (!o.get) model_reply_status(c, "OK");
    if (!c->obeys && o.expires_ms && o.expires_ms <= c->now_ms) model_find(c, c->argv[1]);
}

static void model_get(struct model_call *c) {
    struct model_key *k;
    if (!model_find_typed(c, MODEL_STRING, &k)) return;
    if (k)
        model_reply_bytes(c, model_bytes_of(k->string));
    else
        model_reply_nil(c);
}

static void model_replicate_getex(struct model_call *c, const struct model_key *k) {
    char at[24];
    snprintf(at, sizeof at, "%" PRId64, k->expires_ms);
    if (k->expires_ms)
        model_replicate(c, 3, (struct model_bytes[]){B("PEXPIREAT"), c->argv[1], model_bytes_of_string(at)});
    else
        model_replicate(c, 2, (struct model_bytes[]){B("PERSIST"), c->argv[1]});
}

static void model_getex(struct model_call *c) {
    struct model_set_options o;
    struct model_key *k;
    int time_at = 0;
    // Options that do not fit are found before the key, and a time that is none after it.
    for (int i = 2; i < c->argc; i++) {
        bool is_unit = model_unit_at(c, i) != NULL;
        if (time_at || (is_unit && i + 1 == c->argc) || (!is_unit && !model_arg_is(c, i, "PERSIST"))) {
            model_reply_error(c, MODEL_SYNTAX);
            return;
        }
        time_at = i;
        i += is_unit;
    }
    if (!model_find_typed(c, MODEL_STRING, &k)) return;
    if (!k) {
        model_reply_nil(c);
        return;
    }
    if (!model_read_options(c, 2, false, &o)) return;
    model_reply_bytes(c, model_bytes_of(k->string));
    if (!o.expires_ms && !(o.persist && k->expires_ms)) return;
    k->expires_ms = o.expires_ms;
    c->changed = true;
    model_replicate_getex(c, k);
}

static void model_mget(struct model_call *c) {
    model_reply_array(c, (size_t)c->argc - 1);
    for (int i = 1; i < c->argc; i++) {
        const struct model_key *k = model_find(c, c->argv[i]);
        if (k && k->type == MODEL_STRING)
            model_reply_bytes(c, model_bytes_of(k->string));
        else
            model_reply_nil(c);
    }
}

static void model_strlen(struct model_call *c) {
    struct model_key *k;
    if (model_find_typed(c, MODEL_STRING, &k)) model_reply_integer(c, k ? (int64_t)k->string->len : 0);
}

static void model_add_to(struct model_call *c, int64_t by) {
    struct model_key *k;
    char text[24];
    int64_t n = 0;
    if (!model_find_typed(c, MODEL_STRING, &k)) return;
    if (k && !model_bytes_integer(model_bytes_of(k->string), &n)) {
        model_reply_error(c, MODEL_NOT_INTEGER);
        return;
    }
    if (__builtin_add_overflow(n, by, &n)) {
        model_reply_error(c, "ERR increment or decrement would overflow");
        return;
    }
    if (!k) k = model_key_add(model_keys(c), c->argv[1], MODEL_STRING);
    snprintf(text, sizeof text, "%" PRId64, n);
    model_key_set_string(k, model_bytes_of_string(text));
    c->changed = true;
    model_reply_integer(c, n);
}

static void model_incr(struct model_call *c) {
    model_add_to(c, 1);
}

static void model_decr(struct model_call *c) {
    model_add_to(c, -1);
}

static void model_incrby(struct model_call *c) {
    int64_t by;
    if (model_arg_integer(c, 2, &by)) model_add_to(c, by);
}

const struct model_command model_string_commands[] = {
    {"get", 2, MODEL_READONLY, 1, 1, 1, model_get},
    {"set", -3, MODEL_WRITE | MODEL_DENYOOM, 1, 1, 1, model_set},
    {"getex", -2, MODEL_WRITE, 1, 1, 1, model_getex},
    {"mget", -2, MODEL_READONLY, 1, -1, 1, model_mget},
    {"strlen", 2, MODEL_READONLY, 1, 1, 1, model_strlen},
    {"incr", 2, MODEL_WRITE | MODEL_DENYOOM, 1, 1, 1, model_incr},
    {"decr", 2, MODEL_WRITE | MODEL_DENYOOM, 1, 1, 1, model_decr},
    {"incrby", 3, MODEL_WRITE | MODEL_DENYOOM, 1, 1, 1, model_incrby},
    {0},
};

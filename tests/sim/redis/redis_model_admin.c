// CLIENT, CONFIG, ACL, REPLICAOF.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "redis_model_server.h"

#define OF_ADMIN  (MODEL_ADMIN | MODEL_NOSCRIPT | MODEL_LOADING)
#define OF_CLIENT (MODEL_NOSCRIPT | MODEL_LOADING)

// CLIENT

static void model_client_setname(struct model_call *c) {
    struct model_bytes name = c->argv[2];
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] >= '!' && name.at[i] <= '~') continue;
        model_reply_error(c, "ERR Client names cannot contain spaces, newlines or special characters.");
        return;
    }
    free(c->client->name);
    c->client->name = mem_strndup(name.at, name.len);
    model_reply_status(c, "OK");
}

static void model_client_getname(struct model_call *c) {
    if (*c->client->name)
        model_reply_string(c, c->client->name);
    else
        model_reply_nil(c);
}

static void model_client_id(struct model_call *c) {
    model_reply_integer(c, (int64_t)c->client->id);
}

static void model_client_list(struct model_call *c) {
    struct buf b = {0};
    for (const struct model_client *i = c->server->clients; i; i = i->next)
        buf_printf(&b, "id=%" PRIu64 " name=%s db=%d sub=%zu omem=%zu\n", i->id, i->name, i->db,
                   i->subscribed_count, i->out.len);
    model_reply_bytes(c, (struct model_bytes){b.len ? b.data : "", b.len});
    buf_release(&b);
}

static void model_client_no_evict(struct model_call *c) {
    model_reply_status(c, "OK");
}

// One that kills itself gets its reply first.
static void model_kill_one(struct model_call *c, struct model_client *client) {
    if (client == c->client)
        client->closes = true;
    else
        model_client_close(client);
}

struct model_filter {
    int64_t id; // 0: any
    enum { KILL_ANY, KILL_NORMAL, KILL_PUBSUB, KILL_NONE } kind;
    bool self;
};

static bool model_read_filter(struct model_call *c, struct model_filter *f) {
    *f = (struct model_filter){0};
    for (int i = 2; i + 1 < c->argc; i += 2) {
        if (model_arg_is(c, i, "ID")) {
            if (!model_arg_integer(c, i + 1, &f->id)) return false;
        } else if (model_arg_is(c, i, "SKIPME")) {
            f->self = model_arg_is(c, i + 1, "no");
        } else if (model_arg_is(c, i, "TYPE")) {
            f->kind = model_arg_is(c, i + 1, "pubsub")   ? KILL_PUBSUB
                      : model_arg_is(c, i + 1, "normal") ? KILL_NORMAL
                                                         : KILL_NONE;
        } else {
            model_reply_error(c, MODEL_SYNTAX);
            return false;
        }
    }
    return true;
}

static bool model_filter_matches(const struct model_filter *f, const struct model_client *client,
                                 const struct model_client *self) {
    if (f->id && client->id != (uint64_t)f->id) return false;
    if (f->kind == KILL_NONE || (f->kind && (f->kind == KILL_PUBSUB) != (client->subscribed_count > 0)))
        return false;
    return f->self || client != self;
}

static void model_client_kill(struct model_call *c) {
    struct model_filter f;
    int64_t count = 0;
    if (c->argc == 3) {
        model_reply_error(c, "ERR No such client");
        return;
    }
    if (c->argc % 2) {
        model_reply_error(c, MODEL_SYNTAX);
        return;
    }
    if (!model_read_filter(c, &f)) return;
    for (struct model_client *i = c->server->clients, *next; i; i = next) {
        next = i->next;
        if (!model_filter_matches(&f, i, c->client)) continue;
        model_kill_one(c, i);
        count++;
    }
    model_reply_integer(c, count);
}

static void model_client_pause(struct model_call *c) {
    struct redis_model *m = c->server;
    int64_t ms;
    bool writes = model_arg_is(c, 3, "WRITE");
    if (c->argc > 4 || (c->argc == 4 && !writes && !model_arg_is(c, 3, "ALL"))) {
        model_reply_error(c, "ERR CLIENT PAUSE mode must be WRITE or ALL");
    } else if (!model_bytes_integer(c->argv[2], &ms) || ms < 0) {
        model_reply_error(c, "ERR timeout is not an integer or out of range");
    } else {
        m->pauses_all = !writes;
        m->pause_until_ms = clock_monotonic_ms() + ms;
        loop_timer_start(m->loop, &m->pause, ms + clock_monotonic_ms() - loop_now_ms(m->loop));
        model_reply_status(c, "OK");
    }
}

static void model_client_unpause(struct model_call *c) {
    c->server->pause_until_ms = 0;
    loop_timer_start(c->server->loop, &c->server->pause, 0);
    model_reply_status(c, "OK");
}

// CONFIG

static bool model_set_maxmemory(struct redis_model *m, const char *value) {
    char *end;
    m->maxmemory = strtoull(value, &end, 10);
    if (!strcmp(end, "kb")) m->maxmemory <<= 10;
    if (!strcmp(end, "mb")) m->maxmemory <<= 20;
    return end > value;
}

static bool model_set_min_replicas(struct redis_model *m, const char *value) {
    m->min_replicas = (int)strtol(value, NULL, 10);
    return true;
}

static bool model_set_requirepass(struct redis_model *m, const char *value) {
    model_set_password(m, value);
    return true;
}

// Those of other kinds of clients have no effect.
static bool model_set_output_limit(struct redis_model *m, const char *value) {
    const char *at = strstr(value, "pubsub ");
    struct model_limits l = {0};
    long long soft_s = 0;
    if (at && sscanf(at + 7, "%zu %zu %lld", &l.hard, &l.soft, &soft_s) != 3) return false;
    l.soft_ms = soft_s * 1000;
    if (at) m->limits = l;
    return true;
}

static void model_rename_id(char id[MODEL_RUN_ID + 1], const char *old, const char *new) {
    if (!strcmp(id, old)) memcpy(id, new, MODEL_RUN_ID);
}

// Settings of the model alone: a test gives it the ids that a real server has. An id that several servers
// have stays common to them.
static bool model_set_id(const char own[MODEL_RUN_ID + 1], const char *id) {
    char old[MODEL_RUN_ID + 1];
    if (strlen(id) != MODEL_RUN_ID) return false;
    memcpy(old, own, sizeof old);
    for (struct redis_model *m = model_servers; m; m = m->next) {
        model_rename_id(m->run_id, old, id);
        model_rename_id(m->replid, old, id);
        model_rename_id(m->replid2, old, id);
        model_rename_id(m->link.primary_run, old, id);
    }
    return true;
}

static bool model_set_run_id(struct redis_model *m, const char *id) {
    return model_set_id(m->run_id, id);
}

static bool model_set_replid(struct redis_model *m, const char *id) {
    return model_set_id(m->replid, id);
}

static bool model_ignore_setting(struct redis_model *m, const char *value) {
    (void)m;
    (void)value;
    return true;
}

static const struct model_setting {
    const char *name;
    bool (*set)(struct redis_model *, const char *value);
} model_settings[] = {
    {"maxmemory", model_set_maxmemory},
    {"min-replicas-to-write", model_set_min_replicas},
    {"requirepass", model_set_requirepass},
    {"client-output-buffer-limit", model_set_output_limit},
    {"appendfsync", model_ignore_setting},
    {"maxmemory-policy", model_ignore_setting},
    {"notify-keyspace-events", model_ignore_setting},
    {"model-run-id", model_set_run_id},
    {"model-replid", model_set_replid},
};

static void model_config_set(struct model_call *c) {
    for (int i = 2; i + 1 < c->argc; i += 2) {
        const struct model_setting *s = NULL;
        char *value = mem_strndup(c->argv[i + 1].at, c->argv[i + 1].len);
        for (size_t n = 0; n < sizeof model_settings / sizeof *model_settings; n++)
            if (model_arg_is(c, i, model_settings[n].name)) s = &model_settings[n];
        bool good = s && s->set(c->server, value);
        free(value);
        if (good) continue;
        if (s)
            model_reply_error(
                c,
                "ERR CONFIG SET failed (possibly related to argument '%s') - argument must be a memory value",
                s->name);
        else
            model_reply_error(c, "ERR Unknown option or number of arguments for CONFIG SET - '%.*s'",
                              (int)c->argv[i].len, c->argv[i].at);
        return;
    }
    model_reply_status(c, "OK");
}

static void model_config_get(struct model_call *c) {
    char text[32];
    if (!model_arg_is(c, 2, "maxmemory") && !model_arg_is(c, 2, "min-replicas-to-write")) {
        model_reply_array(c, 0);
        return;
    }
    bool memory = model_arg_is(c, 2, "maxmemory");
    snprintf(text, sizeof text, "%zu", memory ? c->server->maxmemory : (size_t)c->server->min_replicas);
    model_reply_array(c, 2);
    model_reply_string(c, memory ? "maxmemory" : "min-replicas-to-write");
    model_reply_string(c, text);
}

static void model_config_resetstat(struct model_call *c) {
    size_t i = 0;
    for (const struct model_command *at = NULL; (at = model_command_next(at)); i++) c->server->calls[i] = 0;
    c->server->connections = 0;
    model_reply_status(c, "OK");
}

// ACL, REPLICAOF, SHUTDOWN

static void model_acl_whoami(struct model_call *c) {
    model_reply_string(c, c->client && c->client->user ? c->client->user->name : "default");
}

// A server that the model does not know is one that cannot be reached: the server itself stands for it.
static void model_replicaof(struct model_call *c) {
    int64_t port;
    if (model_arg_is(c, 1, "no") && model_arg_is(c, 2, "one")) {
        redis_model_follow(c->server, NULL);
    } else if (!model_bytes_integer(c->argv[2], &port) || port < 0 || port > 65535) {
        model_reply_error(c, "ERR Invalid master port");
        return;
    } else {
        struct redis_model *primary = model_server_at((int)port);
        redis_model_follow(c->server, primary ? primary : c->server);
    }
    model_reply_status(c, "OK");
}

const struct model_command model_admin_commands[] = {
    {"client|setname", 3, OF_CLIENT, 0, 0, 0, model_client_setname},
    {"client|getname", 2, OF_CLIENT, 0, 0, 0, model_client_getname},
    {"client|id", 2, OF_CLIENT, 0, 0, 0, model_client_id},
    {"client|list", -2, OF_ADMIN, 0, 0, 0, model_client_list},
    {"client|kill", -3, OF_ADMIN, 0, 0, 0, model_client_kill},
    {"client|pause", -3, OF_ADMIN, 0, 0, 0, model_client_pause},
    {"client|unpause", 2, OF_ADMIN, 0, 0, 0, model_client_unpause},
    {"client|no-evict", 3, OF_ADMIN, 0, 0, 0, model_client_no_evict},
    {"config|set", -4, OF_ADMIN, 0, 0, 0, model_config_set},
    {"config|get", -3, OF_ADMIN, 0, 0, 0, model_config_get},
    {"config|resetstat", 2, OF_ADMIN, 0, 0, 0, model_config_resetstat},
    {"acl|setuser", -3, OF_ADMIN, 0, 0, 0, model_acl_setuser},
    {"acl|whoami", 2, OF_CLIENT, 0, 0, 0, model_acl_whoami},
    {"replicaof", 3, MODEL_ADMIN | MODEL_NOSCRIPT, 0, 0, 0, model_replicaof},
    {0},
};

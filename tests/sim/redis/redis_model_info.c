// INFO, ROLE, TIME, HELLO, and the commands of a connection.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "redis_model_server.h"

#define VERSION "7.0.15"

static int model_own_port(const struct redis_model *m) {
    return m->ports ? redis_port_number(m->ports) : 0;
}

static void model_info_server(struct buf *b, const struct redis_model *m) {
    int64_t up_s = (clock_monotonic_ms() - m->started_ms) / 1000;
    buf_printf(b,
               "# Server\r\nredis_version:" VERSION
               "\r\nredis_mode:standalone\r\nrun_id:%s\r\ntcp_port:%d\r\n"
               "server_time_usec:%" PRId64 "\r\nuptime_in_seconds:%" PRId64 "\r\n",
               m->run_id, model_own_port(m), clock_wall_us(), up_s);
}

static void model_info_clients(struct buf *b, const struct redis_model *m) {
    size_t count = 0;
    for (const struct model_client *c = m->clients; c; c = c->next) count++;
    buf_printf(b, "# Clients\r\nconnected_clients:%zu\r\n", count);
}

static void model_info_memory(struct buf *b, const struct redis_model *m) {
    size_t bytes = 1000000;
    for (int db = 0; db < MODEL_DATABASES; db++)
        for (const struct model_key *k = m->keys[db]; k; k = k->hh.next) bytes += model_key_bytes(k);
    buf_printf(b, "# Memory\r\nused_memory:%zu\r\nmaxmemory:%zu\r\n", bytes, m->maxmemory);
}

static void model_info_persistence(struct buf *b, const struct redis_model *m) {
    buf_printf(b, "# Persistence\r\nloading:%d\r\n", model_is_loading(m));
}

static void model_info_stats(struct buf *b, const struct redis_model *m) {
    uint64_t sum = 0;
    size_t i = 0;
    for (const struct model_command *c = NULL; (c = model_command_next(c)); i++) sum += m->calls[i];
    buf_printf(
        b, "# Stats\r\ntotal_connections_received:%" PRIu64 "\r\ntotal_commands_processed:%" PRIu64 "\r\n",
        m->connections, sum);
}

static void model_info_replication(struct buf *b, const struct redis_model *m) {
    const struct redis_model *p = m->link.primary;
    buf_printf(b, "# Replication\r\nrole:%s\r\n", p ? "slave" : "master");
    if (p)
        buf_printf(b, "master_host:127.0.0.1\r\nmaster_port:%d\r\nmaster_link_status:%s\r\n",
                   model_own_port(p), m->link.is_up ? "up" : "down");
    buf_printf(
        b,
        "connected_slaves:%zu\r\nmaster_failover_state:no-failover\r\nmaster_replid:%s\r\nmaster_replid2:%s\r\n"
        "master_repl_offset:%zu\r\n",
        model_replicas(m), m->replid, m->replid2, m->history.bytes.len);
}

static void model_info_commandstats(struct buf *b, const struct redis_model *m) {
    size_t i = 0;
    buf_add_string(b, "# Commandstats\r\n");
    for (const struct model_command *c = NULL; (c = model_command_next(c)); i++)
        if (m->calls[i]) buf_printf(b, "cmdstat_%s:calls=%" PRIu64 "\r\n", c->name, m->calls[i]);
}

static const struct model_section {
    const char *name;
    void (*write)(struct buf *, const struct redis_model *);
    bool always; // without an argument
} model_sections[] = {
    {"server", model_info_server, true},
    {"clients", model_info_clients, true},
    {"memory", model_info_memory, true},
    {"persistence", model_info_persistence, true},
    {"stats", model_info_stats, true},
    {"replication", model_info_replication, true},
    {"commandstats", model_info_commandstats, false},
};

static void model_info(struct model_call *c) {
    struct buf b = {0};
    for (size_t i = 0; i < sizeof model_sections / sizeof *model_sections; i++) {
        const struct model_section *s = &model_sections[i];
        bool wanted = c->argc == 1 && s->always;
        for (int a = 1; a < c->argc; a++)
            wanted = wanted || model_arg_is(c, a, s->name) || model_arg_is(c, a, "all");
        if (!wanted) continue;
        if (b.len) buf_add_string(&b, "\r\n");
        s->write(&b, c->server);
    }
    model_reply_bytes(c, (struct model_bytes){b.len ? b.data : "", b.len});
    buf_release(&b);
}

static void model_role(struct model_call *c) {
    const struct redis_model *m = c->server, *p = m->link.primary;
    model_reply_array(c, p ? 5 : 3);
    model_reply_string(c, p ? "slave" : "master");
    if (p) {
        model_reply_string(c, "127.0.0.1");
        model_reply_integer(c, model_own_port(p));
        model_reply_string(c, m->link.is_up ? "connected" : "connect");
        model_reply_integer(c, m->link.is_up ? (int64_t)m->history.bytes.len : -1);
    } else {
        model_reply_integer(c, (int64_t)m->history.bytes.len);
        model_reply_array(c, 0);
    }
}

// Frozen during a script, as from Redis 7.2 on.
static void model_time(struct model_call *c) {
    char text[24];
    model_reply_array(c, 2);
    snprintf(text, sizeof text, "%" PRId64, c->now_us / 1000000);
    model_reply_string(c, text);
    snprintf(text, sizeof text, "%" PRId64, c->now_us % 1000000);
    model_reply_string(c, text);
}

static void model_ping(struct model_call *c) {
    if (c->argc > 2) {
        model_reply_error(c, "ERR wrong number of arguments for 'ping' command");
    } else if (c->client && c->client->subscribed_count) {
        model_reply_array(c, 2);
        model_reply_string(c, "pong");
        model_reply_bytes(c, c->argc > 1 ? c->argv[1] : model_bytes_of_string(""));
    } else if (c->argc > 1) {
        model_reply_bytes(c, c->argv[1]);
    } else {
        model_reply_status(c, "PONG");
    }
}

static void model_echo(struct model_call *c) {
    model_reply_bytes(c, c->argv[1]);
}

static void model_quit(struct model_call *c) {
    model_reply_status(c, "OK");
    c->client->closes = true;
}

static void model_select(struct model_call *c) {
    int64_t db;
    if (!model_arg_integer(c, 1, &db)) return;
    if (db < 0 || db >= MODEL_DATABASES) {
        model_reply_error(c, "ERR DB index is out of range");
        return;
    }
    if (c->run)
        c->run->call->db = (int)db;
    else if (c->client)
        c->client->db = (int)db;
    model_reply_status(c, "OK");
}

static bool model_log_in(struct model_call *c, struct model_bytes name, struct model_bytes password) {
    const struct model_user *u = model_user_find(c->server, name);
    bool good =
        u && u->is_on && (!u->password || model_bytes_equal(password, model_bytes_of_string(u->password)));
    if (good)
        c->client->user = u;
    else
        model_reply_error(c, "WRONGPASS invalid username-password pair or user is disabled.");
    return good;
}

static void model_auth(struct model_call *c) {
    if (c->argc > 3)
        model_reply_error(c, MODEL_SYNTAX);
    else if (c->argc == 2 && !c->server->users->password)
        model_reply_error(
            c, "ERR AUTH <password> called without any password configured for the default user. Are you "
               "sure your configuration is correct?");
    else if (model_log_in(c, c->argc == 3 ? c->argv[1] : model_bytes_of_string("default"),
                          c->argv[c->argc - 1]))
        model_reply_status(c, "OK");
}

static void model_hello(struct model_call *c) {
    int64_t version = 2;
    if (c->argc > 1 && !model_bytes_integer(c->argv[1], &version)) {
        model_reply_error(c, "ERR Protocol version is not an integer or out of range");
        return;
    }
    if (version != 2) {
        model_reply_error(c, "NOPROTO unsupported protocol version");
        return;
    }
    if (c->argc > 2 && (!model_arg_is(c, 2, "AUTH") || c->argc != 5)) {
        model_reply_error(c, "ERR Syntax error in HELLO option '%.*s'", (int)c->argv[2].len, c->argv[2].at);
        return;
    }
    if (model_arg_is(c, 2, "AUTH") && c->argc > 4 && !model_log_in(c, c->argv[3], c->argv[4])) return;
    if (!c->client->user) {
        model_reply_error(
            c, "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
               "<proto> AUTH <user> <pass> option can be used to authenticate the client and select the "
               "RESP protocol version at the same time");
        return;
    }
    model_reply_array(c, 14);
    const char *const texts[] = {"server", "redis", "version", VERSION, "proto"};
    for (size_t i = 0; i < 5; i++) model_reply_string(c, texts[i]);
    model_reply_integer(c, 2);
    model_reply_string(c, "id");
    model_reply_integer(c, (int64_t)c->client->id);
    const char *const rest[] = {"mode", "standalone", "role", c->server->link.primary ? "replica" : "master",
                                "modules"};
    for (size_t i = 0; i < 5; i++) model_reply_string(c, rest[i]);
    model_reply_array(c, 0);
}

static void model_memory_usage(struct model_call *c) {
    const struct model_key *k = model_find(c, c->argv[2]);
    if (k)
        model_reply_integer(c, (int64_t)model_key_bytes(k));
    else
        model_reply_nil(c);
}

const struct model_command model_server_commands[] = {
    {"info", -1, MODEL_LOADING | MODEL_DANGEROUS, 0, 0, 0, model_info},
    {"role", 1, MODEL_LOADING | MODEL_NOSCRIPT | MODEL_DANGEROUS, 0, 0, 0, model_role},
    {"time", 1, MODEL_LOADING, 0, 0, 0, model_time},
    {"ping", -1, MODEL_PUBSUB, 0, 0, 0, model_ping},
    {"echo", 2, MODEL_LOADING, 0, 0, 0, model_echo},
    {"quit", -1, MODEL_LOADING | MODEL_NOSCRIPT | MODEL_NO_AUTH | MODEL_PUBSUB, 0, 0, 0, model_quit},
    {"select", 2, MODEL_LOADING, 0, 0, 0, model_select},
    {"auth", -2, MODEL_LOADING | MODEL_NOSCRIPT | MODEL_NO_AUTH, 0, 0, 0, model_auth},
    {"hello", -1, MODEL_LOADING | MODEL_NOSCRIPT | MODEL_NO_AUTH, 0, 0, 0, model_hello},
    {"memory|usage", -3, MODEL_READONLY, 2, 2, 1, model_memory_usage},
    {0},
};

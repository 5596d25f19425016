// How a command is found, permitted, executed and replicated, in the order of Redis's processCommand().
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "redis_model_server.h"

static const struct model_command *const model_tables[] = {
    model_key_commands,   model_string_commands, model_hash_commands,   model_list_commands,
    model_zset_commands,  model_stream_commands, model_pubsub_commands, model_server_commands,
    model_admin_commands, model_script_commands,
};
enum { MODEL_TABLES = sizeof model_tables / sizeof *model_tables };

const struct model_command *model_command_next(const struct model_command *command) {
    if (!command) return model_tables[0];
    if (command[1].name) return command + 1;
    for (size_t i = 0; i + 1 < MODEL_TABLES; i++) {
        const struct model_command *last = model_tables[i];
        while (last->name && last != command) last++;
        if (last->name) return model_tables[i + 1];
    }
    return NULL;
}

enum { MODEL_COMMANDS_MAX = 128 };

// All of them in one row, and the places of those whose names are alike, because each call looks for its own.
enum { MODEL_BUCKETS = 256, MODEL_ALIKE = 4 };

static struct {
    const struct model_command *command;
    size_t len;
} model_rows[MODEL_COMMANDS_MAX];
static uint8_t model_places[MODEL_BUCKETS][MODEL_ALIKE]; // in model_rows, from 1 on

static uint8_t *model_bucket(struct model_bytes name) {
    unsigned hash = (unsigned)name.len;
    for (size_t i = 0; i < name.len; i++) hash = 31 * hash + (unsigned char)(name.at[i] | ' ');
    return model_places[hash % MODEL_BUCKETS];
}

static void model_rows_fill(void) {
    uint8_t count = 0;
    if (model_rows[0].command) return;
    for (const struct model_command *c = NULL; (c = model_command_next(c));) {
        assert(count < MODEL_COMMANDS_MAX);
        uint8_t *place = model_bucket(model_bytes_of_string(c->name)), *end = place + MODEL_ALIKE;
        while (place < end && *place) place++;
        assert(place < end);
        model_rows[count].command = c;
        model_rows[count++].len = strlen(c->name);
        *place = count;
    }
}

size_t model_command_place(const struct model_command *command) {
    size_t place = 0;
    model_rows_fill();
    uint8_t *at = model_bucket(model_bytes_of_string(command->name));
    while (model_rows[place = *at++ - 1u].command != command) continue;
    return place;
}

static const struct model_command *model_command_named(struct model_bytes name) {
    model_rows_fill();
    const uint8_t *at = model_bucket(name), *end = at + MODEL_ALIKE;
    for (; at < end && *at; at++)
        if (model_rows[*at - 1].len == name.len &&
            !strncasecmp(name.at, model_rows[*at - 1].command->name, name.len))
            return model_rows[*at - 1].command;
    return NULL;
}

static bool model_has_subcommands(struct model_bytes word) {
    static const char *const words[] = {"client", "config", "script", "acl", "memory", "pubsub"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (model_bytes_are(word, words[i])) return true;
    return false;
}

const struct model_command *model_command_find(int argc, const struct model_bytes *argv) {
    char name[64];
    const struct model_command *found = model_command_named(argv[0]);
    if (found || argc < 2 || !model_has_subcommands(argv[0])) return found;
    snprintf(name, sizeof name, "%.*s|%.*s", (int)argv[0].len, argv[0].at, (int)argv[1].len, argv[1].at);
    return model_command_named(model_bytes_of_string(name));
}

static void model_refuse_subcommand(struct model_call *c) {
    char word[32] = "";
    bool missing = c->argc < 2;
    for (size_t i = 0; i < c->argv[0].len && i + 1 < sizeof word; i++)
        word[i] = (char)(missing ? tolower(c->argv[0].at[i]) : toupper(c->argv[0].at[i]));
    if (missing)
        model_reply_error(c, "ERR wrong number of arguments for '%s' command", word);
    else
        model_reply_error(c, "ERR unknown subcommand '%.128s'. Try %s HELP.", c->argv[1].at, word);
}

static void model_refuse_unknown(struct model_call *c) {
    struct buf args = {0};
    int len = c->argv[0].len > 128 ? 128 : (int)c->argv[0].len;
    for (int i = 1; i < c->argc && args.len < 128; i++)
        buf_printf(&args, "'%.*s' ", (int)c->argv[i].len, c->argv[i].at);
    model_reply_error(c, "ERR unknown command '%.*s', with args beginning with: %s", len, c->argv[0].at,
                      buf_string(&args));
    buf_release(&args);
}

bool model_is_full(const struct redis_model *m) {
    size_t bytes = 0;
    if (!m->maxmemory) return false;
    for (int db = 0; db < MODEL_DATABASES; db++)
        for (const struct model_key *k = m->keys[db]; k; k = k->hh.next) bytes += model_key_bytes(k);
    return bytes + 1000000 > m->maxmemory; // a server without a key takes about as much
}

void model_call_begin(struct model_call *c) {
    c->now_us = clock_wall_us();
    c->now_ms = c->now_us / 1000;
}

// Replicates the call as it was made, unless it was in other words.
void model_call_run(struct model_call *c) {
    c->server->calls[model_command_place(c->command)]++;
    c->command->run(c);
    if (c->changed && !c->replicated && !c->obeys)
        model_history_add(c->server, c->db, c->argc, c->argv, false);
}

void model_replicate(struct model_call *c, int argc, const struct model_bytes *argv) {
    c->replicated = true;
    if (!c->obeys) model_history_add(c->server, c->db, argc, argv, false);
}

// Permission

static const char *model_why_user_may_not(const struct model_call *c) {
    const struct model_user *u = c->client->user;
    static char why[160];
    if (c->command->flags & MODEL_NO_AUTH) return NULL;
    if (!u) return "NOAUTH Authentication required.";
    if (!model_user_may_run(u, c->command)) {
        snprintf(why, sizeof why, "NOPERM this user has no permissions to run the '%s' command",
                 c->command->name);
        return why;
    }
    if (!model_user_may_use_keys(u, c->command, c->argc, c->argv))
        return "NOPERM this user has no permissions to access one of the keys used as arguments";
    if (!model_user_may_use_channels(u, c->command, c->argc, c->argv))
        return "NOPERM this user has no permissions to access one of the channels used as arguments";
    return NULL;
}

static const char *model_why_server_may_not(const struct model_call *c, unsigned flags) {
    const struct redis_model *m = c->server;
    static char why[160];
    if ((flags & MODEL_DENYOOM) && model_is_full(m)) return MODEL_OOM;
    if ((flags & MODEL_WRITE) && model_replicas(m) < (size_t)m->min_replicas) return MODEL_NOREPLICAS;
    if ((flags & MODEL_WRITE) && m->link.primary) return MODEL_READONLY_REPLICA;
    if (c->client->subscribed_count && !(flags & MODEL_PUBSUB)) {
        snprintf(
            why, sizeof why,
            "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in "
            "this context",
            c->command->name);
        return why;
    }
    if (!(flags & MODEL_LOADING) && model_is_loading(m))
        return "LOADING Redis is loading the dataset in memory";
    return NULL;
}

static bool model_has_arity(const struct model_command *command, int argc) {
    return command->arity > 0 ? argc == command->arity : argc >= -command->arity;
}

// Finds the command, and replies with an error if it is refused.
static bool model_call_is_permitted(struct model_call *c) {
    c->command = model_command_find(c->argc, c->argv);
    if (!c->command) {
        if (model_has_subcommands(c->argv[0]))
            model_refuse_subcommand(c);
        else
            model_refuse_unknown(c);
        return false;
    }
    if (!model_has_arity(c->command, c->argc)) {
        model_reply_error(c, "ERR wrong number of arguments for '%s' command", c->command->name);
        return false;
    }
    const char *why = model_why_user_may_not(c);
    if (!why) why = model_why_server_may_not(c, model_script_flags(c->server, c->command, c->argc, c->argv));
    if (why) model_reply_error(c, "%s", why);
    return !why;
}

void model_client_execute(struct model_client *client, int argc, const struct model_bytes *argv) {
    struct model_call c = {.server = client->server,
                           .client = client,
                           .argc = argc,
                           .argv = argv,
                           .reply = &client->out,
                           .db = client->db};
    model_call_begin(&c);
    if (!model_call_is_permitted(&c)) return;
    struct redis_model *m = c.server;
    model_call_run(&c);
    model_history_commit(m);
}

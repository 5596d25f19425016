#include <stdlib.h>

#include "redis_model_server.h"

#define B(text) ((struct model_bytes){text, sizeof text - 1})

// A channel with subscribers.
struct model_channel {
    UT_hash_handle hh;
    struct model_client **clients;
    size_t count, room;
    size_t len;
    char name[];
};

static struct model_bytes model_channel_name(const struct model_channel *ch) {
    return (struct model_bytes){ch->name, ch->len};
}

static struct model_channel *model_channel_find(struct redis_model *m, struct model_bytes name) {
    struct model_channel *ch;
    HASH_FIND(hh, m->channels, name.at, name.len, ch);
    return ch;
}

static struct model_channel *model_channel_add(struct redis_model *m, struct model_bytes name) {
    struct model_channel *ch = mem_zalloc(sizeof *ch + name.len + 1);
    ch->len = name.len;
    memcpy(ch->name, name.at, name.len);
    HASH_ADD_KEYPTR(hh, m->channels, ch->name, ch->len, ch);
    return ch;
}

static size_t model_place_of(const struct model_client *client, const struct model_channel *ch) {
    size_t i = 0;
    while (i < client->subscribed_count && client->subscribed[i] != ch) i++;
    return i;
}

static void model_subscribe_to(struct model_client *client, struct model_bytes name) {
    struct redis_model *m = client->server;
    struct model_channel *ch = model_channel_find(m, name);
    if (!ch) ch = model_channel_add(m, name);
    if (model_place_of(client, ch) < client->subscribed_count) return;
    if (client->subscribed_count == client->subscribed_room) {
        client->subscribed_room = client->subscribed_room ? 2 * client->subscribed_room : 8;
        client->subscribed =
            mem_realloc(client->subscribed, client->subscribed_room * sizeof *client->subscribed);
    }
    client->subscribed[client->subscribed_count++] = ch;
    if (ch->count == ch->room) {
        ch->room = ch->room ? 2 * ch->room : 4;
        ch->clients = mem_realloc(ch->clients, ch->room * sizeof *ch->clients);
    }
    ch->clients[ch->count++] = client;
}

static void model_unsubscribe_from(struct model_client *client, size_t place) {
    struct model_channel *ch = client->subscribed[place];
    size_t at = 0;
    client->subscribed_count--;
    memmove(client->subscribed + place, client->subscribed + place + 1,
            (client->subscribed_count - place) * sizeof *client->subscribed);
    while (ch->clients[at] != client) at++;
    ch->count--;
    memmove(ch->clients + at, ch->clients + at + 1, (ch->count - at) * sizeof *ch->clients);
    if (ch->count) return;
    HASH_DEL(client->server->channels, ch);
    free(ch->clients);
    free(ch);
}

void model_unsubscribe_all(struct model_client *client) {
    while (client->subscribed_count) model_unsubscribe_from(client, client->subscribed_count - 1);
}

// Disconnects subscribers of channels that they may not use any more.
void model_drop_unpermitted(struct redis_model *m, const struct model_user *u) {
    for (struct model_client *c = m->clients, *next; c; c = next) {
        next = c->next;
        bool permitted = true;
        for (size_t i = 0; c->user == u && i < c->subscribed_count; i++)
            permitted = permitted && model_user_may_use_channel(u, model_channel_name(c->subscribed[i]));
        if (!permitted) model_client_close(c);
    }
}

size_t model_publish(struct redis_model *m, struct model_bytes channel, struct model_bytes message) {
    const struct model_channel *ch = model_channel_find(m, channel);
    for (size_t i = 0; ch && i < ch->count; i++) {
        struct model_client *client = ch->clients[i];
        if (client->closes) continue;
        model_put_array(&client->out, 3);
        model_put_bytes(&client->out, B("message"));
        model_put_bytes(&client->out, channel);
        model_put_bytes(&client->out, message);
        model_client_flush(client);
    }
    return ch ? ch->count : 0;
}

static void model_cmd_publish(struct model_call *c) {
    size_t count = model_publish(c->server, c->argv[1], c->argv[2]);
    model_history_add(c->server, c->db, c->argc, c->argv, true);
    model_reply_integer(c, (int64_t)count);
}

static void model_reply_subscription(struct model_call *c, const char *word,
                                     const struct model_bytes *channel) {
    model_reply_array(c, 3);
    model_reply_string(c, word);
    if (channel)
        model_reply_bytes(c, *channel);
    else
        model_reply_nil(c);
    model_reply_integer(c, (int64_t)c->client->subscribed_count);
}

static void model_subscribe(struct model_call *c) {
    for (int i = 1; i < c->argc; i++) {
        model_subscribe_to(c->client, c->argv[i]);
        model_reply_subscription(c, "subscribe", &c->argv[i]);
    }
}

static void model_unsubscribe(struct model_call *c) {
    struct model_client *client = c->client;
    if (c->argc == 1 && !client->subscribed_count) model_reply_subscription(c, "unsubscribe", NULL);
    for (int i = 1; i < c->argc; i++) {
        const struct model_channel *ch = model_channel_find(c->server, c->argv[i]);
        size_t place = ch ? model_place_of(client, ch) : client->subscribed_count;
        if (place < client->subscribed_count) model_unsubscribe_from(client, place);
        model_reply_subscription(c, "unsubscribe", &c->argv[i]);
    }
    while (c->argc == 1 && client->subscribed_count) {
        struct model_bytes name = model_channel_name(client->subscribed[0]);
        struct model_text *copy = model_text_new(name.at, name.len);
        struct model_bytes copied = model_bytes_of(copy);
        model_unsubscribe_from(client, 0);
        model_reply_subscription(c, "unsubscribe", &copied);
        free(copy);
    }
}

static void model_numsub(struct model_call *c) {
    model_reply_array(c, 2 * ((size_t)c->argc - 2));
    for (int i = 2; i < c->argc; i++) {
        const struct model_channel *ch = model_channel_find(c->server, c->argv[i]);
        model_reply_bytes(c, c->argv[i]);
        model_reply_integer(c, ch ? (int64_t)ch->count : 0);
    }
}

static void model_channels(struct model_call *c) {
    size_t count = 0;
    if (c->argc > 3) {
        model_reply_error(
            c, "ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.");
        return;
    }
    struct model_text *pattern =
        c->argc == 3 ? model_text_new(c->argv[2].at, c->argv[2].len) : model_text_new("*", 1);
    for (int pass = 0; pass < 2; pass++) {
        if (pass) model_reply_array(c, count);
        for (const struct model_channel *ch = c->server->channels; ch; ch = ch->hh.next) {
            if (!model_bytes_match(model_channel_name(ch), pattern->at)) continue;
            if (pass) model_reply_bytes(c, model_channel_name(ch));
            count++;
        }
    }
    free(pattern);
}

const struct model_command model_pubsub_commands[] = {
    {"publish", 3, MODEL_LOADING | MODEL_MAY_REPLICATE | MODEL_CHANNEL_FIRST, 0, 0, 0, model_cmd_publish},
    {"subscribe", -2, MODEL_PUBSUB | MODEL_NOSCRIPT | MODEL_LOADING | MODEL_CHANNEL_FIRST, 0, 0, 0,
     model_subscribe},
    {"unsubscribe", -1, MODEL_PUBSUB | MODEL_NOSCRIPT | MODEL_LOADING, 0, 0, 0, model_unsubscribe},
    {"pubsub|numsub", -2, MODEL_LOADING, 0, 0, 0, model_numsub},
    {"pubsub|channels", -2, MODEL_LOADING, 0, 0, 0, model_channels},
    {0},
};

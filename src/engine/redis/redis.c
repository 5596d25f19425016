// clang-format off
// What is stored where in Redis. Names without `chorus:` are those of the original system, so that both can
// share a Redis.
//
//   video:<id>:reader           string: the URL of the video's reader
//   {video:<id>}:set            string: "<generation> <URL> <URL>...": the readers that serve the video together, the first
//                               of which the mapping has; written before it
//   video:<id>                  channel: comments as JSON (one without our id comes from an original comment API);
//                               for any other entry its position alone
//   {video:<id>}:log            stream: entry id = its position; t: when, ms; j: the JSON as published. For kinds other
//                               than comment and tombstone, j has no body; k (the kind, a number) and b (the
//                               body, an object) follow it. A comment's body is not stored again, but is j
//                               without its position: a second copy would take 80 % more of Redis's memory
//   {video:<id>}:pos            string: "<epoch>-<seq> <run>" or "<epoch>-<seq> <run> <prevs>"; see lua/shared/position.lua
//   {video:<id>}:retracted      sorted set: positions of the comments that were taken out of the log, by when, ms
//   {video:<id>}:tokens         hash: digest of a token => digest of the entry, its id, the caller's time in ms
//   {video:<id>}:tokens:older   hash: the previous generation of the above
//   {video:<id>}:token:<token>  string: JSON; how an earlier version stored a token: read, never written
//   readers                     hash: URL => lease; see redis_lease.h
//   chorus:{readers}:load       hash: URL => what else the lease says
//   readers:next                string: how many videos have been assigned, for round-robin
//   {video:<id>}:audit          what moderators did: a list of notes, newest first
//   {video:<id>}:audit:automatic    and what was done by itself
//   {video:<id>}:room, :bans    what moderators have set (engine/room.h), and what lua/shared/gate.lua keeps beside
//                               it: :slow, :texts, :paced, :held; and chorus:held
//   chorus:mapped               sorted set: all videos with a mapping or a position, by last use (microseconds)
//   chorus:uncommented          sorted set: those of them that have no comment yet
//   chorus:unmapped             sorted set: those of them that have no mapping
//   chorus:watched              sorted set: watched videos, by chorus:clock
//   chorus:clock                hash: a clock that does not jump when the server's is set; for these five see lua/shared/admit.lua
//   chorus:comments             string: comments ever logged
//   chorus:tokens               hash: period of half a token's life => how many tokens were stored in it
//   chorus:newest               list: the most recent comments of all videos
//   chorus:settings             hash: video => its settings, JSON (engine.h)
//   chorus:<topic>              channel: messages between processes, such as counts of viewers; see redis_messages.h
//   video:/<random>             channel: a process probes its own subscription; no video id contains a slash
//   {video:/check}:...          (in a Cluster video:/check{tag}:...) a log that is never read, kept for a few seconds: probes whether Redis accepts appends
// clang-format on
//
// In a Cluster, which the original cannot use: channels are sharded (SPUBLISH), a mapping is
// {video:<id>}:reader, and of chorus:mapped,
// uncommented, unmapped, watched, clock, comments, tokens, newest and held there is one for each slot, with
// `:{tag}` behind it,
// which lies there (redis_slots.h): so a script finds all that it needs in the slot of its video.
//
// All keys of a video's log have the hash tag {video:<id>}: the slot of its channel. The run is the server's
// replication id at the moment of the append, read by the script itself: a connection may outlive a demotion,
// a resync and a promotion of its server, and a server may come back with its old process's run id and other
// data.
#include "engine/redis.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "engine/hub.h"
#include "redis_amend.h"
#include "redis_by_slot.h"
#include "redis_cluster.h"
#include "redis_core.h"
#include "redis_head.h"
#include "redis_lease.h"
#include "redis_log.h"
#include "redis_losses.h"
#include "redis_mapping.h"
#include "redis_secret.h"
#include "redis_messages.h"
#include "redis_node.h"
#include "redis_overview.h"
#include "redis_room.h"
#include "redis_sentinels.h"
#include "redis_settings.h"
#include "redis_subscriber.h"
#include "net/resolver.h"

#include <utlist.h>

enum { TICK_MS = 1000 };

static struct redis *redis_of(struct engine *engine) {
    return (struct redis *)engine;
}

static struct engine_subscription *redis_subscribe(struct engine *engine, const char *video,
                                                   const struct engine_subscriber *subscriber, void *arg) {
    struct redis *r = redis_of(engine);
    struct engine_subscription *s = hub_subscribe(r->hub, video, subscriber, arg);
    // SUBSCRIBE is sent again for a further subscription: each gets its own on_subscribed().
    struct redis_node *n = redis_node_of_video(r, video);
    if (r->is_closed) return s;
    if (r->by_slot) redis_by_slot_add(r->by_slot, redis_slot_of_video(video), video);
    if (n) redis_subscriber_add(n->subscriber, video);
    return s;
}

static void redis_unsubscribe(struct engine *engine, struct engine_subscription *subscription) {
    struct redis *r = redis_of(engine);
    char video[ENGINE_VIDEO_MAX + 1];
    snprintf(video, sizeof video, "%s", hub_video_of(subscription));
    struct position at = hub_position(r->hub, video);
    if (!hub_unsubscribe(r->hub, subscription) || r->is_closed) return;
    struct redis_node *n = redis_node_of_video(r, video);
    if (r->by_slot) redis_by_slot_remove(r->by_slot, redis_slot_of_video(video), video);
    if (n) redis_subscriber_remove(n->subscriber, video);
    last_positions_keep(&r->last_positions, video, at);
}

static void on_redis_tick(struct loop_timer *t) {
    struct redis *r = container_of(t, struct redis, tick);
    struct redis_node *n;
    DL_FOREACH(r->nodes, n) redis_subscriber_probe(n->subscriber);
    redis_messages_check(r->messages);
    redis_mappings_purge(r);
    redis_losses_check(r);
    loop_timer_start(r->loop, t, TICK_MS);
}

static void redis_set_limits(struct engine *engine, const struct engine_limits *limits) {
    redis_of(engine)->config.limits = *limits;
}

static bool redis_ready(struct engine *engine, const char **why) {
    struct redis *r = redis_of(engine);
    if (r->cluster) return redis_cluster_ready(r->cluster, why);
    return redis_node_ready(r->nodes, why);
}

static struct engine_stats redis_stats(struct engine *engine) {
    struct redis *r = redis_of(engine);
    struct engine_stats so_far = r->stats;
    so_far.waiting = r->waiting + r->ranges_waiting_count;
    return so_far;
}

static void on_redis_up(struct redis_node *n) {
    (void)n; // there is nothing to find out
}

static void on_redis_serving(struct redis_node *n) {
    struct redis *r = n->redis;
    redis_messages_check(r->messages);
    redis_losses_check(r); // before the first append, so that what is lost of it is lost from a known history
}

static void on_redis_subscriber(struct redis_node *n) {
    redis_messages_begin(n->redis->messages);
}

static void on_redis_message(struct redis *r, const char *channel, const char *body, size_t len) {
    redis_messages_take(r->messages, channel, body, len);
}

// A slot of a Cluster has come from one server to another. What was subscribed there has ended by itself.
static void on_redis_slot(struct redis *r, unsigned slot, struct redis_node *from) {
    char *const *names;
    size_t count = redis_by_slot_of(r->by_slot, slot, &names);
    redis_subscriber_add_slot(r->owners[slot]->subscriber, names, count);
    if (from) redis_messages_moved(r->messages, slot);
}

static void on_redis_moved(void *arg) {
    struct redis *r = arg;
    redis_node_look(r->nodes);
}

static void on_redis_resolved(void *arg) {
    struct redis *r = arg;
    struct redis_node *n;
    redis_sentinels_resolved(r->sentinels);
    DL_FOREACH(r->nodes, n) redis_node_resolved(n);
}

static void on_redis_reap(struct loop_job *job) {
    struct redis *r = container_of(job, struct redis, reap);
    redis_by_slot_free(r->by_slot);
    free(r->owners);
    free(r->again_of);
    free(r->tags);
    free(r);
}

// Nothing more is published, but subscriptions remain until all callbacks have been called, since a callback
// may still unsubscribe.
static void redis_close(struct engine *engine) {
    struct redis *r = redis_of(engine);
    if (r->is_closed) return;
    struct redis_node *n;
    r->is_closed = true;
    loop_timer_stop(r->loop, &r->tick);
    redis_cluster_free(r->cluster);
    DL_FOREACH(r->nodes, n) redis_node_drain(n);
    while (r->nodes) redis_node_free(r->nodes);
    redis_heads_close(r);
    redis_core_close(r);
    hub_free(r->hub);
    redis_messages_free(r->messages);
    last_positions_release(&r->last_positions);
    redis_lease_release(r);
    redis_sentinels_free(r->sentinels);
    resolver_free(r->resolver);
    free((char *)r->config.url);
    r->reap.run = on_redis_reap;
    loop_defer(r->loop, &r->reap);
}

static const struct engine_ops redis_ops = {
    .name = "redis",
    .append = redis_append,
    .amend = redis_amend,
    .subscribe = redis_subscribe,
    .unsubscribe = redis_unsubscribe,
    .notify = redis_notify,
    .listen = redis_listen,
    .unlisten = redis_unlisten,
    .head = redis_head,
    .range = redis_range,
    .range_before = redis_range_before,
    .replay = redis_replay,
    .videos = redis_videos,
    .lookup = redis_lookup,
    .assign = redis_assign,
    .reassign = redis_reassign,
    .release = redis_release,
    .set_read = redis_set_read,
    .set_write = redis_set_write,
    .settings_read = redis_settings_read,
    .settings_write = redis_settings_write,
    .rooms_read = redis_rooms_read,
    .room_write = redis_room_write,
    .ban_write = redis_ban_write,
    .bans_read = redis_bans_read,
    .held_read = redis_held_read,
    .held_drop = redis_held_drop,
    .audit_read = redis_audit_read,
    .watch = redis_watch,
    .lease_renew = redis_lease_renew,
    .lease_drop = redis_lease_drop,
    .leases = redis_leases,
    .counter_next = redis_counter_next,
    .secret = redis_secret,
    .overview = redis_overview,
    .set_limits = redis_set_limits,
    .ready = redis_ready,
    .stats = redis_stats,
    .close = redis_close,
};

const char *redis_url_check(const char *url) {
    struct redis_url parsed;
    return redis_url_parse(&parsed, url);
}

bool redis_url_needs_tls(const char *url, char *host) {
    struct redis_url parsed;
    host[0] = 0;
    if (redis_url_parse(&parsed, url)) return false;
    snprintf(host, REDIS_HOST_SIZE, "%s", parsed.at[0].host);
    return parsed.tls;
}

bool redis_url_is_cluster(const char *url) {
    struct redis_url parsed;
    return !redis_url_parse(&parsed, url) && parsed.scheme == REDIS_CLUSTER;
}

struct engine *redis_open(struct loop *loop, const struct redis_config *config) {
    struct redis *r = mem_zalloc(sizeof *r);
    const char *wrong = redis_url_parse(&r->url, config->url);
    assert(!wrong && r->url.tls == (config->transport != NULL));
    if (config->password) snprintf(r->url.password, sizeof r->url.password, "%s", config->password);
    r->engine.ops = &redis_ops;
    r->loop = loop;
    r->config = *config;
    r->config.url = mem_strdup(config->url);
    r->config.password = NULL; // it is in r->url
    r->hub = hub_new();
    r->messages = redis_messages_new(r);
    r->on_serving = on_redis_serving;
    r->on_up = on_redis_up;
    r->on_subscriber = on_redis_subscriber;
    r->on_message = on_redis_message;
    r->resolver = resolver_new(loop, on_redis_resolved, r);
    if (r->url.scheme == REDIS_SENTINEL)
        r->sentinels = redis_sentinels_new(loop, r->resolver, &r->url, &r->config, on_redis_moved, r);
    r->check_append = redis_log_check;
    redis_core_start(r);
    redis_heads_start(r);
    if (r->url.scheme == REDIS_CLUSTER)
        redis_cluster_new(r, on_redis_slot);
    else
        redis_node_new(r, &r->url.at[0]);
    r->tick.on_due = on_redis_tick;
    loop_timer_start(loop, &r->tick, TICK_MS);
    return &r->engine;
}

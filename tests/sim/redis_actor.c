#include "redis_actor.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/loop.h"
#include "redis/redis_model.h"
#include "sim.h"

enum { PORT = 6379, REPLICA_PORT = 6380, LAG_MS = 2 };

static struct redis_model *servers[2];
static struct redis_port *front;
static unsigned in_front;
static int64_t lost_ms; // what the killed server will lack
static redis_loss_cb *on_loss;
static void *on_loss_arg;

static struct redis_port *actor_listen(struct loop *loop, int port, struct redis_model *model) {
    union address here;
    if (!address_parse(&here, sim_address("redis"))) abort();
    address_set_port(&here, port);
    return redis_port_new(loop, &here, model);
}

static int actor_run(void *arg) {
    struct loop *loop = loop_new();
    (void)arg;
    servers[0] = redis_model_new(loop, "redis-1");
    servers[1] = redis_model_new(loop, "redis-2");
    in_front = 0;
    front = actor_listen(loop, PORT, servers[0]);
    if (!front || !actor_listen(loop, REPLICA_PORT, servers[1])) return 1;
    redis_model_set_lag(servers[1], LAG_MS);
    redis_model_follow(servers[1], servers[0]);
    return loop_run(loop);
}

void redis_actor_start(void) {
    front = NULL;
    sim_start("redis", actor_run, NULL);
}

void redis_actor_watch_losses(redis_loss_cb *cb, void *arg) {
    on_loss = cb;
    on_loss_arg = arg;
}

// A log's key is {video:ID}:log.
static void actor_note_loss(void *arg, const char *key, uint64_t ms, uint64_t seq) {
    char video[160];
    struct sim_process *p = sim_step_out();
    (void)arg;
    if (on_loss && sscanf(key, "{video:%150[^}]}:log", video) == 1) on_loss(on_loss_arg, video, ms, seq);
    sim_step_in(p);
}

static void actor_turn_over(void) {
    struct redis_model *old = servers[in_front], *next = servers[!in_front];
    redis_model_follow(next, NULL);
    redis_port_turn_to(front, next);
    redis_model_follow(old, next);
    in_front = !in_front;
}

// What has not been repeated is lost.
static void actor_lose(void) {
    const struct redis_model *old = servers[in_front];
    struct redis_model *next = servers[!in_front];
    redis_model_set_link(next, true);
    if (!redis_model_is_alive(old) || !redis_model_is_alive(next) || !redis_model_behind(next)) return;
    redis_model_missing(old, next, actor_note_loss, NULL);
    actor_turn_over();
}

// What is acknowledged may not be lost: without all of it the other server stays what it is.
static void actor_fail_over(void) {
    struct redis_model *old = servers[in_front], *next = servers[!in_front];
    if (!redis_model_is_alive(old) || !redis_model_is_alive(next) || redis_model_behind(next)) return;
    actor_turn_over();
}

static void actor_begin(enum redis_fault fault, uint64_t number) {
    struct redis_model *server = servers[in_front];
    char command[64];
    switch (fault) {
    case REDIS_KILL: redis_model_kill(server); break;
    case REDIS_FREEZE: redis_model_freeze(server); break;
    case REDIS_PAUSE:
        snprintf(command, sizeof command, "CLIENT PAUSE %u", (unsigned)(number % 3000));
        redis_model_do(server, command);
        break;
    case REDIS_CUT_ALL: redis_model_do(server, "CLIENT KILL TYPE normal"); __attribute__((fallthrough));
    case REDIS_CUT_PUBSUB: redis_model_do(server, "CLIENT KILL TYPE pubsub"); break;
    case REDIS_FAILOVER: actor_fail_over(); break;
    case REDIS_FORGET_SCRIPTS: redis_model_do(server, "SCRIPT FLUSH"); break;
    case REDIS_LOSE: redis_model_set_link(servers[!in_front], false); break;
    case REDIS_OLD:
        if (redis_model_is_alive(server)) lost_ms = (int64_t)(number % 2000);
        redis_model_kill(server);
        break;
    case REDIS_FAULTS: break;
    }
}

static void actor_start_again(struct redis_model *server) {
    enum redis_model_data data = lost_ms ? REDIS_MODEL_TAIL : REDIS_MODEL_ALL;
    if (lost_ms) redis_model_would_lose(server, data, lost_ms, actor_note_loss, NULL);
    redis_model_start(server, data, lost_ms, (int64_t)sim_random(300));
    lost_ms = 0;
}

static void actor_end(enum redis_fault fault) {
    if (fault == REDIS_LOSE) actor_lose();
    for (unsigned i = 0; i < 2; i++) {
        if (fault == REDIS_FREEZE && redis_model_is_alive(servers[i])) redis_model_continue(servers[i]);
        if ((fault != REDIS_KILL && fault != REDIS_OLD) || redis_model_is_alive(servers[i])) continue;
        actor_start_again(servers[i]);
        if (i != in_front) redis_model_follow(servers[i], servers[in_front]);
    }
}

// The model's functions run in its process, as if by an administrator there.
static bool actor_enter(void) {
    struct sim_process *p = sim_process_on("redis");
    if (!p || !front) return false;
    sim_step_in(p);
    return true;
}

void redis_actor_begin(enum redis_fault fault, uint64_t number) {
    if (!actor_enter()) return;
    actor_begin(fault, number);
    sim_step_out();
}

void redis_actor_end(enum redis_fault fault) {
    if (!actor_enter()) return;
    actor_end(fault);
    sim_step_out();
}

const char *redis_actor_string(const char *key) {
    return front ? redis_model_string(servers[in_front], key) : NULL;
}

void redis_actor_calm(void) {
    redis_actor_end(REDIS_LOSE);
    redis_actor_end(REDIS_KILL);
    redis_actor_end(REDIS_FREEZE);
}

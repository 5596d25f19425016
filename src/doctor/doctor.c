#include "doctor/doctor.h"

#include <stdio.h>

#include "check.h"
#include "engine/redis_config.h"
#include "engine/redis_facts.h"
#include "machine.h"
#include "net/loop.h"
#include "net/tls.h"
#include "stream_probe.h"

enum { REDIS_MS = 3000 };

const char *const doctor_checks[] = {
    "ports",        "users",      "moderation",   "limits",        "proxy", "stream", "descriptors",
    "backlog",      "conntrack",  "clock",        "memory",        "disk",  "redis",  "redis-access",
    "redis-rights", "durability", "redis-memory", "redis-buffers", NULL};

static void ask_redis(const struct doctor_config *c, struct loop *loop, struct redis_facts *f) {
    struct redis_config config = {.url = c->redis,
                                  .password = c->redis_password,
                                  .transport = c->redis_tls ? tls_client_transport_to : NULL,
                                  .tls = c->redis_tls};
    if (c->redis_trouble)
        snprintf(f->why, sizeof f->why, "%s", c->redis_trouble);
    else
        redis_facts_ask(loop, &config, REDIS_MS, f);
}

void doctor_examine(const struct doctor_config *c, const char *root, struct doctor_report *r) {
    struct loop *loop = loop_new();
    struct machine machine;
    struct redis_facts facts = {0}, *redis = c->redis ? &facts : NULL;
    struct stream_facts stream = {0};
    *r = (struct doctor_report){0};
    machine_read(&machine, root, c->data);
    if (redis && loop) ask_redis(c, loop, redis);
    if (c->ask && loop)
        stream_probe(
            loop,
            &(struct stream_question){
                .url = c->ask, .video = c->video, .token = c->token, .heartbeat_ms = c->heartbeat_ms},
            &stream);
    loop_free(loop);
    check_ports(c, r);
    check_users(c, r);
    check_moderation(c, r);
    check_limits(c, r);
    check_proxy(c, r);
    check_stream(c, &stream, r);
    check_descriptors(c, &machine, r);
    check_backlog(&machine, r);
    check_conntrack(c, &machine, r);
    check_clock(&machine, redis, r);
    check_memory(c, &machine, r);
    check_disk(c, &machine, r);
    check_redis(c, redis, r);
    check_redis_access(c, redis, r);
    check_redis_rights(redis, r);
    check_durability(c, redis, r);
    check_redis_memory(redis, r);
    check_redis_buffers(redis, r);
}

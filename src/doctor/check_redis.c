#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/redis.h"
#include "engine/redis_facts.h"
#include "net/address.h"

enum { MAJOR_AT_LEAST = 7, MB = 1 << 20, PUBSUB_HARD_MB = 32, PUBSUB_SOFT_MB = 8 };

// Answers a point where there is nothing to ask. Returns whether there is.
static bool has_facts(const char *check, const struct redis_facts *f, struct doctor_report *r) {
    if (f && f->answers) return true;
    if (f)
        doctor_add(r, check, DOCTOR_UNKNOWN, "See the point redis.", "Redis was not reached.");
    else
        doctor_add(r, check, DOCTOR_OK, NULL, "There is no Redis: comments are in the embedded engine.");
    return false;
}

void check_redis(const struct doctor_config *c, const struct redis_facts *f, struct doctor_report *r) {
    static const char check[] = "redis";
    if (f && !f->answers)
        doctor_add(r, check, DOCTOR_FAULT,
                   "See docs/troubleshooting.md: its address, its password, its certificate.",
                   "Redis was not reached: %s", f->why);
    if (f && !f->answers) return;
    if (!has_facts(check, f, r)) return;
    if (f->major < MAJOR_AT_LEAST)
        doctor_add(r, check, DOCTOR_FAULT, "Use Redis 7.0 or later, or Valkey.", "Redis is version %s.",
                   f->version);
    else if (strcmp(f->role, "master") != 0 && !redis_url_is_cluster(c->redis))
        doctor_add(r, check, DOCTOR_FAULT, "Give --redis the address of the master.",
                   "This Redis is a replica, which accepts no comments.");
    else
        doctor_add(r, check, DOCTOR_OK, NULL, "Redis is version %s, and answers.", f->version);
}

static bool is_local(const char *host) {
    union address a;
    return address_resolve(host, &a, 1) > 0 && address_is_loopback(&a);
}

// A URL without @ has no password, and one may come apart from it.
void check_redis_access(const struct doctor_config *c, const struct redis_facts *f, struct doctor_report *r) {
    static const char check[] = "redis-access";
    char host[REDIS_HOST_SIZE];
    if (!c->redis) {
        has_facts(check, f, r);
        return;
    }
    bool is_encrypted = redis_url_needs_tls(c->redis, host), is_near = is_local(host);
    bool has_password = c->redis_password || strchr(c->redis, '@');
    if (!has_password && !is_encrypted)
        doctor_add(
            r, check, is_near ? DOCTOR_WARNING : DOCTOR_FAULT,
            "Give Redis a password or a user (docs/redis.md), and Chorus --redis-password or a file with it.",
            "Redis at %s asks for no password: anyone who reaches it can read, write and erase all.", host);
    else if (!is_encrypted && !is_near)
        doctor_add(r, check, DOCTOR_WARNING, "Use rediss:// (docs/redis.md), unless the network is your own.",
                   "What is sent to Redis at %s is not encrypted, nor is the password.", host);
    else
        doctor_add(r, check, DOCTOR_OK, NULL, "Redis at %s is reached %s%s.", host,
                   is_encrypted ? "by TLS" : "on this machine", has_password ? ", with a password" : "");
}

void check_redis_rights(const struct redis_facts *f, struct doctor_report *r) {
    static const char check[] = "redis-rights";
    if (!has_facts(check, f, r)) return;
    if (!f->rights_known)
        doctor_add(r, check, DOCTOR_UNKNOWN, "Compare its rules with docs/redis.md (ACL LIST).",
                   "Redis does not say what its user may do.");
    else if (f->denied[0])
        doctor_add(r, check, DOCTOR_FAULT, "Give it the rights in docs/redis.md (ACL SETUSER).",
                   "The user of Redis may not use: %s.", f->denied);
    else
        doctor_add(r, check, DOCTOR_OK, NULL, "The user of Redis has all rights that are needed.");
}

static void check_redis_durability(const char *check, const struct doctor_config *c,
                                   const struct redis_facts *f, struct doctor_report *r) {
    if (f->replicas >= 0 && f->replicas < c->confirm_replicas)
        doctor_add(r, check, DOCTOR_FAULT, "Connect more replicas, or lower --confirm-replicas.",
                   "%" PRId64 " replicas have to confirm each comment, and %" PRId64
                   " are connected: all are refused.",
                   c->confirm_replicas, f->replicas);
    else if (!f->saves_well)
        doctor_add(r, check, DOCTOR_FAULT, "Look at its log, and at the room on its disk.",
                   "Redis could not write to its disk the last time.");
    else if (!f->appends)
        doctor_add(
            r, check, DOCTOR_WARNING, "CONFIG SET appendonly yes, and in its file.",
            "Redis keeps no append-only file: what came after its last snapshot is lost when it ends.");
    else if (!strcmp(f->appendfsync, "no"))
        doctor_add(r, check, DOCTOR_WARNING, "CONFIG SET appendfsync everysec, and in its file.",
                   "Redis leaves it to the kernel when its file reaches the disk (appendfsync no).");
    else
        doctor_add(r, check, DOCTOR_OK, NULL, "Redis has an append-only file%s%s.",
                   f->config_known ? ", appendfsync " : "", f->config_known ? f->appendfsync : "");
}

void check_durability(const struct doctor_config *c, const struct redis_facts *f, struct doctor_report *r) {
    static const char check[] = "durability";
    if (f && has_facts(check, f, r))
        check_redis_durability(check, c, f, r);
    else if (!f)
        doctor_add(r, check, DOCTOR_OK, NULL, "Comments are stored in %s; a power cut may %s.", c->data,
                   c->durable ? "lose none that was answered (--durable)"
                              : "lose the last ones (--durable: none)");
}

void check_redis_memory(const struct redis_facts *f, struct doctor_report *r) {
    static const char check[] = "redis-memory";
    if (!has_facts(check, f, r)) return;
    if (strcmp(f->policy, "noeviction") != 0)
        doctor_add(r, check, DOCTOR_FAULT, "CONFIG SET maxmemory-policy noeviction, and in its file.",
                   "maxmemory-policy is %s: a full Redis silently drops comments and mappings.", f->policy);
    else if (!f->maxmemory)
        doctor_add(r, check, DOCTOR_WARNING,
                   "CONFIG SET maxmemory to half of its machine's, and in its file.",
                   "Redis has no maxmemory: the kernel may kill it instead.");
    else
        doctor_add(r, check, DOCTOR_OK, NULL,
                   "maxmemory is %" PRId64 " MB, and a full Redis refuses new comments.", f->maxmemory / MB);
}

void check_redis_buffers(const struct redis_facts *f, struct doctor_report *r) {
    static const char check[] = "redis-buffers",
                      remedy[] =
                          "CONFIG SET client-output-buffer-limit \"pubsub 32mb 8mb 60\", and in its file.";
    if (!has_facts(check, f, r)) return;
    if (!f->config_known)
        doctor_add(r, check, DOCTOR_UNKNOWN,
                   "Look at CONFIG GET client-output-buffer-limit as its administrator.",
                   "The user of Redis may not read its configuration.");
    else if ((f->pubsub_hard && f->pubsub_hard < (int64_t)PUBSUB_HARD_MB * MB) ||
             (f->pubsub_soft && f->pubsub_soft < (int64_t)PUBSUB_SOFT_MB * MB))
        doctor_add(r, check, DOCTOR_WARNING, remedy,
                   "Redis cuts a reader that is %" PRId64 " KB behind, or %" PRId64 " KB for %" PRId64
                   " s; in a burst it reconnects again and again.",
                   f->pubsub_hard / 1024, f->pubsub_soft / 1024, f->pubsub_soft_s);
    else if (!f->pubsub_hard)
        doctor_add(r, check, DOCTOR_WARNING, remedy,
                   "Redis buffers without a limit for a reader that hangs, up to all of its memory.");
    else
        doctor_add(r, check, DOCTOR_OK, NULL,
                   "Redis buffers up to %" PRId64 " MB for a reader that is behind.", f->pubsub_hard / MB);
}

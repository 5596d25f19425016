// The engine on Redis (7.0 or later, or Valkey): which lets roles run as separate processes. Two connections
// to each server that takes writes, one for commands, pipelined, and one that is subscribed; both come back
// by themselves. Layout of the keys: redis.c. Everything is on the control loop.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/redis_config.h"

struct engine;
struct loop;

enum { REDIS_HOST_SIZE = 254 };

// Returns NULL if it is a URL that redis_open() understands, or what it must be, for "..., but must be %s";
// static.
const char *redis_url_check(const char *url);

// Returns whether connections to such a URL need TLS, and writes its first host, at most REDIS_HOST_SIZE
// bytes.
bool redis_url_needs_tls(const char *url, char *host);

// Returns whether it is the URL of a Cluster.
bool redis_url_is_cluster(const char *url);

// Returns immediately, also while Redis is unavailable: it connects in the background; see ready(). The
// config's strings are copied. The URL must be one that redis_url_check() accepts,
// the password at most 511 bytes.
struct engine *redis_open(struct loop *, const struct redis_config *);

// Private to the Redis engine: the servers of a Cluster, and which slots each has. Control loop only.
//
// The table is read (CLUSTER SLOTS) from any server that answers: when one is connected, when something is
// not where it was thought to be (MOVED, a slot taken away, a lost connection), and every 30 s. One question
// is open at a time. While a server with slots does not serve, it is read every 200 ms. A server that has
// lost all its slots is given up after 5 s; while none can be reached, the hosts of the URL are tried again.
#pragma once

#include <stdbool.h>

struct redis;
struct redis_cluster;
struct redis_node;
struct redis_place;

// Makes the engine's slots, and a server for each host of the URL. `on_slot`: a slot has come to a server
// from another one, NULL if it was nowhere.
struct redis_cluster *redis_cluster_new(struct redis *, void (*on_slot)(struct redis *, unsigned slot,
                                                                        struct redis_node *from));
void redis_cluster_free(struct redis_cluster *); // before the servers; NULL is allowed

// Returns whether all servers with slots that are needed serve, and are subscribed: those with a watched
// video, and those that an operation has needed within 10 s. If not, *why is a sentence.
bool redis_cluster_ready(const struct redis_cluster *, const char **why);

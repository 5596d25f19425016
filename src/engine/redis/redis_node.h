// Private to the Redis engine: a server that takes writes, with its connections (struct redis_node in
// redis_core.h). Waits for its name, loads the scripts, and copes with a server that refuses. Control loop
// only.
#pragma once

#include <stdbool.h>

struct redis;
struct redis_node;
struct redis_place;

// Begins to connect, and adds it to the engine's. Where Sentinels say the place, the one given does not
// count.
struct redis_node *redis_node_new(struct redis *, const struct redis_place *);

// Answers what is open as if the connection was lost, and takes it from the engine's. Freed at the end of the
// turn.
void redis_node_free(struct redis_node *);

// Must be called when the resolver has a result; when Sentinels name another primary; when it has got slots
// of a Cluster.
void redis_node_resolved(struct redis_node *);
void redis_node_look(struct redis_node *);
void redis_node_settle(struct redis_node *);

// Returns whether it serves, nothing is refused and it is subscribed. If not, *why is a sentence.
bool redis_node_ready(const struct redis_node *, const char **why);

// Waits, blocking, a moment for answers.
void redis_node_drain(struct redis_node *);

// The manager role: assigns each video to a reader, and resolves videos to readers. Placement decides; this
// puts it behind HTTP and reports figures, and gives hot videos several readers. Control loop only.
#pragma once

#include "placement/placement_routes.h"

struct hot_times;
struct http_client;
struct http_route;
struct manager;

// `hot`: how long a video is hot before it gets more readers, and so on; NULL: every video has one.
struct manager *manager_new(struct loop *, struct engine *, struct placement *, struct http_client *,
                            const struct service_config *, const struct hot_times *hot);
void manager_free(struct manager *);

// Routing tables of its HTTP server, whose arg is the manager. Ended by NULL.
extern const struct http_route *const manager_tables[];
extern const struct metric manager_metrics[];

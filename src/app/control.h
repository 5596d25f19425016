// Private to app: the control socket of a process, at which `chorus ctl` asks and orders: a unix socket that
// only its owner may open, with a few HTTP requests. It sees the whole fleet, and orders by messages of the
// engine (placement/orders_topic.h). Control loop only.
//
//     GET  /status                    the readers: state, viewers, what they can take on
//     POST /drain?reader=, /stay?reader=
//     POST /move?video=&reader=       to this reader, or to the emptiest other one
//     GET  /plan                      what would be moved, so that readers have about as many viewers
//     POST /apply, /stop              does that, as long as it is needed (placement/rebalance.h); no longer
#pragma once

#include <stddef.h>

struct control;
struct runtime;

// Opens the socket. Returns NULL, and has logged why, if it cannot be opened: the process works without it.
struct control *control_start(const struct runtime *, const char *path);
void control_stop(struct control *); // before the engine is closed
void control_free(struct control *); // after

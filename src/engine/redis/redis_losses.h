// Private to the Redis engine: tells a Redis whose data has another history than before what this process was
// given until then. An append sends what the process knows of its video, but its next one may be long in
// coming, and others may append meanwhile that do not know what was lost. So the replication id is read once
// a second; if it has changed, Redis is asked for the position of each video that this process has appended
// to or has watched, with the last one that it was given: where entries are lost, that announces them. (What
// is watched now asks by itself.) Control loop only.
//
// At most LOSSES_AT_ONCE such queries a second, those that were used last first.
#pragma once

struct redis;

enum { LOSSES_AT_ONCE = 256 };

// To be called once a second, and when the engine begins to serve.
void redis_losses_check(struct redis *);

#include "engine/limits.h"

bool limits_expired(const struct engine_limits *l, int64_t now_ms, int64_t at_ms) {
    return at_ms < now_ms - l->log_age_ms || at_ms > now_ms + l->log_age_ms;
}

bool limits_keep(const struct engine_limits *l, int64_t now_ms, int64_t at_ms, int64_t newer,
                 int64_t newer_bytes) {
    if (newer < 0) return false;
    if ((uint64_t)newer < l->log_entries) return true;
    int64_t age_ms = now_ms - at_ms;
    bool young = age_ms < l->log_min_age_ms && -age_ms < l->log_min_age_ms;
    return young && newer_bytes >= 0 && (uint64_t)newer_bytes < l->log_video_bytes;
}

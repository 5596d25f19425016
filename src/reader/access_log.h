// The line that is logged when a viewer's stream ends, by the worker's thread that held it. Frequent lines
// are left out and counted, for all threads together.
#pragma once

#include <pthread.h>

#include "base/log.h"

struct fan_counters;

struct access_log {
    const char *role; // borrowed
    pthread_mutex_t lock;
    struct log_sampler sampler;
};

// To be called before the first video is opened.
void access_log_start(struct access_log *, struct fan_counters *, const char *role);

// Logs how many lines were left out, once their second is over. To be called several times a second.
void access_log_sweep(struct access_log *);

// The same immediately; no stream is left.
void access_log_end(struct access_log *);

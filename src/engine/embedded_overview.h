// What the whole store holds, and its counters. Store's thread only; failures as in embedded_store.h.
#pragma once

#include "engine/embedded_request.h"
#include "engine/embedded_store.h"

void overview_read(struct store *, struct request *);
void counter_next(struct store *, struct request *);

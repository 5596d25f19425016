// What the whole store holds, and its counters. Store's thread only; failures as in embedded_store.h.
#pragma once

#include "embedded_request.h"
#include "embedded_store.h"

void overview_read(struct store *, struct request *);
void counter_next(struct store *, struct request *);

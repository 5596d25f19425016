// Counters. Store's thread; failures as in embedded_store.h.
#pragma once

#include "engine/local.h"

request_carry_out counter_next; // see struct local_store

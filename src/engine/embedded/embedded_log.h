// The log: appending, its position, reading. Store's thread; failures as in embedded_store.h.
#pragma once

#include "engine/local.h"

request_carry_out log_append, log_head, log_range, log_range_before; // see struct local_store

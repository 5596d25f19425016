// Totals and the newest entries and mappings. Store's thread; failures as in embedded_store.h.
#pragma once

#include "engine/local.h"

request_carry_out overview_read; // see struct local_store

// Mappings of videos to readers, and sets of readers. Store's thread; failures as in embedded_store.h.
#pragma once

#include "engine/local.h"

// See struct local_store.
request_carry_out mapping_lookup, mapping_assign, mapping_reassign, mapping_release;
request_carry_out mapping_set_read, mapping_set_write;

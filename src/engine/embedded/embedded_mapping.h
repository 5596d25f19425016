// Operations on mappings {video => reader}. Store's thread only; failures as in embedded_store.h.
#pragma once

#include "embedded_request.h"
#include "embedded_store.h"

void mapping_lookup(struct store *, struct request *);
void mapping_assign(struct store *, struct request *);
void mapping_reassign(struct store *, struct request *);
void mapping_release(struct store *, struct request *);

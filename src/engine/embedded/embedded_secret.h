// Secrets that the roles share. Store's thread; failures as in embedded_store.h.
#pragma once

#include "engine/local.h"

request_carry_out secret_keep; // see struct local_store

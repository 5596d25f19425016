// What the whole store holds; see engine.h.
#pragma once

#include "engine/engine.h"

void embedded_overview(struct engine *, engine_overview_cb *, void *arg);

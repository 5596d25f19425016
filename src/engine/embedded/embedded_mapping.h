// Operations on mappings {video => reader}; see engine.h.
#pragma once

#include "engine/engine.h"

void embedded_lookup(struct engine *, const char *video, engine_mapping_cb *, void *arg);
void embedded_assign(struct engine *, const char *video, const char *reader_url, engine_mapping_cb *,
                     void *arg);
void embedded_reassign(struct engine *, const char *video, const char *expected, const char *reader_url,
                       engine_mapping_cb *, void *arg);
void embedded_release(struct engine *, const char *video, const char *expected, engine_done_cb *, void *arg);

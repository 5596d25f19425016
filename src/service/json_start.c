#include "service/json_start.h"

#include <stdlib.h>

#include <jansson.h>

#include "base/mem.h"

void json_start(size_t seed) {
    json_set_alloc_funcs(mem_alloc, free);
    json_object_seed(seed);
}

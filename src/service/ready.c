#include "engine/engine.h"
#include "service/service.h"

bool service_is_ready(struct service *s, const char **why) {
    return s->engine->ops->ready(s->engine, why) && (!s->kind->ready || s->kind->ready(s, why));
}

// Which engine a process opens: the linker leads redis_open() and embedded_open() here (--wrap).
#include "engine/embedded.h"
#include "engine/redis.h"

struct engine *__real_embedded_open(struct loop *, const struct embedded_config *, char *why,
                                    size_t why_size);
struct engine *__wrap_embedded_open(struct loop *, const struct embedded_config *, char *why,
                                    size_t why_size);
struct engine *__real_redis_open(struct loop *, const struct redis_config *);
struct engine *__wrap_redis_open(struct loop *, const struct redis_config *);

struct engine *__wrap_embedded_open(struct loop *loop, const struct embedded_config *config, char *why,
                                    size_t why_size) {
    return __real_embedded_open(loop, config, why, why_size);
}

struct engine *__wrap_redis_open(struct loop *loop, const struct redis_config *config) {
    return __real_redis_open(loop, config);
}

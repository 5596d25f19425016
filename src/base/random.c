#include "base/random.h"

#include <sys/random.h>

bool random_bytes(void *out, size_t len) {
    return getentropy(out, len) == 0;
}

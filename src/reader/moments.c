#include "moments.h"

#include <stddef.h>
#include <string.h>

static const char *const moment_names[] = {[MOMENT_VIEWERS] = "viewers",
                                           [MOMENT_MOVE] = "move",
                                           [MOMENT_ROOM] = "room",
                                           [MOMENT_HELD] = "held",
                                           [MOMENT_REACTIONS] = "reactions"};

uint8_t moments_asked(const char *names) {
    uint8_t asked = 0;
    for (; names && *names; names += strspn(names, ",")) {
        size_t len = strcspn(names, ",");
        for (size_t i = 0; i < sizeof moment_names / sizeof *moment_names; i++)
            if (strlen(moment_names[i]) == len && !memcmp(moment_names[i], names, len))
                asked |= (uint8_t)(1u << i);
        names += len;
    }
    return asked;
}

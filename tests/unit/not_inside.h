// Detects callbacks that run inside the call that they answer: make the call through INSIDE(), and use
// assert_not_inside() in the callback.
#pragma once

#include "unit.h"

static unsigned not_inside_depth;

#define INSIDE(call)                                                                                         \
    do {                                                                                                     \
        not_inside_depth++;                                                                                  \
        call;                                                                                                \
        not_inside_depth--;                                                                                  \
    } while (0)

static inline void assert_not_inside(void) {
    assert_int_equal(not_inside_depth, 0);
}

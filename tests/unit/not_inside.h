// Finds callbacks that come from inside the call that they answer: a call is made through INSIDE(), and its
// callback says assert_not_inside().
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

// What cmocka wants to be included before it.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// The thread sanitizer takes a descriptor for the same in all threads, and sees races where each thread has a
// table of its own.
static inline void skip_if_one_table_is_known(void) {
#ifdef __SANITIZE_THREAD__
    skip();
#endif
}

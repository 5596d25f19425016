// What a function writes to a FILE, as a string.
#pragma once

#include "unit.h"

enum { PRINTED_SIZE = 65536 };

// Returns what `print` has written, until the next call.
static inline const char *printed(void (*print)(FILE *)) {
    static char text[PRINTED_SIZE];
    memset(text, 0, sizeof text);
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    print(out);
    fclose(out);
    return text;
}

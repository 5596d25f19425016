// UTF-8 as Unicode's table 3-7 has it: no overlong forms, no surrogates. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Returns the length of the well-formed sequence beyond ASCII at `at`, which is before `end`; 0: there is
// none.
size_t utf8_sequence(const char *at, const char *end);

bool utf8_is_valid(const char *text, size_t len);

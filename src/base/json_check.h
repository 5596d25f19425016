// Whether a text is what a frame of a stream may carry: a JSON object (RFC 8259) in UTF-8, on one line. One
// pass, without a tree and without memory of its own. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { JSON_LINE_DEPTH = 64 }; // nested brackets; deeper is refused

bool json_is_object_line(const char *text, size_t len);

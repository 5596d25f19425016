// Ids of users, videos and instances: 1-128 bytes of A-Z a-z 0-9 . _ ~ - : @, but not "." or "..", which no
// URL can carry. They need no escaping in URLs, JSON and log lines.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { ID_MAX = 128 };

bool id_is_valid(const char *text, size_t len);

// Whether all bytes are among those of ids; there may be none.
bool id_has_bytes(const char *text, size_t len);

// Writes JSON strings (RFC 8259, 7) for documents that are composed by hand. Any thread.
#pragma once

#include <stddef.h>

struct buf;

// Appends the text, which must be valid UTF-8, as a quoted string. Escapes only what must be escaped.
void json_text_add(struct buf *, const char *text, size_t len);

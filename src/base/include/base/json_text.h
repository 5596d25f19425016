// Writes JSON strings (RFC 8259, 7) for documents that are put together by hand. Any thread.
#pragma once

#include <stddef.h>

struct buf;

// Adds the text in quotes. It must be valid UTF-8; only what has to be escaped is.
void json_text_add(struct buf *, const char *text, size_t len);

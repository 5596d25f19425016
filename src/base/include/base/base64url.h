// Base64 with the alphabet for URLs, without padding (RFC 4648, 5). Pure; any thread.
#pragma once

#include <stddef.h>

struct buf;

// Bytes that a text of this length stands for, at most.
#define BASE64URL_BYTES(len) ((len) / 4 * 3 + 3)

// Decodes into `out`, which has room for BASE64URL_BYTES(len). Returns the number of bytes, or -EILSEQ if the
// text is not what base64url_add() writes for them: padding, other characters, white space, bits left over.
ptrdiff_t base64url_decode(unsigned char *out, const char *text, size_t len);

void base64url_add(struct buf *, const void *bytes, size_t len);

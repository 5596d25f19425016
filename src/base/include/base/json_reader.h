// A strict pull parser for JSON (RFC 8259) that builds no tree: the caller reads one token after another and
// keeps what it needs. It does not recurse, and allocates memory only to convert long numbers.
//
// The text is one value, in valid UTF-8 and without a byte order mark. Anything the grammar does not allow is
// an error, and so is nesting deeper than JSON_READER_DEPTH, the only limit. Everything the grammar allows is
// accepted: numbers of any size, and strings with NUL or a lone surrogate, which only matter when the string
// is copied. Repeated keys are all returned. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_READER_DEPTH = 16384 };

enum json_token {
    JSON_TOKEN_ERROR, // and so are all further tokens
    JSON_TOKEN_END,   // after the value
    JSON_TOKEN_OBJECT,
    JSON_TOKEN_OBJECT_END,
    JSON_TOKEN_ARRAY,
    JSON_TOKEN_ARRAY_END,
    JSON_TOKEN_KEY, // its value comes next
    JSON_TOKEN_STRING,
    JSON_TOKEN_NUMBER,
    JSON_TOKEN_TRUE,
    JSON_TOKEN_FALSE,
    JSON_TOKEN_NULL
};

struct json_reader {
    const char *begin, *at, *end;
    const char *text; // the last key, string (between its quotes) or number, as written
    size_t text_len;
    bool escaped; // the text contains a backslash
    uint8_t expects;
    enum json_token last;
    uint32_t depth;
    uint8_t objects[JSON_READER_DEPTH / 8]; // one bit per level: set if it is an object
};

// Starts reading. Borrows the text until the last token has been read.
void json_reader_init(struct json_reader *, const char *text, size_t len);

enum json_token json_reader_next(struct json_reader *);

// Skips the rest of the value that the last token began (nothing, if it was a scalar). Returns false if the
// value is malformed.
bool json_reader_skip(struct json_reader *);

// Writes the last key or string, decoded and NUL-terminated. Returns its length (it may contain NULs),
// -EMSGSIZE if it needs more than `size` bytes, or -EILSEQ if it contains a lone surrogate.
ptrdiff_t json_reader_copy(const struct json_reader *, char *out, size_t size);

// Returns whether the last key or string, decoded, equals `name` (at most 63 bytes).
bool json_reader_equals(const struct json_reader *, const char *name);

// Reads the last number if it is an integer from 0 to max (at most 2^53), however it is written: 5, 5.0 and
// 50e-1 are the same. Returns false if it is not.
bool json_reader_integer(const struct json_reader *, int64_t max, int64_t *number);

// Gives the line and column, both from 1, where reading stopped.
void json_reader_location(const struct json_reader *, size_t *line, size_t *column);

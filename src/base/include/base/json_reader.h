// A strict pull parser for JSON (RFC 8259) that builds no tree: the caller takes one token after another and
// keeps what it needs. It does not recurse, and allocates nothing but for long numbers.
//
// The text is one value, in valid UTF-8 and without a byte order mark. What the grammar does not allow is an
// error, and so is nesting deeper than JSON_READER_DEPTH, the only limit. Everything the grammar allows is
// accepted: numbers of any size, and strings with NUL or a lone surrogate, which only matter if the string is
// copied. Keys may repeat; all are returned. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_READER_DEPTH = 16384 };

enum json_token {
    JSON_TOKEN_ERROR, // here and from here on
    JSON_TOKEN_END,   // behind the value
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
    const char *text; // of the last key, string (between its quotes) or number, as it was written
    size_t text_len;
    bool escaped; // the text holds a backslash
    uint8_t expects;
    enum json_token last;
    uint32_t depth;
    uint8_t objects[JSON_READER_DEPTH / 8]; // a bit for each level: an object, not an array
};

// Borrows the text until the last token has been taken.
void json_reader_init(struct json_reader *, const char *text, size_t len);

enum json_token json_reader_next(struct json_reader *);

// Skips to the end of the value whose first token was the last one (a scalar has already ended). Returns
// false if it is malformed.
bool json_reader_skip(struct json_reader *);

// Writes the last key or string decoded, with a NUL behind it. Returns its length (it may hold NULs),
// -EMSGSIZE if it needs more than `size` bytes, or -EILSEQ if it holds a lone surrogate.
ptrdiff_t json_reader_copy(const struct json_reader *, char *out, size_t size);

// Whether the last key or string, decoded, is this name of at most 63 bytes.
bool json_reader_equals(const struct json_reader *, const char *name);

// Returns whether the last number is a whole one from 0 to max (at most 2^53), however it is written: 5, 5.0
// and 50e-1 are the same.
bool json_reader_integer(const struct json_reader *, int64_t max, int64_t *number);

// Gives the line and column, from 1, where reading stopped.
void json_reader_location(const struct json_reader *, size_t *line, size_t *column);

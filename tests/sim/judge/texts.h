// What a comment says: its writer and its number, and letters that depend on them, so that a byte that is
// lost, moved or changed on the way is noticed. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

// Adds the text.
void text_write(struct buf *, uint32_t writer, uint32_t number);

// Returns how long the text is, in bytes and characters.
size_t text_length(uint32_t writer, uint32_t number);

// Reads a text. Returns false if it is not what text_write() has written.
bool text_read(const char *text, size_t len, uint32_t *writer, uint32_t *number);

// Returns where the value of a member of a JSON object begins, a string without escapes or a number, and its
// length; NULL if there is none. For objects that this program knows the form of.
const char *text_member(const char *json, size_t json_len, const char *name, size_t *len);

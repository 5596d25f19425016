// Hexadecimal digits. Any thread.
#pragma once

#include <stddef.h>

// Writes two lower-case digits for each byte, and a NUL: 2 * len + 1 characters.
void hex_write(char *out, const unsigned char *bytes, size_t len);

// Returns the value of a digit of either case, or -1.
int hex_digit(char);

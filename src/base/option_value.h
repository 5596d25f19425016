// Private to base: the value of one option, as text and in its field.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/options.h"

enum { OPTION_WANTED_SIZE = 160 };

// A field of any type.
union option_field {
    bool flag;
    int64_t number;
    const char *text;
};

// Reads a text into *field; a string is borrowed. Returns false, and writes what it must be, if it is not
// well-formed.
bool option_value_read(const struct option_row *, const char *text, union option_field *field,
                       char wanted[OPTION_WANTED_SIZE]);

// Copy the row's field out of the settings and into them.
union option_field option_field_get(const struct option_row *, const void *settings);
void option_field_set(const struct option_row *, void *settings, union option_field);

// Private to base: names of options, as they are written on the command line, in the environment and in a
// file.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/options.h"

// Returns the row of one of the commands (a bit mask) with this flag. A secret has a second one, FLAG-file:
// *by_file. NULL: none.
const struct option_row *option_find(const struct option_table *, unsigned commands, const char *name,
                                     size_t len, bool *by_file);

// Returns the row of one of the commands that has this as its other flag, or NULL.
const struct option_row *option_find_also(const struct option_table *, unsigned commands, const char *name,
                                          size_t len);

bool option_has_file(const struct option_row *); // FLAG-file, CHORUS_FLAG_FILE

// Returns the flag of one of the commands that `name` was probably meant to be, or an empty string. '_' and
// capitals are taken for '-' and small letters. `strict`: only if hardly anything else can be meant.
const char *option_nearest(const struct option_table *, unsigned commands, const char *name, size_t len,
                           bool strict, char out[OPTION_NAME_SIZE]);

// Writes the names of the commands, up to three of them ("up, comment").
void option_commands(const struct option_table *, unsigned commands, char *out, size_t size);

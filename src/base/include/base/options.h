// Options as data: one row each, from which command line, environment, --help and the table of
// docs/configuration.md all come. Single-threaded, at start-up.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {
    OPTION_BOOL,   // a flag without value; environment: 1, true, yes; into a bool
    OPTION_INT,    // min..max; into an int64_t
    OPTION_BYTES,  // a number with an optional k, m or g (powers of 1024); min..max; into an int64_t
    OPTION_STRING, // into a const char *; never empty when given on the command line
    OPTION_CHOICE  // one of `choices`, separated by |; its index into an int64_t
};

struct option_row {
    const char *flag;        // without the dashes
    const char *environment; // NULL: none
    enum option_type type;
    size_t offset; // of the field in the settings
    int64_t min, max;
    const char *fallback; // default, as one would type it; NULL: none
    const char *value;    // what --help calls the value
    const char *choices;
    const char *help;
    unsigned commands; // bit mask of the commands that know it
};

// Fills `settings` with what the command knows, from defaults, then the environment, then the arguments (the
// last of a repeated one counts); what it does not know stays as it is. Commands with different defaults for
// one option have a row each. Knows `--flag value` and `--flag=value`. Returns false and writes one sentence
// into `error`, if something is unknown, lacks its value, or is out of range. Strings are borrowed from argv,
// the environment and the rows.
bool options_parse(const struct option_row *rows, size_t count, unsigned command, int argc, char *const *argv,
                   void *settings, char *error, size_t error_size);

// Write the options of a command, for --help and as a Markdown table (of all commands).
void options_help(const struct option_row *rows, size_t count, unsigned command, FILE *);
// commands[i] is the name of the command with bit i; ended by NULL.
void options_markdown(const struct option_row *rows, size_t count, const char *const *commands, FILE *);

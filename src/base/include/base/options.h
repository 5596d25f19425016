// Options as data: the command line, the environment, --help and the table of docs/configuration.md all come
// from one row per option. Single-threaded, at start-up.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {
    OPTION_BOOL,   // a flag without a value; environment: 1, true, yes; into a bool
    OPTION_INT,    // min..max; into an int64_t
    OPTION_BYTES,  // a number with an optional k, m or g (powers of 1024); min..max; into an int64_t
    OPTION_STRING, // into a const char *; never empty when given on the command line
    OPTION_CHOICE  // one of `choices`, separated by |; its index into an int64_t
};

enum option_trait {
    OPTION_RELOADS = 1, // can change while the process runs
    OPTION_SECRET = 2,  // never shown; can be read from a file
    OPTION_PASSWORD =
        4, // a URL that may contain a password; can be read from a file, and is shown without it
};

// What a row leaves out is zero.
struct option_row {
    const char *flag;        // without the dashes
    const char *environment; // a name besides CHORUS_FLAG; NULL: none
    enum option_type type;
    size_t offset; // of the field in the settings
    int64_t min, max;
    const char *fallback; // default, as one would type it; NULL: none
    const char *value;    // placeholder for the value in --help
    const char *choices;
    const char *help;
    unsigned commands; // bit mask of the commands that have the option
    unsigned traits;   // of enum option_trait
};

enum { OPTION_NAME_SIZE = 64 };

// Writes the name that every option has in the environment: CHORUS_LOG_LEVEL for log-level.
void option_environment(const struct option_row *, char name[OPTION_NAME_SIZE]);

// Fills in the fields of `settings` whose options the command has, from defaults, then the environment (of
// two names the one that begins with CHORUS_ counts), then the arguments (of a repeated one the last counts);
// other fields are left alone. Commands with different
// defaults for one option have a row each. Accepts `--flag value` and `--flag=value`. Returns false and
// writes one sentence into `error` if an option is unknown, lacks its value, or is out of range. Strings are
// borrowed from argv, the environment and the rows.
bool options_parse(const struct option_row *rows, size_t count, unsigned command, int argc, char *const *argv,
                   void *settings, char *error, size_t error_size);

// Writes the options of one command, for --help.
void options_help(const struct option_row *rows, size_t count, unsigned command, FILE *);

// Writes the options of all commands as a Markdown table. commands[i] is the name of the command with bit i;
// NULL ends the list.
void options_markdown(const struct option_row *rows, size_t count, const char *const *commands, FILE *);

// Options as data: the command line, the environment, the configuration file, --help, the table of
// docs/configuration.md and the example of a file all come from one row per option.
//
// Where an option is given more than once, the command line counts before the environment, that before the
// file, and that before the default; but a wrong value is an error wherever it stands. Single-threaded: at
// the start, and when the configuration is read again.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

enum option_type {
    OPTION_BOOL,   // a flag without a value; elsewhere 1, true, yes, 0, false, no; into a bool
    OPTION_INT,    // min..max; into an int64_t
    OPTION_BYTES,  // a number with an optional k, m or g (powers of 1024); min..max; into an int64_t
    OPTION_STRING, // into a const char *; never empty
    OPTION_CHOICE  // one of `choices`, separated by |; its index into an int64_t
};

enum option_trait {
    OPTION_RELOADS = 1, // can change while the process runs
    OPTION_SECRET = 2,  // never shown; can be read from a file
    OPTION_PASSWORD =
        4,          // a URL that may contain a password; can be read from a file, and is shown without it
    OPTION_FILE = 8 // names the configuration file; not in the file itself
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
    // Of a string: returns NULL if it is well-formed, or what it must be ("a host name without port").
    const char *(*check)(const char *text);
    // Another flag, on the command line only, where no other command can mean something else. NULL: none.
    const char *also;
};

// Commands with different defaults for one option have a row each.
struct option_table {
    const struct option_row *rows;
    size_t count;
    const char *const *commands; // commands[i] is the name of the command with bit i; NULL ends the list
};

enum { OPTION_NAME_SIZE = 64 };

// Writes the name that every option has in the environment: CHORUS_LOG_LEVEL for log-level.
void option_environment(const struct option_row *, char name[OPTION_NAME_SIZE]);

// Where a value comes from, the weakest first.
enum option_source { OPTION_IS_DEFAULT, OPTION_IN_FILE, OPTION_IN_ENVIRONMENT, OPTION_ON_COMMAND_LINE };

struct option_value {
    enum option_source source;
    char *text; // as one would type it; NULL: not given, and without a default
    char *name; // under which it was given: --port, CHORUS_PORT, or port in the file
    char *path; // of the file that the text was read from, for a secret; NULL: none
    unsigned line;
};

// What was read. The settings' strings are borrowed from it.
struct options {
    const struct option_table *table;
    unsigned command;
    struct option_value *values; // one for each row; of other commands' rows unset
    char *file;                  // the configuration file; NULL: none
    struct buf errors, warnings; // sentences, each ended by a line feed
};

// Reads the options of a command: the arguments, `environ`, the configuration file if one of them names it,
// and the files that hold secrets. Accepts `--flag value` and `--flag=value`; of a repeated flag the last
// counts. In the environment CHORUS_FLAG counts before a row's other name; an empty variable counts as unset.
// Sets the fields of `settings` that have a value, and leaves the others alone.
//
// Returns whether there are no errors. options_release() must follow either way.
bool options_read(struct options *, const struct option_table *, unsigned command, int argc,
                  char *const *argv, void *settings);

// The same, from a configuration file alone.
bool options_read_file(struct options *, const struct option_table *, unsigned command, const char *path,
                       void *settings);

void options_release(struct options *);

// Adds an error about the option whose field has this offset, as if found while reading: the sentence begins
// with the place of its value and the name that it has there ("/etc/chorus.conf:3: bind").
void options_error(struct options *, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Returns the value of the option whose field has this offset.
const struct option_value *options_value(const struct options *, size_t offset);

// Whether a row has the same value in both, which were read for the same command.
bool options_agree(const struct options *, const struct options *, const struct option_row *);

// Moves a row's value, and the field with it, from one to the other, which keeps the old value. The strings
// of both stay.
void options_exchange(struct options *a, void *settings_of_a, struct options *b, void *settings_of_b,
                      const struct option_row *);

// Writes a value so that it may be shown: (secret), or a URL without its password.
void option_show(const struct option_row *, const char *text, struct buf *);

// Writes the options of one command, for --help.
void options_help(const struct option_table *, unsigned command, FILE *);

// Writes the options of all commands as a Markdown table.
void options_markdown(const struct option_table *, FILE *);

// Writes a configuration file with every option of some commands (a bit mask), each with its help and
// commented out at its default.
void options_example(const struct option_table *, unsigned commands, FILE *);

// Writes the values in the form of a configuration file, each with the place that it comes from.
void options_print(const struct options *, FILE *);

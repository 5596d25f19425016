// The lines of a configuration file: `name = value`, comments after #, blank lines.
//
//     # a comment
//     memory = 1g                     # another one: a # after a space begins a comment
//     internal-token = "a # b"        # quotes keep it; \" and \\ stand for " and \.
//     publish = 'POST http://... {"a":1}' # in single quotes nothing is special
//
// Pure. Bounds: OPTIONS_FILE_MAX bytes in all, OPTIONS_LINE_MAX in a line.
#pragma once

#include <stddef.h>

enum { OPTIONS_FILE_MAX = 256 << 10, OPTIONS_LINE_MAX = 4096 };

struct options_line {
    unsigned number; // from 1
    const char *name;
    const char *value; // NULL: there is no =
};

// Zero-initialise, except for the first two.
struct options_file {
    char *text; // changed while it is read; a NUL follows
    size_t len;
    size_t at;
    unsigned number;
};

enum options_file_found { OPTIONS_FILE_END, OPTIONS_FILE_LINE, OPTIONS_FILE_WRONG };

// Finds the next line with an option. Its strings point into the text. If a line is wrong, sets its number
// and writes a sentence; the next call goes on after it.
enum options_file_found options_file_next(struct options_file *, struct options_line *, char *why,
                                          size_t why_size);

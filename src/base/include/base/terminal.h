// What the terminal that output goes to can show, and its keyboard. Single-threaded.
#pragma once

#include <stdbool.h>
#include <termios.h>

// Whether it is a terminal that understands control sequences; TERM=dumb does not.
bool terminal_is(int fd);

// Its size now; 80 and 24 if it is unknown.
struct terminal_size {
    unsigned columns, rows;
};
struct terminal_size terminal_size(int fd);

// Whether colours are welcome on it: not if NO_COLOR is set (no-color.org).
bool terminal_has_colours(int fd);

// Whether text may be more than ASCII, as the locale in the environment says.
bool terminal_is_utf8(void);

// A keyboard whose keys are read one by one, without an echo. Ctrl-C and Ctrl-Z remain signals. Returns false
// if fd is no terminal. terminal_release_keys() restores what was before.
struct terminal_keys {
    int fd;
    struct termios before;
};
bool terminal_take_keys(struct terminal_keys *, int fd);
void terminal_release_keys(const struct terminal_keys *);

// Private to app: the configuration read again at SIGHUP. File and secrets are those of now, the command line
// and the environment those of the start. Everything is checked; then all of what can change while the
// process runs is taken over, or, if anything is wrong, nothing. Control loop only; reads files, which should
// be local.
#pragma once

#include "app/settings.h"

struct reload {
    // Set by the owner:
    enum command command;
    int argc;
    char *const *argv;
    struct settings *settings; // in force, and where they come from
    struct options *options;
    // Called with the new settings in force.
    void (*apply)(void *arg);
    void *arg;
};

// Reads the configuration again, and logs what has changed, what needs a restart, or what is wrong. Returns
// whether nothing is wrong.
bool reload_run(const struct reload *);

// Logs sentences, as warnings about the configuration.
void reload_log_warnings(const struct buf *sentences);

// Private to system: its parts, each a role behind a port of its own. Control loop only.
#pragma once

#include <stdbool.h>

struct system;

// Binds the ports and makes the roles. The ports are not opened yet.
bool system_start_roles(struct system *);

// Random calls of the engine's scripts, with the arguments that the engine gives them, and of scripts about
// Lua in Redis.
#pragma once

#include "differ_pair.h"

// Loads all scripts on both servers.
void differ_scripts_load(struct pair *);

// Sends a call, and notes what it replied.
void differ_script(struct pair *);

// Sends all scripts about Lua.
void differ_lua(struct pair *);

void differ_scripts_print(void);

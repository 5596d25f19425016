// Random commands, as the engine uses them and otherwise.
#pragma once

#include <stddef.h>

#include "differ_pair.h"

// Writes a command.
void differ_command(struct words *, enum differ_shape *);

// Writes a SUBSCRIBE or UNSUBSCRIBE.
void differ_subscription(struct words *);

// Prints how often each was written.
void differ_commands_print(void);

// Asks the real server for its table of commands, and compares the model's. Returns false if they differ.
bool differ_table(redisContext *);

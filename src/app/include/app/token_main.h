// `chorus token`, `token check` and `token keys`: make and check tokens by hand, and make keys for them.
// Returns the exit code: 0; 1 if it cannot be made, or is not valid; 2 for wrong usage.
#pragma once

int token_main(int argc, char **argv);

extern const char token_usage[]; // what follows `chorus token`

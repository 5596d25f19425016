// `chorus top`: the dashboard in a terminal. Returns the exit code: 0; 1 if the figures could not be had
// (where they are asked for once); 2 for wrong usage.
#pragma once

int top_main(int argc, char **argv);

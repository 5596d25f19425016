// `chorus canary URL`: posts a comment and reads it back. Returns the exit code: 0 if each came back in time;
// 1 if one did not; 2 for wrong usage.
#pragma once

int canary_main(int argc, char **argv);

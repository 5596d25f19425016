// `chorus up`: everything in one process on the embedded engine. Returns the exit code: 0 after SIGINT or
// SIGTERM, 1 if it cannot start, 2 for wrong usage.
#pragma once

int up_main(int argc, char **argv);

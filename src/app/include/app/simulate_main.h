// `chorus simulate`: how evenly videos and viewers spread over readers. Returns the exit code: 0, 1 if the
// output could not be written, 2 for wrong usage.
#pragma once

int simulate_main(int argc, char **argv);

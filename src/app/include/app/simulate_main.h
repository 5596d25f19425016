// `chorus simulate`: shows how evenly videos and viewers are spread over readers. Returns the exit code: 0; 1
// if the output could not be written; 2 for wrong usage.
#pragma once

int simulate_main(int argc, char **argv);

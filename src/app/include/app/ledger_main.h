// `chorus ledger VIDEO`: prints what became of a video's comments at each reader, from the statistics
// service. Returns the exit code: 0 if the ledger closes; 1 if it does not, or there is none; 2 for wrong
// usage.
#pragma once

int ledger_main(int argc, char **argv);

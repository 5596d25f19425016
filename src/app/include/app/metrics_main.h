// `chorus metrics --markdown`: the tables of metrics of docs/monitoring.md. Returns the exit code: 0; 2 for
// wrong usage.
#pragma once

int metrics_main(int argc, char **argv);

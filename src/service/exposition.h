// Private to service: what GET /metrics returns, all figures of a process in the text format of Prometheus
// (version 0.0.4; prometheus/docs, exposition_formats.md). Control loop only.
//
// Each family is there once, with a series for each part that has it, labelled with its role and its name
// (part). What is the same for the whole process has no such labels.
#pragma once

struct buf;
struct service_process;

extern const char exposition_type[]; // its Content-Type

void exposition_write(struct buf *, struct service_process *);

// What a reader says of itself in its lease (placement/reader_load.h). Control loop only.
#pragma once

struct buf;
struct reader;

void load_report_write(struct reader *, struct buf *);

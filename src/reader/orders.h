// Carries out what operators order of this reader (placement/orders_topic.h). Control loop only.
#pragma once

struct reader;

void orders_start(struct reader *);
void orders_stop(struct reader *);

// Comments of users under a shadow ban (service/shadowed_topic.h): sent to their authors' own streams, as
// comments without a number, so that they move no position. Control loop only.
#pragma once

struct reader;

void shadowed_start(struct reader *);
void shadowed_stop(struct reader *);

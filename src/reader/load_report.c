#include "load_report.h"

#include "hot_videos.h"
#include "placement/reader_load.h"
#include "reader/crowd.h"
#include "reader_core.h"

void load_report_write(struct reader *r, struct buf *b) {
    const struct crowd *c = r->config.crowd;
    struct reader_load load = {.draining = r->draining};
    if (c) {
        load.connects = (uint64_t)crowd_connects(c);
        load.machine = c->machine;
        load.most = counter_get(&r->counters.viewers) + (uint64_t)crowd_room(c);
    }
    struct reader_load_video videos[READER_LOAD_VIDEOS];
    load.videos = videos;
    hot_videos_measure(r, &load);
    reader_load_write(b, &load);
}

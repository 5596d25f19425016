// The program with every event stream behind the scrambling sink: linked with --wrap=stream_take_sink.
#include "../unit/scrambled_sink.h"
#include "net/stream.h"

enum { CREDIT = 100003 }; // so that a client that reads keeps up with a flood

struct sink __real_stream_take_sink(struct stream *, enum sink_framing);
struct sink __wrap_stream_take_sink(struct stream *, enum sink_framing);

struct sink __wrap_stream_take_sink(struct stream *s, enum sink_framing framing) {
    return scrambled_sink(__real_stream_take_sink(s, framing), CREDIT);
}

#include "net/sink.h"

#include "net/address_limits.h"
#include "net/sock.h"

struct sink sink_from_socket(int fd, enum sink_framing framing) {
    return (struct sink){.fd = fd, .framing = framing, .worker = SINK_ANY_WORKER};
}

void sink_close(const struct sink *s, enum sink_end end) {
    address_limits_close(s->address);
    if (s->ops)
        s->ops->close(s->state, s->fd, end);
    else if (end == SINK_RESET) // the kernel discards unsent data instead of holding it until it is read
        sock_reset(s->fd);
    else
        sock_close(s->fd);
}

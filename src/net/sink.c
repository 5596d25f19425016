#include "net/sink.h"

#include <sys/socket.h>
#include <unistd.h>

struct sink sink_of_socket(int fd, enum sink_framing framing) {
    return (struct sink){.fd = fd, .framing = framing, .worker = SINK_ANY_WORKER};
}

void sink_close(const struct sink *s, enum sink_end end) {
    if (s->ops) {
        s->ops->close(s->state, s->fd, end);
        return;
    }
    struct linger at_once = {.l_onoff =
                                 1}; // the kernel forgets what it holds, instead of waiting for it to be read
    if (end == SINK_RESET) setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(s->fd);
}

// Private to the HTTP server: listens on all addresses of a name, at one port. Blocks if the name has to be
// looked up; at the start only.
#pragma once

enum { HTTP_LISTENERS = 8 }; // addresses of a name; further ones are ignored

// Returns how many descriptors it has opened (non-blocking, owned by the caller), or a negative errno:
// -EINVAL if the name has no address. localhost is 127.0.0.1 and ::1. Addresses that this machine does not
// have are skipped, as long as there are others. Port 0: the kernel chooses, the same for all.
int http_listen(const char *name, int port, int fds[HTTP_LISTENERS]);

// Returns a descriptor that listens at unix:/PATH, whose file gets this mode, or at ADDRESS:PORT; or a
// negative errno, -EINVAL if it is neither.
int http_listen_at(const char *at, unsigned mode);

// Returns the path of unix:/PATH, or NULL.
const char *http_listen_path(const char *at);

// Returns the port of a descriptor, or 0.
int http_listen_port(int fd);

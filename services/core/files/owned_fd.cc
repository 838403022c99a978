#include "services/core/files/owned_fd.h"

#include <unistd.h>

namespace entrepot {

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace entrepot

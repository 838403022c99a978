#include "services/runtime/files/file_contents.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::runtime {
namespace {

absl::Status CannotRead(const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
}

}  // namespace

absl::StatusOr<std::string> ReadFileContents(const std::string& path, size_t bytes_max) {
  // O_NONBLOCK, so that opening a FIFO does not wait for a writer.
  const OwnedFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (fd.get() < 0) return CannotRead(path);
  struct stat status;
  if (::fstat(fd.get(), &status) != 0) return CannotRead(path);
  if (!S_ISREG(status.st_mode)) return absl::InvalidArgumentError(absl::StrCat(path, " is not a file"));

  std::string contents(bytes_max + 1, '\0');
  size_t size = 0;
  while (size < contents.size()) {
    const ssize_t got = ::read(fd.get(), contents.data() + size, contents.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return CannotRead(path);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > bytes_max) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is larger than ", bytes_max, " bytes"));
  }
  contents.resize(size);
  return contents;
}

}  // namespace entrepot::runtime

#include "services/ctl/layout/layout_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "services/ctl/layout/tar_format.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

constexpr uint64_t kPieceBytes = 1 << 20;

}  // namespace

absl::Status FileError(absl::string_view what, const std::string& path) {
  return absl::UnavailableError(absl::StrCat(what, " ", path, ": ", std::strerror(errno)));
}

absl::StatusOr<OwnedFd> OpenFileAt(const std::string& path, int flags) {
  // O_NONBLOCK: the open of a FIFO would wait for its other end.
  OwnedFd fd(open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK, 0644));
  if (fd.get() >= 0) {
    if ((flags & O_DIRECTORY) != 0) return fd;
    struct stat status;
    if (fstat(fd.get(), &status) != 0) return FileError("cannot examine", path);
    if (S_ISREG(status.st_mode)) return fd;
    return absl::UnavailableError(absl::StrCat("cannot open ", path, ": it is not a regular file"));
  }
  const bool is_missing = errno == ENOENT;
  const absl::Status error = FileError("cannot open", path);
  return is_missing ? absl::NotFoundError(error.message()) : error;
}

absl::StatusOr<uint64_t> SizeOfFile(int fd, const std::string& path) {
  struct stat status;
  if (fstat(fd, &status) != 0) return FileError("cannot examine", path);
  return static_cast<uint64_t>(status.st_size);
}

absl::Status WriteAll(int fd, absl::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError("cannot write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status HashRange(int fd, uint64_t offset, uint64_t length, Digester* digester) {
  while (length > 0) {
    ASSIGN_OR_RETURN(const std::string piece, ReadAt(fd, offset, std::min(length, kPieceBytes)));
    if (piece.empty()) return absl::OkStatus();
    digester->Update(piece);
    offset += piece.size();
    length -= piece.size();
  }
  return absl::OkStatus();
}

}  // namespace entrepot::ctl

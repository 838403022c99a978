#include "services/kv/rocksdb/owned_directory.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/files/directory_place.h"
#include "services/core/files/durable_directory.h"

namespace entrepot::kv {
namespace {

absl::Status Unavailable(const std::string& doing, const std::string& path) {
  return absl::UnavailableError(absl::StrCat("cannot ", doing, " directory ", path, ": ", std::strerror(errno)));
}

}  // namespace

absl::StatusOr<OwnedDirectory> OwnedDirectory::Acquire(const std::string& path) {
  if (absl::Status made = MakeDirectoryDurably(path); !made.ok()) return absl::UnavailableError(made.message());
  OwnedFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return Unavailable("open", path);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return absl::UnavailableError(absl::StrCat("directory ", path, " is in use by another process"));
    }
    return Unavailable("lock", path);
  }
  return OwnedDirectory(std::move(fd), path);
}

absl::Status OwnedDirectory::CheckInPlace() const { return entrepot::CheckInPlace(fd_.get(), path_); }

}  // namespace entrepot::kv

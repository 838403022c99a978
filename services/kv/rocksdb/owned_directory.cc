#include "services/kv/rocksdb/owned_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/status/status_macros.h"

namespace entrepot::kv {
namespace {

absl::Status Unavailable(const std::string& doing, const std::string& path) {
  return absl::UnavailableError(absl::StrCat("cannot ", doing, " directory ", path, ": ", std::strerror(errno)));
}

absl::StatusOr<OwnedFd> OpenDirectory(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Unavailable("open", path);
  return OwnedFd(fd);
}

absl::Status MakeDirectory(const std::filesystem::path& path) {
  if (mkdir(path.c_str(), 0750) != 0) {
    if (errno == EEXIST) return absl::OkStatus();
    if (errno != ENOENT || !path.has_parent_path() || path.parent_path() == path) return Unavailable("make", path);
    RETURN_IF_ERROR(MakeDirectory(path.parent_path()));
    if (mkdir(path.c_str(), 0750) != 0 && errno != EEXIST) return Unavailable("make", path);
  }
  return SyncDirectoryOf(path.string());
}

}  // namespace

absl::StatusOr<OwnedDirectory> OwnedDirectory::Acquire(const std::string& path) {
  RETURN_IF_ERROR(MakeDirectory(path));
  ASSIGN_OR_RETURN(OwnedFd fd, OpenDirectory(path));
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return absl::UnavailableError(absl::StrCat("directory ", path, " is in use by another process"));
    }
    return Unavailable("lock", path);
  }
  return OwnedDirectory(std::move(fd));
}

absl::Status SyncDirectoryOf(const std::string& path) {
  const std::filesystem::path whole(path);
  const std::string parent = whole.has_parent_path() ? whole.parent_path().string() : ".";
  ASSIGN_OR_RETURN(OwnedFd fd, OpenDirectory(parent));
  if (fsync(fd.get()) != 0) return Unavailable("sync", parent);
  return absl::OkStatus();
}

}  // namespace entrepot::kv

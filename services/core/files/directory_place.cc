#include "services/core/files/directory_place.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace entrepot {

absl::Status CheckInPlace(int directory, const std::string& path) {
  struct stat opened;
  struct stat named;
  const bool is_there = ::fstat(directory, &opened) == 0 && ::stat(path.c_str(), &named) == 0;
  if (is_there && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino) return absl::OkStatus();
  if (!is_there && errno != ENOENT && errno != ENOTDIR) {
    return absl::UnavailableError(absl::StrCat("cannot look at the directory ", path, ": ", std::strerror(errno)));
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the directory ", path, " was ", is_there ? "replaced by another one" : "moved or removed",
                   " while it was in use: what is written now would not be found after a restart"));
}

}  // namespace entrepot

#include "services/core/files/private_files.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace entrepot {
namespace {

constexpr mode_t kNotOwner = S_IRWXG | S_IRWXO;
constexpr mode_t kPermissions = S_IRWXU | kNotOwner;

}  // namespace

absl::Status MakePrivate(const std::string& path) {
  struct stat found;
  int failed = lstat(path.c_str(), &found);
  // The mode of a link means nothing, and that of its target is not this directory's business.
  if (failed == 0 && (S_ISLNK(found.st_mode) || (found.st_mode & kNotOwner) == 0)) return absl::OkStatus();
  if (failed == 0) failed = chmod(path.c_str(), found.st_mode & kPermissions & ~kNotOwner);
  if (failed == 0 || errno == ENOENT) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot take the permissions of other users from ", path, ": ", std::strerror(errno)));
}

absl::Status MakeDirectoryPrivate(const std::string& path) {
  absl::Status status = MakePrivate(path);
  std::error_code error;
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    status.Update(MakePrivate(entry->path().string()));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    status.Update(absl::UnavailableError(absl::StrCat("cannot read the directory ", path, ": ", error.message())));
  }
  return status;
}

}  // namespace entrepot

#include "services/ctl/commands/accounts_file_edit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/auth/credentials/htpasswd.h"
#include "services/core/files/owned_fd.h"
#include "services/ctl/command_line/user_input.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

absl::Status CannotWrite(const std::string& path, int error) {
  return absl::FailedPreconditionError(absl::StrCat("cannot write ", path, ": ", std::strerror(error)));
}

// The file that a symbolic link names, also if that file does not exist yet; otherwise `path`. So a link stays.
std::string TargetOf(const std::string& path) {
  constexpr int kLinksMax = 40;
  std::filesystem::path target = path;
  std::error_code error;
  for (int i = 0; i < kLinksMax && std::filesystem::is_symlink(target, error); ++i) {
    target = target.parent_path() / std::filesystem::read_symlink(target, error);
  }
  return target.string();
}

// Replaces the file at `path` by one with this text. mkostemp() makes it with the mode 0600.
absl::Status Replace(const std::string& path, const std::string& text) {
  std::string temporary = absl::StrCat(path, ".XXXXXX");
  const OwnedFd file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) return CannotWrite(path, errno);
  const ssize_t written = ::write(file.get(), text.data(), text.size());
  if (written == static_cast<ssize_t>(text.size()) && ::fsync(file.get()) == 0 &&
      ::rename(temporary.c_str(), path.c_str()) == 0) {
    return absl::OkStatus();
  }
  const int error = written >= 0 && written < static_cast<ssize_t>(text.size()) ? ENOSPC : errno;
  ::unlink(temporary.c_str());
  return CannotWrite(path, error);
}

}  // namespace

absl::StatusOr<bool> PutAccount(const std::string& path, absl::string_view name, absl::string_view hash) {
  const std::string file = TargetOf(path);
  std::error_code error;
  std::string text;
  if (std::filesystem::exists(file, error)) {
    ASSIGN_OR_RETURN(text, ReadInputFile(file));
  }
  RETURN_IF_ERROR(auth::ParseHtpasswd(text, path).status());

  const std::string line = absl::StrCat(name, ":", hash);
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  if (lines.back().empty()) lines.pop_back();
  bool replaced = false;
  for (std::string& old : lines) {
    if (!absl::StartsWith(old, absl::StrCat(name, ":"))) continue;
    old = line;
    replaced = true;
  }
  if (!replaced) lines.push_back(line);
  RETURN_IF_ERROR(Replace(file, absl::StrCat(absl::StrJoin(lines, "\n"), "\n")));
  return replaced;
}

}  // namespace entrepot::ctl

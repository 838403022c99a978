#include "services/core/files/durable_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/core/files/owned_fd.h"
#include "services/status/status_macros.h"

namespace entrepot {
namespace {

namespace fs = std::filesystem;

constexpr size_t kCopyBytes = 1 << 20;

absl::Status Failed(absl::string_view doing, const std::string& path, int error) {
  const std::string message = absl::StrCat("cannot ", doing, " ", path, ": ", std::strerror(error));
  if (error == EEXIST || error == ENOTEMPTY) return absl::AlreadyExistsError(message);
  return error == ENOENT ? absl::NotFoundError(message) : absl::UnavailableError(message);
}

absl::StatusOr<OwnedFd> Open(const std::string& path, int flags, mode_t mode = 0) {
  OwnedFd fd(open(path.c_str(), flags | O_CLOEXEC, mode));
  if (fd.get() < 0) return Failed((flags & O_CREAT) != 0 ? "make" : "open", path, errno);
  return fd;
}

absl::Status SyncDirectory(const std::string& path) {
  ASSIGN_OR_RETURN(const OwnedFd fd, Open(path, O_RDONLY | O_DIRECTORY));
  if (fsync(fd.get()) != 0) return Failed("sync", path, errno);
  return absl::OkStatus();
}

std::string ParentOf(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path().string() : std::string(".");
}

// "a/b/" is "a/b", whose parent is "a".
fs::path WithoutTrailingSlash(const fs::path& path) {
  return path.has_filename() || !path.has_relative_path() ? path : path.parent_path();
}

absl::Status MakeWithParents(const fs::path& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    if (errno != ENOENT || !path.has_parent_path() || path.parent_path() == path) {
      return Failed("make directory", path, errno);
    }
    RETURN_IF_ERROR(MakeWithParents(path.parent_path()));
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Failed("make directory", path, errno);
  }
  return SyncDirectory(ParentOf(path));
}

absl::Status WriteFully(int fd, const std::string& path, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed("write", path, errno);
    data += written;
    size -= static_cast<size_t>(written);
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> CopyFile(const std::string& from, const std::string& to) {
  ASSIGN_OR_RETURN(const OwnedFd source, Open(from, O_RDONLY | O_NOFOLLOW));
  ASSIGN_OR_RETURN(const OwnedFd target, Open(to, O_WRONLY | O_CREAT | O_EXCL, 0600));
  std::vector<char> buffer(kCopyBytes);
  uint64_t copied = 0;
  for (;;) {
    const ssize_t size = read(source.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Failed("read", from, errno);
    if (size == 0) break;
    RETURN_IF_ERROR(WriteFully(target.get(), to, buffer.data(), static_cast<size_t>(size)));
    copied += static_cast<uint64_t>(size);
  }
  if (fdatasync(target.get()) != 0) return Failed("sync", to, errno);
  return copied;
}

absl::Status CopyDirectory(const std::string& from, const std::string& to,
                           const std::function<bool(uint64_t bytes)>& copied) {
  if (mkdir(to.c_str(), 0700) != 0) return Failed("make directory", to, errno);
  std::error_code error;
  fs::directory_iterator entry(from, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string source = entry->path().string();
    const std::string target = absl::StrCat(to, "/", entry->path().filename().string());
    const fs::file_status status = entry->symlink_status(error);
    if (error) break;
    if (fs::is_directory(status)) {
      RETURN_IF_ERROR(CopyDirectory(source, target, copied));
    } else if (fs::is_regular_file(status)) {
      ASSIGN_OR_RETURN(const uint64_t bytes, CopyFile(source, target));
      if (!copied(bytes)) return absl::CancelledError(absl::StrCat("stopped while copying ", source));
    } else {
      return absl::UnavailableError(absl::StrCat(source, " is neither a file nor a directory"));
    }
  }
  if (error) return Failed("read directory", from, error.value());
  return SyncDirectory(to);
}

// Renames without replacing anything. Returns an errno, or 0.
int RenameNoReplace(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  // NFS and other file systems do not support the flag.
  if (errno != EINVAL && errno != ENOSYS) return errno;
  struct stat found;
  if (lstat(from.c_str(), &found) != 0) return errno;
  if (!S_ISDIR(found.st_mode)) {
    // link() does not replace a file either.
    if (link(from.c_str(), to.c_str()) != 0) return errno;
    return unlink(from.c_str()) == 0 ? 0 : errno;
  }
  if (lstat(to.c_str(), &found) == 0) return EEXIST;
  if (errno != ENOENT) return errno;
  // If another process makes `to` now, only an empty directory is replaced.
  return rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

}  // namespace

absl::Status MakeDirectoryDurably(const std::string& path) { return MakeWithParents(WithoutTrailingSlash(path)); }

absl::Status SyncNameOf(const std::string& path) { return SyncDirectory(ParentOf(WithoutTrailingSlash(path))); }

absl::Status RenameDurably(const std::string& from, const std::string& to) {
  if (const int error = RenameNoReplace(from, to); error != 0) {
    return Failed(absl::StrCat("rename ", from, " to"), to, error);
  }
  RETURN_IF_ERROR(SyncDirectory(ParentOf(to)));
  return ParentOf(from) == ParentOf(to) ? absl::OkStatus() : SyncDirectory(ParentOf(from));
}

absl::Status RemoveTree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return Failed("remove", path, error.value());
  std::string parent = ParentOf(path);
  return fs::exists(parent, error) ? SyncDirectory(parent) : absl::OkStatus();
}

absl::Status CopyTreeDurably(const std::string& from, const std::string& to,
                             const std::function<bool(uint64_t bytes)>& copied) {
  RETURN_IF_ERROR(CopyDirectory(from, to, copied));
  return SyncDirectory(ParentOf(to));
}

}  // namespace entrepot

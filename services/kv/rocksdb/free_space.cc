#include "services/kv/rocksdb/free_space.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace entrepot::kv {
namespace {

constexpr uint64_t kReserveBytesMax = uint64_t{64} << 20;
constexpr uint64_t kReserveInodes = 64;

}  // namespace

absl::StatusOr<FileSystemSpace> ReadFileSystemSpace(const std::string& directory) {
  struct statvfs stats;
  if (statvfs(directory.c_str(), &stats) != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot ask for the free space of ", directory, ": ", std::strerror(errno)));
  }
  // Some file systems have no fixed number of inodes, and report 0 of 0.
  return FileSystemSpace{.total_bytes = uint64_t{stats.f_blocks} * stats.f_frsize,
                         .free_bytes = uint64_t{stats.f_bavail} * stats.f_frsize,
                         .has_inodes = stats.f_files == 0 || stats.f_favail >= kReserveInodes};
}

uint64_t ReservedBytes(const FileSystemSpace& space) { return std::min(space.total_bytes / 16, kReserveBytesMax); }

absl::Status CheckFreeSpace(const FileSystemSpace& space, bool deletes) {
  if (!space.has_inodes && !deletes) {
    return absl::UnavailableError("the metadata's file system has nearly no inodes left");
  }
  const uint64_t reserved = ReservedBytes(space);
  if (space.free_bytes >= (deletes ? reserved / 4 : reserved)) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("the metadata's file system has only ", space.free_bytes,
                                             " bytes left; the last ", reserved, " are kept for deletions"));
}

}  // namespace entrepot::kv

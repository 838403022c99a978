#include "services/core/files/disk_space.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/status/oci_error.h"

namespace entrepot {
namespace {

constexpr absl::string_view kFull = "nothing can be pushed: the disk is full";

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kReservedInodes = 64;

}  // namespace

DiskSpace ToDiskSpace(const struct statvfs& stats) {
  const uint64_t unit = stats.f_frsize;
  return {.total_bytes = unit * stats.f_blocks,
          .used_bytes = unit * (stats.f_blocks - stats.f_bfree),
          .free_bytes = unit * stats.f_bavail,
          .has_inodes = stats.f_files == 0 || stats.f_favail >= kReservedInodes};
}

absl::StatusOr<DiskSpace> ReadDiskSpace(const std::string& path) {
  struct statvfs stats;
  if (statvfs(path.c_str(), &stats) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot read the free space of ", path, ": ", std::strerror(errno)));
  }
  return ToDiskSpace(stats);
}

uint64_t ReservedFromBlobs(uint64_t total_bytes) { return std::min(total_bytes / 8, 256 * kMiB); }

uint64_t ReservedFromRecords(uint64_t total_bytes) { return std::min(total_bytes / 16, 64 * kMiB); }

absl::Status CheckRoomForBlobs(const DiskSpace& space) {
  const uint64_t reserved = ReservedFromBlobs(space.total_bytes);
  if (space.total_bytes == 0 || space.free_bytes > reserved) return absl::OkStatus();
  return OciError(OciErrorCode::kUnavailable,
                  absl::StrCat("the disk is full: ", space.free_bytes / kMiB, " MiB are free, and ", reserved / kMiB,
                               " MiB are kept for the registry's databases"),
                  kFull);
}

absl::Status CheckRoomForRecords(const DiskSpace& space, bool deletes) {
  if (!space.has_inodes && !deletes) {
    return OciError(OciErrorCode::kUnavailable, "the metadata's file system has nearly no inodes left", kFull);
  }
  const uint64_t reserved = ReservedFromRecords(space.total_bytes);
  if (space.free_bytes >= (deletes ? reserved / 4 : reserved)) return absl::OkStatus();
  return OciError(OciErrorCode::kUnavailable,
                  absl::StrCat("the metadata's file system has only ", space.free_bytes, " bytes left; the last ",
                               reserved, " are kept for deletions"),
                  kFull);
}

}  // namespace entrepot

#include "services/blob/io/disk_space.h"

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "services/blob/io/io_error.h"
#include "services/status/oci_error.h"

namespace entrepot::blob {

absl::StatusOr<DiskSpace> GetDiskSpace(SystemCalls& calls, int fd) {
  struct statvfs result;
  if (calls.FStatVfs(fd, &result) != 0) return ReadError("asking for the free space", errno);
  const uint64_t unit = result.f_frsize;
  return DiskSpace{.total_bytes = unit * result.f_blocks,
                   .used_bytes = unit * (result.f_blocks - result.f_bfree),
                   .free_bytes = unit * result.f_bavail};
}

uint64_t ReservedBytes(uint64_t total_bytes) { return std::min<uint64_t>(total_bytes / 8, 256 << 20); }

absl::Status CheckDiskSpace(SystemCalls& calls, int fd) {
  const absl::StatusOr<DiskSpace> space = GetDiskSpace(calls, fd);
  if (!space.ok() || space->total_bytes == 0) return absl::OkStatus();
  const uint64_t reserved = ReservedBytes(space->total_bytes);
  if (space->free_bytes > reserved) return absl::OkStatus();
  return OciError(OciErrorCode::kUnavailable,
                  absl::StrCat("the disk is full: ", space->free_bytes >> 20, " MiB are free, and ", reserved >> 20,
                               " MiB are kept for the registry's databases"));
}

}  // namespace entrepot::blob

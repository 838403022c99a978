#include "services/blob/io/file_io.h"

#include <cerrno>

#include "services/blob/io/io_error.h"

namespace entrepot::blob {
namespace {

template <typename Call>
auto WithoutInterruption(Call call) -> decltype(call()) {
  while (true) {
    auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

}  // namespace

int PWriteFully(SystemCalls& calls, int fd, absl::string_view bytes, uint64_t offset_bytes) {
  while (!bytes.empty()) {
    const ssize_t written = WithoutInterruption(
        [&] { return calls.PWrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset_bytes)); });
    if (written < 0) return errno;
    if (written == 0) return EIO;
    bytes.remove_prefix(static_cast<size_t>(written));
    offset_bytes += static_cast<uint64_t>(written);
  }
  return 0;
}

int FDataSyncFully(SystemCalls& calls, int fd) {
  return WithoutInterruption([&] { return calls.FDataSync(fd); }) == 0 ? 0 : errno;
}

int FSyncFully(SystemCalls& calls, int fd) {
  return WithoutInterruption([&] { return calls.FSync(fd); }) == 0 ? 0 : errno;
}

int FTruncateFully(SystemCalls& calls, int fd, uint64_t size_bytes) {
  return WithoutInterruption([&] { return calls.FTruncate(fd, static_cast<off_t>(size_bytes)); }) == 0 ? 0 : errno;
}

absl::StatusOr<size_t> PReadFully(SystemCalls& calls, int fd, char* data, size_t size, uint64_t offset_bytes) {
  size_t total = 0;
  while (total < size) {
    const ssize_t count = WithoutInterruption(
        [&] { return calls.PRead(fd, data + total, size - total, static_cast<off_t>(offset_bytes + total)); });
    if (count < 0) return ReadError("reading", errno);
    if (count == 0) break;
    total += static_cast<size_t>(count);
  }
  return total;
}

OwnedFd OpenAtFully(SystemCalls& calls, int directory, const char* path, int flags, mode_t mode) {
  return OwnedFd(WithoutInterruption([&] { return calls.OpenAt(directory, path, flags, mode); }));
}

absl::StatusOr<DiskSpace> GetDiskSpace(SystemCalls& calls, int fd) {
  struct statvfs stats;
  if (calls.FStatVfs(fd, &stats) != 0) return ReadError("reading the free space", errno);
  return ToDiskSpace(stats);
}

absl::Status CheckDiskSpace(SystemCalls& calls, int fd) {
  const absl::StatusOr<DiskSpace> space = GetDiskSpace(calls, fd);
  return space.ok() ? CheckRoomForBlobs(*space) : absl::OkStatus();
}

}  // namespace entrepot::blob

#include "services/blob/io/disk_read.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "absl/strings/str_cat.h"
#include "services/blob/io/file_io.h"
#include "services/blob/io/io_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

constexpr size_t kPieceBytes = 1 << 20;
// The alignment that O_DIRECT needs for memory, offsets and sizes.
constexpr size_t kAlignment = 4096;

using Buffer = std::unique_ptr<char, decltype(&std::free)>;
using Take = std::function<bool(absl::string_view)>;

absl::Status EndsAt(uint64_t offset) {
  return absl::DataLossError(absl::StrCat("the object's file ends at byte ", offset));
}

ssize_t ReadOnce(SystemCalls& calls, int fd, char* data, uint64_t offset) {
  while (true) {
    const ssize_t count = calls.PRead(fd, data, kPieceBytes, static_cast<off_t>(offset));
    if (count >= 0 || errno != EINTR) return count;
  }
}

// Reads from `offset`, and advances it. true if all is read; false if the file system cannot continue this way.
absl::StatusOr<bool> ReadDirectly(SystemCalls& calls, int fd, char* data, uint64_t size, uint64_t& offset,
                                  const Take& take) {
  while (offset < size) {
    const ssize_t count = ReadOnce(calls, fd, data, offset);
    if (count < 0 && (errno == EINVAL || errno == EOPNOTSUPP)) return false;
    if (count < 0) return ReadError("reading an object", errno);
    if (count == 0) return EndsAt(offset);
    size_t usable = static_cast<size_t>(std::min<uint64_t>(static_cast<uint64_t>(count), size - offset));
    // Only the last piece may have any size.
    if (offset + usable < size) usable -= usable % kAlignment;
    if (usable == 0) return false;
    offset += usable;
    if (!take(absl::string_view(data, usable))) return true;
  }
  return true;
}

absl::Status ReadThroughCache(SystemCalls& calls, int fd, char* data, uint64_t size, uint64_t offset,
                              const Take& take) {
  // Drops clean pages, so that the next read comes from the disk.
  ::posix_fadvise(fd, static_cast<off_t>(offset), 0, POSIX_FADV_DONTNEED);
  while (offset < size) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(kPieceBytes, size - offset));
    ASSIGN_OR_RETURN(const size_t count, PReadFully(calls, fd, data, wanted, offset));
    if (count < wanted) return EndsAt(offset + count);
    ::posix_fadvise(fd, static_cast<off_t>(offset), static_cast<off_t>(count), POSIX_FADV_DONTNEED);
    offset += count;
    if (!take(absl::string_view(data, count))) break;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadFromDisk(SystemCalls& calls, int directory, const std::string& path, const OwnedFd& fd,
                          const Take& take) {
  struct stat found;
  if (calls.FStat(fd.get(), &found) != 0) return ReadError("reading an object's size", errno);
  const auto size = static_cast<uint64_t>(found.st_size);
  const Buffer buffer(static_cast<char*>(std::aligned_alloc(kAlignment, kPieceBytes)), &std::free);
  if (buffer == nullptr) return absl::ResourceExhaustedError("no memory to read an object");
  uint64_t offset = 0;
  if (const OwnedFd direct = OpenAtFully(calls, directory, path.c_str(), O_RDONLY | O_DIRECT); direct.get() >= 0) {
    ASSIGN_OR_RETURN(const bool done, ReadDirectly(calls, direct.get(), buffer.get(), size, offset, take));
    if (done) return absl::OkStatus();
  }
  return ReadThroughCache(calls, fd.get(), buffer.get(), size, offset, take);
}

}  // namespace entrepot::blob

#ifndef ENTREPOT_SERVICES_CTL_LAYOUT_TAR_FORMAT_H_
#define ENTREPOT_SERVICES_CTL_LAYOUT_TAR_FORMAT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The parts of the tar format (POSIX ustar, with the extensions of GNU and pax) that image layouts need.
namespace entrepot::ctl {

inline constexpr uint64_t kTarBlockBytes = 512;

// Where the next header is, behind `size_bytes` that begin at `data_offset`.
inline uint64_t TarEndOffset(uint64_t data_offset, uint64_t size_bytes) {
  return data_offset + (size_bytes + kTarBlockBytes - 1) / kTarBlockBytes * kTarBlockBytes;
}

struct TarEntry {
  // Without "./" before it and a slash behind it.
  std::string path;
  // Where its first header begins, and where its bytes do.
  uint64_t header_offset = 0;
  uint64_t data_offset = 0;
  uint64_t size_bytes = 0;
  // Not a directory, a link or a device.
  bool is_file = false;

  uint64_t end_offset() const { return TarEndOffset(data_offset, size_bytes); }
};

// The header of a file: the same for the same file at all times. `path` has at most 99 bytes.
std::string TarHeader(absl::string_view path, uint64_t size_bytes);
// What follows the bytes of a file of this size.
std::string TarPadding(uint64_t size_bytes);
// What follows the last file.
std::string TarEnd();

// Reads the entries of a tar file one after another. Not thread-safe.
class TarReader {
 public:
  // `fd` stays open until the last call.
  explicit TarReader(int fd) : fd_(fd) {}

  // The next entry, whose bytes may be missing at the end of the file; nullopt at the end, also if it comes too early.
  // kInvalidArgument: the file is not such a tar file.
  absl::StatusOr<std::optional<TarEntry>> Next();

 private:
  const int fd_;
  uint64_t offset_ = 0;
};

// Reads `length` bytes at `offset`; fewer only at the end of the file. kUnavailable if the file cannot be read.
absl::StatusOr<std::string> ReadAt(int fd, uint64_t offset, uint64_t length);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_LAYOUT_TAR_FORMAT_H_

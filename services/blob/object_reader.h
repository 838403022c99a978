#ifndef ENTREPOT_SERVICES_BLOB_OBJECT_READER_H_
#define ENTREPOT_SERVICES_BLOB_OBJECT_READER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/core/storage_key.h"

namespace entrepot::blob {

// An open file descriptor, closed with its owner. Move-only.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedFd();

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// An object's bytes, as cheaply as they can be had: those of a small one, or the open file of another.
struct OpenObject {
  std::variant<std::string, OwnedFd> content;
  uint64_t size_bytes = 0;
};

// Objects by storage key, over both tiers. Thread-safe; calls may block on the disk.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  // kNotFound where no object has that key; kDataLoss where it cannot be read.
  virtual absl::StatusOr<OpenObject> Open(const StorageKey& key) = 0;
  // Already gone counts as success.
  virtual absl::Status Delete(const StorageKey& key) = 0;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECT_READER_H_

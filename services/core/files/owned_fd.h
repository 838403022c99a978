#ifndef ENTREPOT_SERVICES_CORE_FILES_OWNED_FD_H_
#define ENTREPOT_SERVICES_CORE_FILES_OWNED_FD_H_

#include <utility>

namespace entrepot {

// An open file descriptor that is closed with this object. Move-only.
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

  // -1 if it owns no descriptor.
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FILES_OWNED_FD_H_

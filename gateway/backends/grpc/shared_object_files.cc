#include "gateway/backends/grpc/shared_object_files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/runtime/log/limited_log.h"

namespace entrepot::gateway {
namespace {

using std::chrono::steady_clock;

int64_t ModifiedNanoseconds(const struct stat& found) {
  return static_cast<int64_t>(found.st_mtim.tv_sec) * 1'000'000'000 + found.st_mtim.tv_nsec;
}

// Opens a file below a directory without going through a symbolic link or out of the directory. Without openat2
// (before Linux 5.6, or forbidden to the process) it fails. -1: errno has the reason.
int OpenBelow(int directory, const std::string& path) {
  struct open_how how {};
  // O_NONBLOCK: a FIFO must not hold the thread.
  how.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  return static_cast<int>(::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof(how)));
}

}  // namespace

SharedObjectFiles::SharedObjectFiles(std::string directory, const std::shared_ptr<prometheus::Registry>& registry)
    : directory_(std::move(directory)), usable_at_(steady_clock::time_point::min().time_since_epoch().count()) {
  auto& files = prometheus::BuildCounter()
                    .Name("entrepot_gateway_object_files_total")
                    .Help("Files of the blob service that the gateway was to open itself")
                    .Register(*registry);
  opened_ = &files.Add({{"result", "opened"}});
  refused_ = &files.Add({{"result", "refused"}});
}

bool SharedObjectFiles::usable() const {
  return steady_clock::now().time_since_epoch().count() >= usable_at_.load(std::memory_order_relaxed);
}

absl::StatusOr<OwnedFd> SharedObjectFiles::Open(const ObjectFile& file) {
  absl::StatusOr<OwnedFd> opened = TryToOpen(file);
  (opened.ok() ? opened_ : refused_)->Increment();
  if (opened.ok()) {
    missing_in_a_row_.store(0, std::memory_order_relaxed);
    return opened;
  }
  // An object may be collected after it was described.
  if (absl::IsNotFound(opened.status()) &&
      missing_in_a_row_.fetch_add(1, std::memory_order_relaxed) + 1 < kMissingInARowMax) {
    return opened;
  }
  missing_in_a_row_.store(0, std::memory_order_relaxed);
  usable_at_.store((steady_clock::now() + kPause).time_since_epoch().count(), std::memory_order_relaxed);
  runtime::LogLimited(runtime::LogLevel::kWarning, "cannot use the files of the blob service", directory_,
                      {{"directory", directory_}, {"error", opened.status().message()}});
  return opened;
}

absl::StatusOr<OwnedFd> SharedObjectFiles::TryToOpen(const ObjectFile& file) const {
  if (file.path.empty() || file.path.front() == '/' || absl::StrContains(file.path, "..")) {
    return absl::InvalidArgumentError("the blob service gave a path outside of its directory");
  }
  const std::string path = absl::StrCat(directory_, "/", file.path);
  const OwnedFd directory(::open(directory_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) {
    return absl::UnavailableError(absl::StrCat("cannot open ", directory_, ": ", std::strerror(errno)));
  }
  OwnedFd fd(OpenBelow(directory.get(), file.path));
  if (fd.get() < 0) {
    const bool is_missing = errno == ENOENT;
    const std::string message = absl::StrCat("cannot open ", path, ": ", std::strerror(errno));
    return is_missing ? absl::NotFoundError(message) : absl::UnavailableError(message);
  }
  struct stat found {};
  if (::fstat(fd.get(), &found) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot read the size of ", path, ": ", std::strerror(errno)));
  }
  if (!S_ISREG(found.st_mode) || found.st_ino != file.inode ||
      static_cast<uint64_t>(found.st_size) != file.size_bytes ||
      ModifiedNanoseconds(found) != file.modified_nanoseconds) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is not the file of the blob service"));
  }
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return fd;
}

}  // namespace entrepot::gateway

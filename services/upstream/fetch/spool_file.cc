#include "services/upstream/fetch/spool_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/core/files/disk_space.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::upstream {
namespace {

constexpr absl::string_view kPrefix = "spool.";
constexpr uint64_t kCheckEvery = uint64_t{1} << 20;

absl::Status IoError(absl::string_view action, int error) {
  return OciError(OciErrorCode::kUnavailable, absl::StrCat(action, ": ", std::generic_category().message(error)));
}

absl::Status CheckRoom(int file) {
  struct statvfs stats = {};
  // Without an answer the write itself shows whether there is room.
  if (fstatvfs(file, &stats) != 0) return absl::OkStatus();
  return CheckRoomForBlobs(ToDiskSpace(stats));
}

}  // namespace

absl::Status PrepareSpoolDirectory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return absl::UnavailableError(absl::StrCat("making the directory ", directory, ": ", error.message()));
  if (chmod(directory.c_str(), S_IRWXU) != 0) {
    return absl::UnavailableError(
        absl::StrCat("making the directory ", directory, " private: ", std::generic_category().message(errno)));
  }
  std::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (!absl::StartsWith(entry->path().filename().string(), kPrefix)) continue;
    std::error_code ignored;  // A file that stays takes room, and does no other harm.
    std::filesystem::remove(entry->path(), ignored);
  }
  if (error) return absl::UnavailableError(absl::StrCat("reading the directory ", directory, ": ", error.message()));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<SpoolFile>> SpoolFile::Create(const std::string& directory) {
  OwnedFd file(open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (file.get() < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    std::string path = absl::StrCat(directory, "/", kPrefix, "XXXXXX");
    file = OwnedFd(mkostemp(path.data(), O_CLOEXEC));
    if (file.get() >= 0) unlink(path.c_str());
  }
  if (file.get() < 0) return IoError("making a spool file", errno);
  return std::unique_ptr<SpoolFile>(new SpoolFile(std::move(file)));
}

absl::Status SpoolFile::Append(absl::string_view bytes) {
  if (size_bytes_ >= next_check_bytes_) {
    RETURN_IF_ERROR(CheckRoom(file_.get()));
    next_check_bytes_ = size_bytes_ + kCheckEvery;
  }
  while (!bytes.empty()) {
    const ssize_t written = pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_bytes_));
    if (written < 0) {
      if (errno == EINTR) continue;
      return IoError("writing a spool file", errno);
    }
    bytes.remove_prefix(static_cast<size_t>(written));
    size_bytes_ += static_cast<uint64_t>(written);
  }
  return absl::OkStatus();
}

absl::StatusOr<OwnedFd> SpoolFile::Duplicate() const {
  OwnedFd file(fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
  if (file.get() < 0) return IoError("opening a spool file again", errno);
  return file;
}

absl::Status SpoolFile::Read(uint64_t offset_bytes, char* data, size_t size) const {
  while (size > 0) {
    const ssize_t count = pread(file_.get(), data, size, static_cast<off_t>(offset_bytes));
    if (count < 0) {
      if (errno == EINTR) continue;
      return IoError("reading a spool file", errno);
    }
    if (count == 0) return absl::DataLossError("a spool file is shorter than what was written to it");
    data += count;
    offset_bytes += static_cast<uint64_t>(count);
    size -= static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

}  // namespace entrepot::upstream

#include "services/kv/rocksdb/rocksdb_wal_tails.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "services/core/files/owned_fd.h"
#include "services/kv/rocksdb/rocksdb_wal_end.h"
#include "services/status/status_macros.h"

namespace entrepot::kv {
namespace {

absl::Status Unavailable(absl::string_view doing, const std::string& path, int error) {
  return absl::UnavailableError(absl::StrCat("cannot ", doing, " ", path, ": ", std::strerror(error)));
}

// In the order of their numbers, which RocksDB pads with zeros to six digits.
absl::StatusOr<std::vector<std::string>> ListLogs(const std::string& directory) {
  std::vector<std::string> logs;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".log") logs.push_back(it->path().string());
  }
  if (error) return Unavailable("list", directory, error.value());
  std::sort(logs.begin(), logs.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  return logs;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  OwnedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return Unavailable("open", path, errno);
  std::string content;
  constexpr size_t kChunkBytes = size_t{1} << 20;
  for (;;) {
    const size_t size = content.size();
    content.resize(size + kChunkBytes);
    const ssize_t got = read(fd.get(), content.data() + size, kChunkBytes);
    if (got < 0 && errno != EINTR) return Unavailable("read", path, errno);
    content.resize(size + std::max<ssize_t>(got, 0));
    if (got == 0) return content;
  }
}

absl::Status Cut(const std::string& path, uint64_t size) {
  OwnedFd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (fd.get() < 0) return Unavailable("open", path, errno);
  if (ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return Unavailable("cut", path, errno);
  if (fsync(fd.get()) != 0) return Unavailable("sync", path, errno);
  return absl::OkStatus();
}

struct Tail {
  std::string path;
  uint64_t offset = 0;
};

}  // namespace

absl::Status CutTornWalTails(const std::string& directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> logs, ListLogs(directory));
  std::vector<Tail> tails;
  for (const std::string& path : logs) {
    ASSIGN_OR_RETURN(const std::string log, ReadFile(path));
    absl::StatusOr<uint64_t> end = FindWalEnd(log);
    if (absl::IsUnimplemented(end.status())) {
      return absl::UnimplementedError(absl::StrCat("write-ahead log ", path, " contains ", end.status().message()));
    }
    if (!end.ok()) {
      return absl::DataLossError(absl::StrCat("write-ahead log ", path, " is damaged: ", end.status().message()));
    }
    if (*end > 0 && !tails.empty()) {
      return absl::DataLossError(absl::StrCat("write-ahead log ", tails.back().path, " breaks off at offset ",
                                              tails.back().offset, ", but ", path, " continues"));
    }
    if (*end < log.size()) tails.push_back({path, *end});
  }
  for (const Tail& tail : tails) RETURN_IF_ERROR(Cut(tail.path, tail.offset));
  return absl::OkStatus();
}

}  // namespace entrepot::kv

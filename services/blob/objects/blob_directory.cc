#include "services/blob/objects/blob_directory.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "services/blob/io/file_io.h"
#include "services/blob/io/io_error.h"
#include "services/core/files/directory_place.h"
#include "services/core/files/durable_directory.h"
#include "services/runtime/log/json_log.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

constexpr int kFanOut = 256;
constexpr mode_t kDirectoryMode = 0700;

std::string FanOutName(int index) { return absl::StrFormat("%02x", index); }

absl::Status MakeDirectory(SystemCalls& calls, int parent, const std::string& name) {
  if (calls.MkDirAt(parent, name.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return WriteError(absl::StrCat("making the directory ", name), errno);
  }
  return absl::OkStatus();
}

absl::Status SyncDirectory(SystemCalls& calls, int fd, const std::string& path) {
  if (int error = FSyncFully(calls, fd); error != 0)
    return WriteError(absl::StrCat("syncing the directory ", path), error);
  return absl::OkStatus();
}

// nullopt if the object has been deleted meanwhile.
absl::StatusOr<std::optional<ListedObject>> Describe(SystemCalls& calls, int objects, StorageKey key) {
  struct stat found;
  if (calls.FStatAt(objects, BlobDirectory::PathOf(key).c_str(), &found) != 0) {
    if (errno == ENOENT) return std::nullopt;
    return ReadError("reading an object's size", errno);
  }
  return ListedObject{.key = std::move(key),
                      .size_bytes = static_cast<uint64_t>(found.st_size),
                      .written_at = absl::TimeFromTimespec(found.st_mtim)};
}

void LogSkipped(absl::string_view path, const absl::Status& status) {
  runtime::Log(runtime::LogLevel::kWarning, "an object cannot be listed, and is skipped",
               {{"path", path}, {"error", status.message()}});
}

}  // namespace

BlobDirectory::BlobDirectory(std::string path, OwnedFd root, OwnedFd staging, OwnedFd objects, OwnedFd quarantine)
    : path_(std::move(path)),
      root_(std::move(root)),
      staging_(std::move(staging)),
      objects_(std::move(objects)),
      quarantine_(std::move(quarantine)) {}

absl::StatusOr<std::unique_ptr<BlobDirectory>> BlobDirectory::Open(const std::string& path, SystemCalls& calls) {
  if (absl::Status made = MakeDirectoryDurably(path); !made.ok()) {
    return OciError(OciErrorCode::kUnavailable, made.message());
  }
  ASSIGN_OR_RETURN(OwnedFd root, OpenDirectory(calls, AT_FDCWD, path));
  RETURN_IF_ERROR(MakeDirectory(calls, root.get(), "staging"));
  RETURN_IF_ERROR(MakeDirectory(calls, root.get(), "objects"));
  RETURN_IF_ERROR(MakeDirectory(calls, root.get(), "quarantine"));
  ASSIGN_OR_RETURN(OwnedFd staging, OpenDirectory(calls, root.get(), "staging"));
  ASSIGN_OR_RETURN(OwnedFd objects, OpenDirectory(calls, root.get(), "objects"));
  ASSIGN_OR_RETURN(OwnedFd quarantine, OpenDirectory(calls, root.get(), "quarantine"));
  for (int i = 0; i < kFanOut; ++i) RETURN_IF_ERROR(MakeDirectory(calls, objects.get(), FanOutName(i)));
  // Also if nothing was made: the run that made it may have died before its sync.
  RETURN_IF_ERROR(SyncDirectory(calls, objects.get(), "objects"));
  RETURN_IF_ERROR(SyncDirectory(calls, root.get(), path));
  return std::unique_ptr<BlobDirectory>(
      new BlobDirectory(path, std::move(root), std::move(staging), std::move(objects), std::move(quarantine)));
}

absl::Status BlobDirectory::CheckInPlace() const { return entrepot::CheckInPlace(root(), path_); }

std::string BlobDirectory::FanOutOf(const StorageKey& key) { return key.ToString().substr(1, 2); }

std::string BlobDirectory::PathOf(const StorageKey& key) { return absl::StrCat(FanOutOf(key), "/", key.ToString()); }

absl::StatusOr<ObjectList> BlobDirectory::List(SystemCalls& calls, absl::string_view start_after, size_t limit) const {
  ObjectList list;
  for (int i = 0; i < kFanOut; ++i) {
    const std::string fan_out = FanOutName(i);
    // `start_after` is behind every key in this directory.
    if (absl::StrCat("f", fan_out, "g") <= start_after) continue;
    absl::StatusOr<std::vector<std::string>> names = ListNames(objects(), fan_out.c_str());
    if (!names.ok()) {
      LogSkipped(absl::StrCat("objects/", fan_out), names.status());
      continue;
    }
    std::sort(names->begin(), names->end());
    for (const std::string& name : *names) {
      absl::StatusOr<StorageKey> key = StorageKey::Parse(name);
      if (!key.ok() || name <= start_after) continue;
      if (list.objects.size() == limit) {
        list.more = true;
        return list;
      }
      absl::StatusOr<std::optional<ListedObject>> object = Describe(calls, objects(), *std::move(key));
      if (!object.ok()) {
        LogSkipped(absl::StrCat("objects/", fan_out, "/", name), object.status());
      } else if (object->has_value()) {
        list.objects.push_back(**std::move(object));
      }
    }
  }
  return list;
}

absl::StatusOr<bool> BlobDirectory::HasObjects() const {
  for (int i = 0; i < kFanOut; ++i) {
    ASSIGN_OR_RETURN(std::vector<std::string> names, ListNames(objects(), FanOutName(i).c_str()));
    if (!names.empty()) return true;
  }
  return false;
}

absl::StatusOr<Waiting> BlobDirectory::CountQuarantined(SystemCalls& calls, size_t limit) const {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListNames(quarantine(), ".", limit + 1));
  Waiting quarantined;
  for (const std::string& name : names) {
    quarantined.more = quarantined.count == limit;
    if (quarantined.more) break;
    struct stat found;
    // It was deleted meanwhile, or cannot be read.
    if (calls.FStatAt(quarantine(), name.c_str(), &found) != 0) continue;
    // A rename sets the time of the last change of the inode.
    quarantined.Add(static_cast<uint64_t>(found.st_size), absl::TimeFromTimespec(found.st_ctim));
  }
  return quarantined;
}

absl::StatusOr<OwnedFd> OpenDirectory(SystemCalls& calls, int parent, const std::string& path) {
  OwnedFd fd = OpenAtFully(calls, parent, path.c_str(), O_RDONLY | O_DIRECTORY);
  if (fd.get() < 0) return WriteError(absl::StrCat("opening the directory ", path), errno);
  return fd;
}

absl::StatusOr<std::vector<std::string>> ListNames(int directory, const char* path, size_t limit) {
  OwnedFd fd(::openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return ReadError(absl::StrCat("opening the directory ", path), errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.get()), &::closedir);
  if (stream == nullptr) return ReadError(absl::StrCat("opening the directory ", path), errno);
  fd.release();
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = names.size() < limit ? ::readdir(stream.get()) : nullptr) {
    if (absl::string_view name = entry->d_name; name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return ReadError(absl::StrCat("listing the directory ", path), errno);
  return names;
}

}  // namespace entrepot::blob

#include "services/blob/objects/object_snapshot.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/blob/io/file_io.h"
#include "services/blob/io/io_error.h"
#include "services/blob/objects/store_format.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/files/owned_fd.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

constexpr size_t kPieceBytes = 1 << 20;
constexpr mode_t kFileMode = 0600;
constexpr absl::string_view kCopying = "copying an object";

// Copies files of one fan-out directory, or the store's own files.
class FileCopier {
 public:
  FileCopier(SystemCalls& calls, int from, int to) : calls_(calls), from_(from), to_(to) {}

  // Returns the size of the file; nullopt if it has been deleted.
  absl::StatusOr<std::optional<uint64_t>> LinkOrCopy(const std::string& name) {
    struct stat found;
    if (calls_.FStatAt(from_, name.c_str(), &found) != 0) return Missing(errno);
    if (calls_.LinkAt(from_, name.c_str(), to_, name.c_str()) != 0) {
      // Another file system, one without links, or no more links allowed.
      if (errno != EXDEV && errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK) return Missing(errno);
      return Copy(name);
    }
    return static_cast<uint64_t>(found.st_size);
  }

  absl::StatusOr<std::optional<uint64_t>> Copy(const std::string& name) {
    const OwnedFd source = OpenAtFully(calls_, from_, name.c_str(), O_RDONLY);
    if (source.get() < 0) return Missing(errno);
    const OwnedFd target = OpenAtFully(calls_, to_, name.c_str(), O_WRONLY | O_CREAT | O_EXCL, kFileMode);
    if (target.get() < 0) return WriteError(kCopying, errno);
    const std::unique_ptr<char[]> piece(new char[kPieceBytes]);
    uint64_t size = 0;
    while (true) {
      ASSIGN_OR_RETURN(const size_t count, PReadFully(calls_, source.get(), piece.get(), kPieceBytes, size));
      if (count == 0) break;
      const int error = PWriteFully(calls_, target.get(), absl::string_view(piece.get(), count), size);
      if (error != 0) return WriteError(kCopying, error);
      size += count;
    }
    if (const int error = FSyncFully(calls_, target.get()); error != 0) return WriteError(kCopying, error);
    return size;
  }

 private:
  static absl::StatusOr<std::optional<uint64_t>> Missing(int error) {
    if (error == ENOENT) return std::nullopt;
    return WriteError(kCopying, error);
  }

  SystemCalls& calls_;
  const int from_;
  const int to_;
};

absl::Status CopyFanOut(SystemCalls& calls, int from_objects, int to_objects, const std::string& fan_out,
                        ObjectSnapshot* snapshot) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListNames(from_objects, fan_out.c_str()));
  if (names.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const OwnedFd from, OpenDirectory(calls, from_objects, fan_out));
  ASSIGN_OR_RETURN(const OwnedFd to, OpenDirectory(calls, to_objects, fan_out));
  FileCopier copier(calls, from.get(), to.get());
  for (const std::string& name : names) {
    if (!StorageKey::Parse(name).ok()) continue;
    ASSIGN_OR_RETURN(const std::optional<uint64_t> size, copier.LinkOrCopy(name));
    if (!size.has_value()) continue;
    ++snapshot->objects;
    snapshot->object_bytes += *size;
  }
  const int error = FSyncFully(calls, to.get());
  return error == 0 ? absl::OkStatus() : WriteError("syncing a directory of copied objects", error);
}

}  // namespace

absl::StatusOr<ObjectSnapshot> CopyObjects(SystemCalls& calls, const BlobDirectory& from, const std::string& to) {
  ASSIGN_OR_RETURN(const std::unique_ptr<BlobDirectory> target, BlobDirectory::Open(to, calls));
  ASSIGN_OR_RETURN(std::vector<std::string> fan_outs, ListNames(target->objects(), "."));
  std::sort(fan_outs.begin(), fan_outs.end());
  ObjectSnapshot snapshot;
  for (const std::string& fan_out : fan_outs) {
    RETURN_IF_ERROR(CopyFanOut(calls, from.objects(), target->objects(), fan_out, &snapshot));
  }
  RETURN_IF_ERROR(Failpoint("blob.snapshot.objects_copied"));
  // The owner is not copied, see CopyTo. A link would be written through if the copy gets an id of its own.
  RETURN_IF_ERROR(FileCopier(calls, from.root(), target->root()).Copy(kStoreIdFile).status());
  const int error = FSyncFully(calls, target->root());
  if (error != 0) return WriteError("syncing a directory of copied objects", error);
  return snapshot;
}

}  // namespace entrepot::blob

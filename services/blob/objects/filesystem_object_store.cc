#include "services/blob/objects/filesystem_object_store.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>
#include <variant>

#include "absl/time/time.h"
#include "services/blob/io/disk_read.h"
#include "services/blob/io/file_io.h"
#include "services/blob/io/io_error.h"
#include "services/blob/objects/object_snapshot.h"
#include "services/blob/objects/staged_file.h"
#include "services/blob/objects/unknown_upload.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/time/stopwatch.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr absl::string_view kRenaming = "giving an object its name";

absl::StatusOr<uint64_t> SizeOf(SystemCalls& calls, int fd) {
  struct stat result;
  if (calls.FStat(fd, &result) != 0) return ReadError("reading a file's size", errno);
  return static_cast<uint64_t>(result.st_size);
}

ObjectVersion VersionOf(const struct stat& found) {
  return {.inode = found.st_ino,
          .size_bytes = static_cast<uint64_t>(found.st_size),
          .modified_nanoseconds = absl::ToUnixNanos(absl::TimeFromTimespec(found.st_mtim))};
}

}  // namespace

absl::Status FilesystemObjectStore::CheckWritable() const {
  const absl::Status in_place = directory_->CheckInPlace();
  if (absl::IsFailedPrecondition(in_place)) gate_.Close(in_place.message());
  return gate_.Check();
}

absl::StatusOr<std::unique_ptr<StagedUpload>> FilesystemObjectStore::OpenStaged(const UploadId& id, uint64_t size_bytes,
                                                                                absl::string_view) {
  RETURN_IF_ERROR(CheckWritable());
  const int flags = size_bytes == 0 ? O_RDWR | O_CREAT | O_TRUNC : O_RDWR;
  OwnedFd fd = OpenAtFully(calls_, directory_->staging(), id.ToString().c_str(), flags, kFileMode);
  if (fd.get() < 0) {
    return errno == ENOENT ? UnknownUpload() : FailWrite("opening an upload's file", errno);
  }
  ASSIGN_OR_RETURN(const uint64_t found, SizeOf(calls_, fd.get()));
  if (found < size_bytes) return UnknownUpload();
  if (found > size_bytes) {
    if (int error = FTruncateFully(calls_, fd.get(), size_bytes); error != 0) {
      return FailWrite("cutting an upload's file", error);
    }
  }
  return std::make_unique<StagedFile>(std::move(fd), size_bytes, /*published=*/false, &calls_, &gate_, &metrics_);
}

absl::StatusOr<std::unique_ptr<StagedUpload>> FilesystemObjectStore::OpenPublished(const UploadId& id,
                                                                                   uint64_t size_bytes) {
  RETURN_IF_ERROR(CheckWritable());
  OwnedFd fd = OpenAtFully(calls_, directory_->objects(), BlobDirectory::PathOf(KeyOf(id)).c_str(), O_RDWR);
  if (fd.get() < 0) return errno == ENOENT ? UnknownUpload() : WriteError("opening an upload's object", errno);
  ASSIGN_OR_RETURN(const uint64_t found, SizeOf(calls_, fd.get()));
  if (found != size_bytes) return UnknownUpload();
  return std::make_unique<StagedFile>(std::move(fd), size_bytes, /*published=*/true, &calls_, &gate_, &metrics_);
}

absl::Status FilesystemObjectStore::Publish(const UploadId& id, std::unique_ptr<StagedUpload> staged) {
  const Stopwatch stopwatch;
  absl::Status status = PublishDurably(id, std::move(staged));
  metrics_.ObserveOperation(StoreBackend::kFilesystem, StoreOperation::kPublish, status.ok(), stopwatch.Elapsed());
  return status;
}

absl::Status FilesystemObjectStore::PublishDurably(const UploadId& id, std::unique_ptr<StagedUpload> staged) {
  RETURN_IF_ERROR(CheckWritable());
  auto& file = static_cast<StagedFile&>(*staged);
  const StorageKey key = KeyOf(id);
  // The directory is opened before the rename, so that after the rename only its sync can fail.
  ASSIGN_OR_RETURN(const OwnedFd fan_out, OpenFanOut(key));
  if (absl::Status status = file.Sync(); !status.ok()) {
    // After a failed sync the kernel may report success for the next one although bytes are lost. So the staged file is
    // deleted. A published file stays, because its storage key may be known already.
    if (!file.published()) calls_.UnlinkAt(directory_->staging(), id.ToString().c_str());
    return status;
  }
  RETURN_IF_ERROR(Failpoint("blob.publish.synced"));
  if (!file.published()) RETURN_IF_ERROR(Rename(id, key, fan_out.get()));
  RETURN_IF_ERROR(Failpoint("blob.publish.renamed"));
  absl::Status status = SyncDirectory(fan_out.get());
  if (!status.ok() && !file.published()) calls_.UnlinkAt(fan_out.get(), key.ToString().c_str());
  RETURN_IF_ERROR(status);
  return Failpoint("blob.publish.directory_synced");
}

absl::Status FilesystemObjectStore::Rename(const UploadId& id, const StorageKey& key, int fan_out) {
  const std::string& from = id.ToString();
  const std::string& to = key.ToString();
  if (calls_.RenameNoReplace(directory_->staging(), from.c_str(), fan_out, to.c_str()) == 0) return absl::OkStatus();
  if (errno != EINVAL && errno != ENOSYS) return FailWrite(kRenaming, errno);
  // Not every file system supports the flag. link() does not replace a file either.
  if (calls_.LinkAt(directory_->staging(), from.c_str(), fan_out, to.c_str()) != 0) return FailWrite(kRenaming, errno);
  calls_.UnlinkAt(directory_->staging(), from.c_str());
  return absl::OkStatus();
}

absl::Status FilesystemObjectStore::FailWrite(absl::string_view action, int error) {
  absl::Status status = WriteError(action, error);
  if (ClassifyIoError(error) == IoErrorKind::kBroken) gate_.Close(status.message());
  return status;
}

absl::Status FilesystemObjectStore::SyncDirectory(int fan_out) {
  return SyncOrCloseGate(
      "an object's directory", [&] { return FSyncFully(calls_, fan_out); }, gate_, metrics_);
}

absl::Status FilesystemObjectStore::DiscardStaged(const UploadId& id, absl::string_view) {
  if (calls_.UnlinkAt(directory_->staging(), id.ToString().c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return WriteError("deleting an upload's file", errno);
}

absl::StatusOr<std::vector<UploadId>> FilesystemObjectStore::ListStaged() {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListNames(directory_->staging(), "."));
  std::vector<UploadId> ids;
  for (const std::string& name : names) {
    if (absl::StatusOr<UploadId> id = UploadId::Parse(name); id.ok()) ids.push_back(*std::move(id));
  }
  return ids;
}

absl::StatusOr<ObjectSnapshot> FilesystemObjectStore::CopyTo(const std::string& to) {
  return CopyObjects(calls_, *directory_, to);
}

absl::StatusOr<OpenObject> FilesystemObjectStore::Open(const StorageKey& key) {
  const Stopwatch stopwatch;
  absl::StatusOr<OpenObject> object = OpenFile(key);
  metrics_.ObserveOperation(StoreBackend::kFilesystem, StoreOperation::kOpen,
                            object.ok() || absl::IsNotFound(object.status()), stopwatch.Elapsed());
  return object;
}

absl::StatusOr<OpenObject> FilesystemObjectStore::OpenFile(const StorageKey& key) {
  OwnedFd fd = OpenAtFully(calls_, directory_->objects(), BlobDirectory::PathOf(key).c_str(), O_RDONLY);
  if (fd.get() < 0) {
    if (errno == ENOENT) return OciError(OciErrorCode::kBlobUnknown, "there is no such object");
    return ReadError("opening an object", errno);
  }
  struct stat found;
  if (calls_.FStat(fd.get(), &found) != 0) return ReadError("reading an object's size", errno);
  ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  const auto size = static_cast<uint64_t>(found.st_size);
  return OpenObject{.content = std::move(fd), .size_bytes = size, .version = VersionOf(found)};
}

std::vector<absl::Status> FilesystemObjectStore::DeleteAll(const std::vector<StorageKey>& keys) {
  const Stopwatch stopwatch;
  std::vector<absl::Status> statuses = DeleteDurably(keys);
  const absl::Duration each = stopwatch.Elapsed() / static_cast<double>(std::max<size_t>(keys.size(), 1));
  for (const absl::Status& status : statuses) {
    metrics_.ObserveOperation(StoreBackend::kFilesystem, StoreOperation::kDelete, status.ok(), each);
  }
  return statuses;
}

std::vector<absl::Status> FilesystemObjectStore::DeleteDurably(const std::vector<StorageKey>& keys) {
  std::vector<absl::Status> statuses(keys.size(), CheckWritable());
  if (keys.empty() || !statuses.front().ok()) return statuses;
  std::map<std::string, std::vector<size_t>> fan_outs;
  std::vector<std::string> names;
  for (size_t i = 0; i < keys.size(); ++i) {
    fan_outs[BlobDirectory::FanOutOf(keys[i])].push_back(i);
    names.push_back(keys[i].ToString());
  }
  // All names first, then the syncs: the first sync writes the file system's log, so that the others are cheap.
  std::vector<std::pair<OwnedFd, std::vector<size_t>>> opened;
  for (const auto& [fan_out, indexes] : fan_outs) {
    absl::StatusOr<OwnedFd> fd = OpenFanOut(keys[indexes.front()]);
    for (const size_t i : indexes) statuses[i] = fd.ok() ? RemoveName(fd->get(), names[i]) : fd.status();
    if (fd.ok()) opened.emplace_back(*std::move(fd), indexes);
  }
  const absl::Status reached = Failpoint("blob.delete.unlinked");
  for (const auto& [fd, indexes] : opened) {
    // Sync even if an object does not exist: the process that deleted it may have died before the sync.
    absl::Status synced = reached.ok() ? SyncDirectory(fd.get()) : reached;
    if (synced.ok()) synced = Failpoint("blob.delete.synced");
    for (const size_t i : indexes) statuses[i].Update(synced);
  }
  DeleteQuarantined(names, &statuses);
  return statuses;
}

absl::Status FilesystemObjectStore::RemoveName(int directory, const std::string& name) {
  if (calls_.UnlinkAt(directory, name.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return FailWrite("deleting an object", errno);
}

void FilesystemObjectStore::DeleteQuarantined(const std::vector<std::string>& names,
                                              std::vector<absl::Status>* statuses) {
  std::vector<size_t> deleted;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!(*statuses)[i].ok()) continue;
    if (calls_.UnlinkAt(directory_->quarantine(), names[i].c_str()) == 0) {
      deleted.push_back(i);
    } else if (errno != ENOENT) {
      (*statuses)[i] = FailWrite("deleting a quarantined object", errno);
    }
  }
  if (deleted.empty()) return;
  const absl::Status synced = SyncDirectory(directory_->quarantine());
  for (const size_t i : deleted) (*statuses)[i] = synced;
}

absl::StatusOr<StoreOwner> FilesystemObjectStore::ReadOwner() {
  if (const absl::Status in_place = directory_->CheckInPlace(); !in_place.ok()) {
    return OciError(OciErrorCode::kUnavailable, in_place.message());
  }
  return ReadStoreOwner(*directory_, calls_);
}

absl::Status FilesystemObjectStore::WriteOwner(const StoreOwner& owner) {
  RETURN_IF_ERROR(CheckWritable());
  absl::MutexLock lock(&owner_mutex_);
  return WriteStoreOwner(owner, *directory_, calls_);
}

absl::Status FilesystemObjectStore::ReadFromDisk(const StorageKey& key,
                                                 const std::function<bool(absl::string_view)>& take) {
  ASSIGN_OR_RETURN(const OpenObject object, Open(key));
  return blob::ReadFromDisk(calls_, directory_->objects(), BlobDirectory::PathOf(key),
                            std::get<OwnedFd>(object.content), take);
}

absl::Status FilesystemObjectStore::Quarantine(const StorageKey& key) {
  RETURN_IF_ERROR(CheckWritable());
  ASSIGN_OR_RETURN(const OwnedFd fan_out, OpenFanOut(key));
  RETURN_IF_ERROR(MoveToQuarantine(key, fan_out.get()));
  RETURN_IF_ERROR(Failpoint("blob.quarantine.renamed"));
  // Sync even if the object does not exist, as DeleteDurably() does. The new name is synced first.
  RETURN_IF_ERROR(SyncDirectory(directory_->quarantine()));
  RETURN_IF_ERROR(Failpoint("blob.quarantine.kept"));
  return SyncDirectory(fan_out.get());
}

absl::StatusOr<Waiting> FilesystemObjectStore::CountQuarantined(size_t limit) {
  return directory_->CountQuarantined(calls_, limit);
}

absl::Status FilesystemObjectStore::MoveToQuarantine(const StorageKey& key, int fan_out) {
  const char* name = key.ToString().c_str();
  constexpr absl::string_view kAction = "quarantining an object";
  if (calls_.RenameNoReplace(fan_out, name, directory_->quarantine(), name) == 0 || errno == ENOENT) {
    return absl::OkStatus();
  }
  if (errno == EINVAL || errno == ENOSYS) {
    if (calls_.LinkAt(fan_out, name, directory_->quarantine(), name) != 0) {
      if (errno == ENOENT) return absl::OkStatus();
      if (errno != EEXIST) return FailWrite(kAction, errno);
    }
  } else if (errno != EEXIST) {
    return FailWrite(kAction, errno);
  }
  // Removes the old name.
  if (calls_.UnlinkAt(fan_out, name) != 0 && errno != ENOENT) return FailWrite(kAction, errno);
  return absl::OkStatus();
}

absl::StatusOr<OwnedFd> FilesystemObjectStore::OpenFanOut(const StorageKey& key) {
  OwnedFd fan_out = OpenAtFully(calls_, directory_->objects(), BlobDirectory::FanOutOf(key).c_str(), O_DIRECTORY);
  if (fan_out.get() < 0) return WriteError("opening an object's directory", errno);
  return fan_out;
}

}  // namespace entrepot::blob

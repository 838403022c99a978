#include "services/blob/objects/memory_object_store.h"

#include <utility>
#include <variant>

#include "services/blob/objects/unknown_upload.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

class StagedString : public StagedUpload {
 public:
  explicit StagedString(std::shared_ptr<std::string> bytes) : bytes_(std::move(bytes)) {}

  uint64_t size_bytes() const override { return bytes_->size(); }
  absl::Status Append(absl::string_view bytes) override {
    bytes_->append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  absl::Status Truncate(uint64_t size_bytes) override {
    bytes_->resize(size_bytes);
    return absl::OkStatus();
  }
  absl::Status Sync() override { return absl::OkStatus(); }
  absl::Status Read(const std::function<void(absl::string_view)>& take) override {
    take(*bytes_);
    return absl::OkStatus();
  }

 private:
  const std::shared_ptr<std::string> bytes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StagedUpload>> MemoryObjectStore::OpenStaged(const UploadId& id, uint64_t size_bytes,
                                                                            absl::string_view) {
  absl::MutexLock lock(&mutex_);
  auto found = staged_.find(id);
  if (size_bytes == 0) found = staged_.insert_or_assign(id, std::make_shared<std::string>()).first;
  if (found == staged_.end() || found->second->size() < size_bytes) return UnknownUpload();
  found->second->resize(size_bytes);
  return std::make_unique<StagedString>(found->second);
}

absl::StatusOr<std::unique_ptr<StagedUpload>> MemoryObjectStore::OpenPublished(const UploadId& id,
                                                                               uint64_t size_bytes) {
  absl::MutexLock lock(&mutex_);
  const auto found = objects_.find(KeyOf(id));
  if (found == objects_.end() || found->second.bytes->size() != size_bytes) return UnknownUpload();
  return std::make_unique<StagedString>(found->second.bytes);
}

absl::Status MemoryObjectStore::Publish(const UploadId& id, std::unique_ptr<StagedUpload>) {
  absl::MutexLock lock(&mutex_);
  const auto found = staged_.find(id);
  if (found == staged_.end()) return objects_.contains(KeyOf(id)) ? absl::OkStatus() : UnknownUpload();
  Object object{.bytes = found->second, .written_at = {}};
  if (clock_ != nullptr) object.written_at = clock_->Now();
  objects_[KeyOf(id)] = std::move(object);
  staged_.erase(found);
  return absl::OkStatus();
}

absl::Status MemoryObjectStore::DiscardStaged(const UploadId& id, absl::string_view) {
  absl::MutexLock lock(&mutex_);
  staged_.erase(id);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<UploadId>> MemoryObjectStore::ListStaged() {
  absl::MutexLock lock(&mutex_);
  std::vector<UploadId> ids;
  for (const auto& [id, bytes] : staged_) ids.push_back(id);
  return ids;
}

absl::StatusOr<OpenObject> MemoryObjectStore::Open(const StorageKey& key) {
  absl::MutexLock lock(&mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return OciError(OciErrorCode::kBlobUnknown, "there is no such object");
  return OpenObject{.content = *found->second.bytes, .size_bytes = found->second.bytes->size()};
}

std::vector<absl::Status> MemoryObjectStore::DeleteAll(const std::vector<StorageKey>& keys) {
  absl::MutexLock lock(&mutex_);
  for (const StorageKey& key : keys) {
    objects_.erase(key);
    quarantined_.erase(key);
  }
  return std::vector<absl::Status>(keys.size());
}

absl::StatusOr<StoreOwner> MemoryObjectStore::ReadOwner() {
  absl::MutexLock lock(&mutex_);
  return owner_;
}

absl::Status MemoryObjectStore::WriteOwner(const StoreOwner& owner) {
  absl::MutexLock lock(&mutex_);
  owner_ = owner;
  return absl::OkStatus();
}

absl::Status MemoryObjectStore::ReadFromDisk(const StorageKey& key,
                                             const std::function<bool(absl::string_view)>& take) {
  ASSIGN_OR_RETURN(const OpenObject object, Open(key));
  take(std::get<std::string>(object.content));
  return absl::OkStatus();
}

absl::Status MemoryObjectStore::Quarantine(const StorageKey& key) {
  absl::MutexLock lock(&mutex_);
  if (auto object = objects_.extract(key); !object.empty()) quarantined_[key] = std::move(object.mapped());
  return absl::OkStatus();
}

absl::StatusOr<Waiting> MemoryObjectStore::CountQuarantined(size_t limit) {
  absl::MutexLock lock(&mutex_);
  Waiting quarantined;
  for (const auto& [key, object] : quarantined_) {
    quarantined.more = quarantined.count == limit;
    if (quarantined.more) break;
    quarantined.Add(object.bytes->size());
  }
  return quarantined;
}

absl::StatusOr<ObjectList> MemoryObjectStore::List(absl::string_view start_after, size_t limit) {
  ObjectList list;
  absl::MutexLock lock(&mutex_);
  for (const auto& [key, object] : objects_) {
    if (key.ToString() <= start_after) continue;
    if (list.objects.size() == limit) {
      list.more = true;
      break;
    }
    list.objects.push_back({.key = key, .size_bytes = object.bytes->size(), .written_at = object.written_at});
  }
  return list;
}

void MemoryObjectStore::Damage(const StorageKey& key, std::string bytes) {
  absl::MutexLock lock(&mutex_);
  if (const auto found = objects_.find(key); found != objects_.end()) *found->second.bytes = std::move(bytes);
}

bool MemoryObjectStore::IsQuarantined(const StorageKey& key) const {
  absl::MutexLock lock(&mutex_);
  return quarantined_.contains(key);
}

}  // namespace entrepot::blob

#include "services/blob/objects/shared_memory_object_store.h"

#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "services/blob/objects/unknown_upload.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {

class SharedMemoryObjectStore::Staged : public StagedUpload {
 public:
  Staged(SharedMemoryObjectStore* store, UploadId id, std::string bytes, std::string state)
      : store_(*store), id_(std::move(id)), bytes_(std::move(bytes)) {
    if (!state.empty()) states_.push_back(std::move(state));
  }

  const std::string& bytes() const { return bytes_; }
  uint64_t size_bytes() const override { return bytes_.size(); }
  absl::Status Append(absl::string_view bytes) override {
    bytes_.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  absl::Status Truncate(uint64_t size_bytes) override {
    bytes_.resize(size_bytes);
    return absl::OkStatus();
  }
  absl::Status Sync() override { return absl::OkStatus(); }
  absl::StatusOr<std::string> Save() override {
    states_.push_back(store_.Save(id_, bytes_));
    return states_.back();
  }
  void Recorded() override {
    for (size_t i = 0; i + 1 < states_.size(); ++i) store_.Drop(id_, states_[i]);
    if (states_.size() > 1) states_.erase(states_.begin(), states_.end() - 1);
  }
  absl::Status Read(const std::function<void(absl::string_view)>& take) override {
    RETURN_IF_ERROR(store_.PublishBytes(id_, bytes_));
    take(bytes_);
    return absl::OkStatus();
  }

 private:
  SharedMemoryObjectStore& store_;
  const UploadId id_;
  std::string bytes_;
  std::vector<std::string> states_;
};

absl::StatusOr<std::unique_ptr<StagedUpload>> SharedMemoryObjectStore::OpenStaged(const UploadId& id,
                                                                                  uint64_t size_bytes,
                                                                                  absl::string_view state) {
  std::string bytes;
  if (size_bytes > 0) {
    absl::MutexLock lock(&mutex_);
    const auto upload = saved_.find(id);
    if (upload == saved_.end()) return UnknownUpload();
    const auto found = upload->second.find(std::string(state));
    if (found == upload->second.end() || found->second.size() != size_bytes) return UnknownUpload();
    bytes = found->second;
  }
  return std::make_unique<Staged>(this, id, std::move(bytes), std::string(state));
}

absl::StatusOr<std::unique_ptr<StagedUpload>> SharedMemoryObjectStore::OpenPublished(const UploadId& id,
                                                                                     uint64_t size_bytes) {
  const absl::StatusOr<OpenObject> object = Open(KeyOf(id));
  if (!object.ok() || object->size_bytes != size_bytes) return UnknownUpload();
  return std::make_unique<Staged>(this, id, std::get<std::string>(object->content), "");
}

absl::Status SharedMemoryObjectStore::Publish(const UploadId& id, std::unique_ptr<StagedUpload> staged) {
  RETURN_IF_ERROR(PublishBytes(id, static_cast<Staged&>(*staged).bytes()));
  absl::MutexLock lock(&mutex_);
  saved_.erase(id);
  return absl::OkStatus();
}

absl::Status SharedMemoryObjectStore::DiscardStaged(const UploadId& id, absl::string_view) {
  absl::MutexLock lock(&mutex_);
  if (broken_) return absl::UnavailableError("the store is broken");
  saved_.erase(id);
  return absl::OkStatus();
}

size_t SharedMemoryObjectStore::staged_uploads() const {
  absl::MutexLock lock(&mutex_);
  return saved_.size();
}

void SharedMemoryObjectStore::Break(bool broken) {
  absl::MutexLock lock(&mutex_);
  broken_ = broken;
}

std::string SharedMemoryObjectStore::Save(const UploadId& id, const std::string& bytes) {
  absl::MutexLock lock(&mutex_);
  std::string state = absl::StrCat("state ", ++saves_);
  saved_[id][state] = bytes;
  return state;
}

void SharedMemoryObjectStore::Drop(const UploadId& id, const std::string& state) {
  absl::MutexLock lock(&mutex_);
  if (const auto upload = saved_.find(id); upload != saved_.end()) upload->second.erase(state);
}

absl::Status SharedMemoryObjectStore::PublishBytes(const UploadId& id, const std::string& bytes) {
  absl::MutexLock lock(&mutex_);
  if (broken_) return absl::UnavailableError("the store is broken");
  ASSIGN_OR_RETURN(std::unique_ptr<StagedUpload> staged, MemoryObjectStore::OpenStaged(id, 0, ""));
  RETURN_IF_ERROR(staged->Append(bytes));
  return MemoryObjectStore::Publish(id, std::move(staged));
}

}  // namespace entrepot::blob

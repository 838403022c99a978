#include "services/manifest/testing/memory_blob_storage.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/core/content.h"
#include "services/core/digester.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

Blob MemoryBlobStorage::Upload(absl::string_view content, Session session) {
  StorageKey key = StorageKey::Random(StorageTier::kFile);
  Put(key, content, session);
  return Blob{.digest = ComputeDigest(DigestAlgorithm::kSha256, content),
              .size_bytes = content.size(),
              .storage_key = std::move(key)};
}

void MemoryBlobStorage::Put(const StorageKey& key, absl::string_view content, Session session) {
  Blob blob{
      .digest = ComputeDigest(DigestAlgorithm::kSha256, content), .size_bytes = content.size(), .storage_key = key};
  absl::MutexLock lock(&mutex_);
  objects_.insert_or_assign(key.ToString(), Object{.content = std::string(content), .made_at = clock_->Now()});
  if (session == Session::kNone) return;
  uploads_.insert_or_assign(key.ToString(), SealedUpload{.session = session, .blob = std::move(blob)});
}

void MemoryBlobStorage::SetSession(const StorageKey& key, Session session) {
  absl::MutexLock lock(&mutex_);
  if (session == Session::kNone) {
    uploads_.erase(key.ToString());
    return;
  }
  const auto found = uploads_.find(key.ToString());
  if (found != uploads_.end()) found->second.session = session;
}

void MemoryBlobStorage::Overwrite(const StorageKey& key, absl::string_view content) {
  absl::MutexLock lock(&mutex_);
  objects_.at(key.ToString()).content = std::string(content);
}

void MemoryBlobStorage::Lose(const StorageKey& key) {
  absl::MutexLock lock(&mutex_);
  objects_.erase(key.ToString());
}

void MemoryBlobStorage::SetFault(Fault fault) {
  absl::MutexLock lock(&mutex_);
  fault_ = std::move(fault);
}

std::optional<std::string> MemoryBlobStorage::Content(const StorageKey& key) const {
  absl::MutexLock lock(&mutex_);
  const auto found = objects_.find(key.ToString());
  if (found == objects_.end()) return std::nullopt;
  return found->second.content;
}

bool MemoryBlobStorage::IsQuarantined(const StorageKey& key) const {
  absl::MutexLock lock(&mutex_);
  return quarantine_.count(key.ToString()) > 0;
}

size_t MemoryBlobStorage::size() const {
  absl::MutexLock lock(&mutex_);
  return objects_.size();
}

size_t MemoryBlobStorage::quarantined() const {
  absl::MutexLock lock(&mutex_);
  return quarantine_.size();
}

absl::Status MemoryBlobStorage::Meet(absl::string_view operation, const std::string& key) const {
  Fault fault;
  {
    absl::MutexLock lock(&mutex_);
    fault = fault_;
  }
  return fault ? fault(operation, key) : absl::OkStatus();
}

absl::Status MemoryBlobStorage::Check(const StorageKey& key, uint64_t size_bytes) {
  RETURN_IF_ERROR(Meet("Check", key.ToString()));
  const std::optional<std::string> content = Content(key);
  if (!content.has_value()) return absl::NotFoundError(absl::StrCat("no object ", key.ToString()));
  if (content->size() == size_bytes) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("the object ", key.ToString(), " has ", content->size(), " bytes, not ", size_bytes));
}

absl::Status MemoryBlobStorage::Verify(const Blob& blob, uint64_t) {
  RETURN_IF_ERROR(Meet("Verify", blob.storage_key.ToString()));
  const std::optional<std::string> content = Content(blob.storage_key);
  if (!content.has_value()) return absl::NotFoundError(absl::StrCat("no object ", blob.storage_key.ToString()));
  if (ComputeDigest(blob.digest.algorithm(), *content) == blob.digest) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("the object ", blob.storage_key.ToString(), " is not ", blob.digest.ToString()));
}

std::vector<absl::Status> MemoryBlobStorage::DeleteAll(const std::vector<StorageKey>& keys) {
  std::vector<absl::Status> statuses;
  for (const StorageKey& key : keys) {
    if (!statuses.emplace_back(Meet("Delete", key.ToString())).ok()) continue;
    absl::MutexLock lock(&mutex_);
    objects_.erase(key.ToString());
    quarantine_.erase(key.ToString());
  }
  return statuses;
}

absl::StatusOr<StoreOwner> MemoryBlobStorage::ReadOwner() {
  RETURN_IF_ERROR(Meet("ReadOwner", ""));
  absl::MutexLock lock(&mutex_);
  return owner_;
}

absl::Status MemoryBlobStorage::WriteOwner(const StoreOwner& owner) {
  RETURN_IF_ERROR(Meet("WriteOwner", ""));
  absl::MutexLock lock(&mutex_);
  owner_ = owner;
  return absl::OkStatus();
}

absl::StatusOr<bool> MemoryBlobStorage::HasObjects() {
  RETURN_IF_ERROR(Meet("HasObjects", ""));
  return size() > 0;
}

absl::Status MemoryBlobStorage::Quarantine(const StorageKey& key) {
  RETURN_IF_ERROR(Meet("Quarantine", key.ToString()));
  absl::MutexLock lock(&mutex_);
  const auto found = objects_.find(key.ToString());
  if (found == objects_.end()) return absl::OkStatus();
  quarantine_[key.ToString()] = std::move(found->second.content);
  objects_.erase(found);
  return absl::OkStatus();
}

absl::StatusOr<Waiting> MemoryBlobStorage::CountQuarantined(size_t limit) {
  RETURN_IF_ERROR(Meet("CountQuarantined", ""));
  absl::MutexLock lock(&mutex_);
  Waiting quarantined;
  for (const auto& [key, content] : quarantine_) {
    quarantined.more = quarantined.count == limit;
    if (quarantined.more) break;
    quarantined.Add(content.size());
  }
  return quarantined;
}

absl::StatusOr<StoredObjectPage> MemoryBlobStorage::ListUnclaimed(absl::Duration age, const std::string& start_after,
                                                                  size_t limit) {
  RETURN_IF_ERROR(Meet("ListUnclaimed", start_after));
  const absl::Time made_until = clock_->Now() - age;
  absl::MutexLock lock(&mutex_);
  StoredObjectPage page;
  for (auto object = objects_.upper_bound(start_after); object != objects_.end(); ++object) {
    if (page.objects.size() == limit) {
      page.next = page.objects.back().storage_key.ToString();
      break;
    }
    if (uploads_.count(object->first) > 0) continue;
    if (age > absl::ZeroDuration() && object->second.made_at > made_until) continue;
    page.objects.push_back(
        {.storage_key = StorageKey::Parse(object->first).value(), .size_bytes = object->second.content.size()});
  }
  return page;
}

absl::StatusOr<std::vector<Blob>> MemoryBlobStorage::ListAbandoned(size_t limit) {
  RETURN_IF_ERROR(Meet("ListAbandoned", ""));
  absl::MutexLock lock(&mutex_);
  std::vector<Blob> abandoned;
  for (const auto& [key, upload] : uploads_) {
    if (abandoned.size() == limit) break;
    if (upload.session == Session::kAbandoned) abandoned.push_back(upload.blob);
  }
  return abandoned;
}

absl::Status MemoryBlobStorage::ForgetAbandoned(const StorageKey& key) {
  RETURN_IF_ERROR(Meet("ForgetAbandoned", key.ToString()));
  SetSession(key, Session::kNone);
  return absl::OkStatus();
}

void MemoryBlobStorage::SetOpenUpload(OpenUpload upload) {
  absl::MutexLock lock(&mutex_);
  open_upload_ = std::move(upload);
}

absl::StatusOr<OpenUploadPage> MemoryBlobStorage::ListUploads(const UploadFilter& filter,
                                                              const std::string& start_after, size_t) {
  RETURN_IF_ERROR(Meet("ListUploads", start_after));
  absl::MutexLock lock(&mutex_);
  OpenUploadPage page;
  if (open_upload_.has_value() && (filter.account.empty() || filter.account == open_upload_->account)) {
    page.uploads.push_back(*open_upload_);
  }
  return page;
}

absl::StatusOr<CancelledUploads> MemoryBlobStorage::CancelUploads(const UploadFilter& filter) {
  RETURN_IF_ERROR(Meet("CancelUploads", filter.id));
  absl::MutexLock lock(&mutex_);
  const bool had = open_upload_.has_value();
  open_upload_.reset();
  return CancelledUploads{.cancelled = had ? 1u : 0u};
}

absl::StatusOr<UploadTotals> MemoryBlobStorage::CountUploads() {
  RETURN_IF_ERROR(Meet("CountUploads", ""));
  absl::MutexLock lock(&mutex_);
  if (!open_upload_.has_value()) return UploadTotals{};
  UploadTotals totals{.sessions = 1, .bytes = open_upload_->received_bytes};
  if (!open_upload_->in_use) totals.idle.Add(open_upload_->received_bytes, open_upload_->expires_at);
  return totals;
}

absl::StatusOr<ObjectSnapshot> MemoryBlobStorage::Snapshot(const std::string& name) {
  RETURN_IF_ERROR(Meet("Snapshot", name));
  absl::MutexLock lock(&mutex_);
  ObjectSnapshot snapshot{.objects = objects_.size()};
  for (const auto& [key, object] : objects_) snapshot.object_bytes += object.content.size();
  return snapshot;
}

}  // namespace entrepot::manifest

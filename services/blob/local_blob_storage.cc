#include "services/blob/local_blob_storage.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "services/core/digester.h"
#include "services/core/files/named_backup.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

absl::Status OtherSize(const StorageKey& key, uint64_t found, uint64_t expected) {
  return absl::DataLossError(
      absl::StrCat("object ", key.ToString(), " has ", found, " bytes, but its record has ", expected));
}

// For bytes_per_second = 0 the rate is not limited.
absl::Duration TimeOf(uint64_t bytes, uint64_t bytes_per_second) {
  if (bytes_per_second == 0) return absl::ZeroDuration();
  return absl::Seconds(static_cast<double>(bytes) / static_cast<double>(bytes_per_second));
}

}  // namespace

absl::Status LocalBlobStorage::Check(const StorageKey& key, uint64_t size_bytes) {
  ASSIGN_OR_RETURN(const OpenObject object, parts_.objects->Open(key));
  return object.size_bytes == size_bytes ? absl::OkStatus() : OtherSize(key, object.size_bytes, size_bytes);
}

void LocalBlobStorage::StopVerifying() { stop_verifying_.Stop(); }

absl::Status LocalBlobStorage::Verify(const Blob& blob, uint64_t bytes_per_second) {
  const StorageKey& key = blob.storage_key;
  ASSIGN_OR_RETURN(const OpenObject object, parts_.objects->Open(key));
  if (object.size_bytes != blob.size_bytes) return OtherSize(key, object.size_bytes, blob.size_bytes);
  const auto start = std::chrono::steady_clock::now();
  Digester digester(blob.digest.algorithm());
  bool stopped = false;
  RETURN_IF_ERROR(parts_.objects->ReadFromDisk(key, [&](absl::string_view bytes) {
    digester.Update(bytes);
    const absl::Duration taken = absl::FromChrono(std::chrono::steady_clock::now() - start);
    stopped = stop_verifying_.WaitFor(TimeOf(digester.length_bytes(), bytes_per_second) - taken);
    return !stopped;
  }));
  if (stopped) return absl::CancelledError("the process is ending");
  const Digest found = digester.Current();
  if (parts_.verified != nullptr && key.tier() == StorageTier::kFile) {
    parts_.verified->Record(key, object.version, blob.digest, found == blob.digest);
  }
  if (found == blob.digest) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("object ", key.ToString(), " has the digest ", found.ToString(), ", not ", blob.digest.ToString()));
}

std::vector<absl::Status> LocalBlobStorage::DeleteAll(const std::vector<StorageKey>& keys) {
  return parts_.objects->DeleteAll(keys);
}

absl::Status LocalBlobStorage::Quarantine(const StorageKey& key) { return parts_.objects->Quarantine(key); }

absl::StatusOr<Waiting> LocalBlobStorage::CountQuarantined(size_t limit) {
  return parts_.objects->CountQuarantined(limit);
}

absl::StatusOr<StoredObjectPage> LocalBlobStorage::ListUnclaimed(absl::Duration age, const std::string& start_after,
                                                                 size_t limit) {
  ASSIGN_OR_RETURN(const ObjectList list, parts_.objects->List(start_after, std::max<size_t>(limit, 1)));
  const absl::Time youngest = parts_.clock->Now() - age;
  std::vector<StorageKey> keys;
  StoredObjectPage page;
  for (const ListedObject& object : list.objects) {
    if (age > absl::ZeroDuration() && object.written_at.has_value() && *object.written_at > youngest) continue;
    keys.push_back(object.key);
    page.objects.push_back({.storage_key = object.key, .size_bytes = object.size_bytes});
  }
  // After the listing, because a session exists before its object.
  ASSIGN_OR_RETURN(const std::vector<bool> claimed, parts_.sessions->Claim(keys));
  size_t kept = 0;
  for (size_t i = 0; i < claimed.size(); ++i) {
    if (!claimed[i]) std::swap(page.objects[kept++], page.objects[i]);
  }
  page.objects.erase(page.objects.begin() + static_cast<std::ptrdiff_t>(kept), page.objects.end());
  if (list.more) page.next = list.objects.back().key.ToString();
  return page;
}

absl::StatusOr<std::vector<Blob>> LocalBlobStorage::ListAbandoned(size_t limit) {
  return parts_.sessions->ListAbandoned(limit);
}

absl::Status LocalBlobStorage::ForgetAbandoned(const StorageKey& key) { return parts_.sessions->ForgetAbandoned(key); }

absl::StatusOr<OpenUploadPage> LocalBlobStorage::ListUploads(const UploadFilter& filter, const std::string& start_after,
                                                             size_t limit) {
  return parts_.sessions->ListOpen(filter, start_after, limit);
}

absl::StatusOr<CancelledUploads> LocalBlobStorage::CancelUploads(const UploadFilter& filter) {
  return parts_.sessions->CancelOpen(filter);
}

absl::StatusOr<UploadTotals> LocalBlobStorage::CountUploads() { return parts_.sessions->Totals(); }

absl::StatusOr<bool> LocalBlobStorage::HasObjects() {
  ASSIGN_OR_RETURN(const ObjectList list, parts_.objects->List("", 1));
  return !list.objects.empty();
}

absl::StatusOr<ObjectSnapshot> LocalBlobStorage::Snapshot(const std::string& name) {
  RETURN_IF_ERROR(CheckBackupName(name));
  if (!parts_.snapshot) return absl::UnimplementedError("this store cannot be copied");
  return parts_.snapshot(name);
}

}  // namespace entrepot::blob
